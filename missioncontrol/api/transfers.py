"""Files on their way to and from the spacecraft: inputs and results of jobs."""

from __future__ import annotations

from typing import Annotated

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import WithJsonSchema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import Instant, Number, Text, example
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from missioncontrol.kernel import clock
from uplink.transfers import services
from uplink.transfers.models import Transfer

router = Router(tags=["transfers"])

# Written out: two enumerations of one name would overwrite each other in the description.
State = Annotated[
    Transfer.State, WithJsonSchema({"type": "string", "enum": Transfer.State.values})
]
Direction = Annotated[
    Transfer.Direction, WithJsonSchema({"type": "string", "enum": Transfer.Direction.values})
]


class TransferOut(Schema):
    """A file and its CFDP transaction, named by source entity and sequence number.

    Size and digest of a file that comes down are known when it is complete.
    """

    model_config = example(
        id=3,
        spacecraft="DD-1",
        organisation="ai-laboratory-1",
        direction="UP",
        file_name="job-17.in",
        state="COMPLETED",
        source_entity=1,
        sequence_number=3,
        size_octets=5,
        progress_octets=5,
        sha256="c96c6d5be8d08a12e7b5cdc1b207fa6b2430974c86803d8891675e76fd992c20",
        condition="no error",
        created_at="2026-12-01T12:00:00Z",
        completed_at="2026-12-01T12:21:40Z",
    )

    id: int
    spacecraft: str
    organisation: str | None
    direction: str
    file_name: str
    state: str
    source_entity: int
    sequence_number: int
    size_octets: int | None
    progress_octets: int
    sha256: str | None
    condition: str
    created_at: Instant
    completed_at: Instant | None


class TransferQuery(PageQuery):
    """Which transfers."""

    spacecraft: Text | None = None
    direction: Direction | None = None
    state: State | None = None


@router.get(
    "/transfers", auth=TOKEN_OR_SESSION, response=Page[TransferOut], summary="File transfers"
)
def list_transfers(request: HttpRequest, asked: Query[TransferQuery]) -> Page[TransferOut]:
    """Return your organisation's files, the newest first.

    Who operates a spacecraft sees all files to and from it.
    """
    principal = principal_of(request)
    principal.require(Action.JOB_VIEW)
    rows = visible_transfers(principal, Transfer.objects.all())
    if asked.spacecraft:
        rows = rows.filter(spacecraft=spacecraft_in_field(asked.spacecraft, "query.spacecraft"))
    if asked.direction:
        rows = rows.filter(direction=asked.direction)
    if asked.state:
        rows = rows.filter(state=asked.state)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[transfer_out(row) for row in found], next=cursor)


@router.get(
    "/transfers/{transfer_id}",
    auth=TOKEN_OR_SESSION,
    response=TransferOut,
    summary="One file transfer",
    openapi_extra=READ,
)
def get_transfer(request: HttpRequest, response: HttpResponse, transfer_id: Number) -> TransferOut:
    """Return one transfer and how far it is."""
    transfer = _get(principal_of(request), transfer_id)
    return tagged(request, response, transfer_out(transfer))


@router.post(
    "/transfers/{transfer_id}/cancel",
    auth=TOKEN,
    response=TransferOut,
    summary="Cancel a file transfer",
    openapi_extra=CHANGE,
)
def cancel_transfer(
    request: HttpRequest, response: HttpResponse, transfer_id: Number
) -> TransferOut:
    """Give up a file that has not begun to go up; who operates the spacecraft may."""
    transfer = _get(principal_of(request), transfer_id)
    principal = permitted(request, Action.TRANSFER_CANCEL, transfer.spacecraft.organisation)

    def show() -> TransferOut:
        return transfer_out(_get(principal, transfer_id))

    with unchanged(request, Transfer.objects.filter(pk=transfer_id), show):
        services.cancel_transfer(transfer_id=transfer_id, actor=principal.operator, at=clock.now())
    return tagged(request, response, show())


def transfer_out(transfer: Transfer) -> TransferOut:
    """Return what is shown of a transfer."""
    owner = transfer.organisation
    return TransferOut(
        id=transfer.pk,
        spacecraft=transfer.spacecraft.name,
        organisation=owner.slug if owner is not None else None,
        direction=transfer.direction,
        file_name=transfer.file_name,
        state=transfer.state,
        source_entity=transfer.source_entity,
        sequence_number=transfer.sequence_number,
        size_octets=transfer.size_octets,
        progress_octets=transfer.progress_octets,
        sha256=transfer.sha256 or None,
        condition=transfer.condition,
        created_at=transfer.created_at,
        completed_at=transfer.completed_at,
    )


def visible_transfers(principal: Principal, rows: QuerySet[Transfer]) -> QuerySet[Transfer]:
    """Return those of *rows* that *principal* may see: files are inputs and results of jobs."""
    seen = principal.organisations_with(Action.JOB_VIEW)
    return rows.filter(
        Q(organisation__in=seen) | Q(spacecraft__organisation__in=seen)
    ).select_related("spacecraft__organisation", "organisation")


def _get(principal: Principal, transfer_id: int) -> Transfer:
    """Return a transfer; another member's is answered like one that does not exist."""
    transfer = visible_transfers(principal, Transfer.objects.filter(pk=transfer_id)).first()
    if transfer is None:
        raise NotFoundError(f"There is no transfer {transfer_id}, or it is another member's.")
    return transfer
