"""The processes of this installation, as their supervisor tells of them."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Query, Router, Schema
from redis.exceptions import RedisError

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN_OR_SESSION, permitted
from missioncontrol.api.fields import Instant, example
from missioncontrol.api.paging import Page, PageQuery, in_order
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.processes import told_processes

router = Router(tags=["mission"], auth=TOKEN_OR_SESSION)


class ProcessOut(Schema):
    """One process; ``seen_at`` (machine's clock) is when its supervisor last told of it."""

    model_config = example(
        name="worker",
        state="running",
        pid=4711,
        restarts=0,
        last_exit=None,
        seen_at="2026-12-01T12:00:00Z",
    )

    name: str
    state: str
    pid: int | None
    restarts: int
    last_exit: int | None
    seen_at: Instant


@router.get("/processes", response=Page[ProcessOut], summary="Processes")
def list_processes(request: HttpRequest, asked: Query[PageQuery]) -> Page[ProcessOut]:
    """Return the supervised processes; none where the system itself watches over them.

    409 while the broker, which the supervisor tells, is away.
    """
    permitted(request, Action.PROCESS_VIEW)
    try:
        told = told_processes()
    except RedisError as error:
        raise RefusedError(
            "The broker is away, so the state of the processes is not known."
        ) from error
    found, cursor = in_order(
        told, name_of=lambda each: each.name, cursor=asked.cursor, limit=asked.limit
    )
    return Page(
        items=[
            ProcessOut(
                name=each.name,
                state=each.state,
                pid=each.pid,
                restarts=each.restarts,
                last_exit=each.last_exit,
                seen_at=each.seen,
            )
            for each in found
        ],
        next=cursor,
    )
