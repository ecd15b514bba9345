from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import Actor, append_entry
from missioncontrol.kernel.dispatch import send_after_commit
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.operations import selectors
from missioncontrol.operations.models import Operation
from missioncontrol.scheduling.models import Plan
from missioncontrol.scheduling.services import Wish, propose_plan

# The message may be lost with the broker; then the sweep sends another.
RESEND_AFTER: Final = timedelta(seconds=15)
MAX_ATTEMPTS: Final = 3
_ERROR_LENGTH: Final = 1000  # characters; an entry of the log has a limit too
_PROCESS: Final = "process:operations"
_STATE = Operation.State


class OperationRefusedError(RefusedError):
    """The operation cannot be changed like this."""


@transaction.atomic
def start_operation(
    *,
    kind: Operation.Kind,
    parameters: Mapping[str, Any],
    organisation: Organisation,
    asked_by: Operator,
    at: datetime,
    wall_at: datetime,
) -> Operation:
    """Ask for long work; a worker takes it up in a moment.

    Args:
        kind: What is to be done.
        parameters: JSON-able; what the runner of this kind takes.
        organisation: For whom.
        asked_by: Who asks.
        at: Moment for the log, UTC (mission time).
        wall_at: The same on the machine's clock.

    Raises:
        NotPermittedError: no role of *asked_by* grants it.
    """
    require(asked_by, Action(kind.value), organisation)
    operation = Operation.objects.create(
        kind=kind,
        parameters=dict(parameters),
        organisation=organisation,
        asked_by=asked_by,
        asked_at=wall_at,
    )
    _log("operation.start", operation, asked_by, at, parameters=dict(parameters))
    send_after_commit("missioncontrol.operations.tasks.run_operation", operation_id=operation.pk)
    return operation


def start_planning(
    *,
    organisation: Organisation,
    horizon: timedelta,
    repairs: bool,
    limit_s: float,
    asked_by: Operator,
    at: datetime,
    wall_at: datetime,
    wish: Wish | None = None,
) -> tuple[Plan, Operation]:
    """Propose a plan at once, and have a worker make it better; return both.

    Two transactions: a plan without its operation is one that nobody improves,
    and does no harm.

    Args:
        organisation: Which operates the mission.
        horizon: How far ahead is planned.
        repairs: Keep every contact that no outage hits and no wish is against.
        limit_s: How long the worker looks for better.
        asked_by: Who asks.
        at: Mission time, UTC.
        wall_at: The same on the machine's clock.
        wish: Windows that must be booked, or left free.

    Raises:
        NotPermittedError: no role of *asked_by* grants it.
        PlanRefusedError: there is nothing to plan, or no plan can be as *wish* wants it.
    """
    plan = propose_plan(
        organisation=organisation,
        horizon=horizon,
        actor=asked_by,
        at=at,
        repairs=repairs,
        wish=wish,
    )
    operation = start_operation(
        kind=Operation.Kind.PLAN_PROPOSE,
        parameters={"plan": plan.pk, "limit_s": limit_s},
        organisation=organisation,
        asked_by=asked_by,
        at=at,
        wall_at=wall_at,
    )
    return plan, operation


def begin_operation(*, operation_id: int, wall_at: datetime) -> Operation | None:
    """Take up an operation that waits; None where another worker was faster, or it is over.

    No entry of the log tells of it: the one that says how it ended follows.
    """
    taken = Operation.objects.filter(pk=operation_id, state=_STATE.WAITING).update(
        state=_STATE.RUNNING, started_at=wall_at, attempt=F("attempt") + 1
    )
    return selectors.get_operation(operation_id) if taken else None


def note_progress(operation: Operation, progress: float) -> None:
    """Note how much is done, from 0 to 1, if this worker still has the operation."""
    _held(operation).update(progress=min(1.0, max(0.0, progress)))


@transaction.atomic
def finish_operation(
    operation: Operation, *, result: Mapping[str, Any], at: datetime, wall_at: datetime
) -> None:
    """Note that an operation is done; of a worker that lost it nothing is noted."""
    if _held(operation).update(
        state=_STATE.SUCCEEDED, progress=1.0, result=dict(result), ended_at=wall_at
    ):
        _log("operation.finish", operation, _PROCESS, at, result=dict(result))


@transaction.atomic
def fail_operation(operation: Operation, *, error: str, at: datetime, wall_at: datetime) -> None:
    """Note that an operation failed, and why; of a worker that lost it nothing is noted."""
    if _held(operation).update(state=_STATE.FAILED, error=error[:_ERROR_LENGTH], ended_at=wall_at):
        _log("operation.fail", operation, _PROCESS, at, error=error[:_ERROR_LENGTH])


@transaction.atomic
def cancel_operation(
    *, operation_id: int, actor: Operator, at: datetime, wall_at: datetime
) -> Operation:
    """Give up an operation that no worker has begun.

    Raises:
        Operation.DoesNotExist: no such operation.
        NotPermittedError: no role of *actor* grants what it takes.
        OperationRefusedError: it has begun or is over.
    """
    operation = Operation.objects.select_for_update().get(pk=operation_id)
    require(actor, operation.action, operation.organisation)
    if operation.state != _STATE.WAITING:
        raise OperationRefusedError(
            f"Operation {operation.pk} {operation.get_state_display()}; only one that waits for "
            "a worker can be cancelled."
        )
    operation.state = _STATE.CANCELLED
    operation.ended_at = wall_at
    operation.save(update_fields=["state", "ended_at"])
    _log("operation.cancel", operation, actor, at)
    return operation


def recover_operations(*, at: datetime, wall_at: datetime) -> int:
    """Bring operations on whose message or whose worker was lost; return how many.

    No task runs longer than ``CELERY_TASK_TIME_LIMIT``: what is still running
    after that has lost its worker, and is begun anew by another.
    """
    longest = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    lost = selectors.left_running(before=wall_at - longest - RESEND_AFTER)
    for operation in lost:
        _recover(operation, at=at, wall_at=wall_at)
    waiting = selectors.left_waiting(before=wall_at - RESEND_AFTER)
    with transaction.atomic():
        for operation in waiting:
            send_after_commit(
                "missioncontrol.operations.tasks.run_operation", operation_id=operation.pk
            )
    return len(lost) + len(waiting)


def _recover(operation: Operation, *, at: datetime, wall_at: datetime) -> None:
    if operation.attempt < MAX_ATTEMPTS:
        _held(operation).update(state=_STATE.WAITING, started_at=None, progress=0.0)
        return
    error = f"{operation.attempt} workers began it and none ended it. Their logs say more."
    fail_operation(operation, error=error, at=at, wall_at=wall_at)


def _held(operation: Operation) -> Any:
    """Return the row as long as it runs for the worker that has it as *operation*."""
    return Operation.objects.filter(
        pk=operation.pk, state=_STATE.RUNNING, attempt=operation.attempt
    )


def _log(
    action: str, operation: Operation, actor: Actor | str, at: datetime, **details: Any
) -> None:
    append_entry(
        action=action,
        subject=f"operation:{operation.pk}",
        actor=actor,
        at=at,
        organisation=operation.organisation.slug,
        details={"kind": operation.kind, **details},
    )
