"""What a pass was made of: its steps, the frames sent, the files moved, the links held."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from ninja import Query, Router, Schema

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.contacts import contact_in_path
from missioncontrol.api.fields import Instant, Number, example
from missioncontrol.api.paging import Page, PageQuery, oldest_first
from missioncontrol.api.transfers import TransferOut, transfer_out, visible_transfers
from missioncontrol.pipelines.models import IntentState, PassStep, RadiationIntent
from missioncontrol.pipelines.selectors import transfers_of
from missioncontrol.scheduling.models import Contact
from telemetry.models import LinkSession

router = Router(tags=["contacts"], auth=TOKEN_OR_SESSION)

_STATE = Contact.State
_NOT_FLOWN: Final = {_STATE.SCHEDULED, _STATE.MISSED, _STATE.CANCELLED}


class StepOut(Schema):
    """A step of a pass; ``epoch`` counts the executors that worked on it."""

    model_config = example(
        number=3,
        kind="COP1",
        state="DONE",
        epoch=1,
        started_at="2026-12-01T12:21:04Z",
        ended_at="2026-12-01T12:21:06Z",
        detail="",
    )

    number: int
    kind: str
    state: str
    epoch: int
    started_at: Instant
    ended_at: Instant | None
    detail: str


class RadiatedItemOut(Schema):
    """A telecommand frame as it was meant, sent and judged.

    ``frame_sequence_number`` is N(S) of COP-1; null for a control command.
    """

    model_config = example(
        number=2,
        what="PING #4",
        telecommand=4,
        frame_sequence_number=17,
        epoch=1,
        state="RADIATED",
        acceptance="ACCEPTED",
        evidence="CLCW V(R) 18",
        intended_at="2026-12-01T12:21:30Z",
        radiated_at="2026-12-01T12:21:31Z",
    )

    number: int
    what: str
    telecommand: int | None
    frame_sequence_number: int | None
    epoch: int
    state: str
    acceptance: str
    evidence: str
    intended_at: Instant
    radiated_at: Instant | None


class LinkSessionOut(Schema):
    """One connection to the station's return service."""

    model_config = example(
        id=1,
        antenna="KASHI-1",
        opened_at="2026-12-01T12:20:50Z",
        closed_at="2026-12-01T12:33:10Z",
        close_reason="loss of signal",
        frames_good=1452,
        frames_bad=0,
        frames_lost=3,
        packets=5120,
    )

    id: int
    antenna: str
    opened_at: Instant
    closed_at: Instant | None
    close_reason: str
    frames_good: int
    frames_bad: int
    frames_lost: int
    packets: int


@router.get("/contacts/{contact_id}/steps", response=Page[StepOut], summary="Steps of a pass")
def list_contact_steps(
    request: HttpRequest, contact_id: Number, asked: Query[PageQuery]
) -> Page[StepOut]:
    """Return how far the pass has come, and where an executor took over from another."""
    principal_of(request).require(Action.CONTACT_VIEW)
    rows = PassStep.objects.filter(contact=contact_in_path(contact_id))
    found, cursor = oldest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[StepOut.from_orm(row) for row in found], next=cursor)


@router.get(
    "/contacts/{contact_id}/radiated-items",
    response=Page[RadiatedItemOut],
    summary="Telecommand frames of a pass",
)
def list_radiated_items(
    request: HttpRequest, contact_id: Number, asked: Query[PageQuery]
) -> Page[RadiatedItemOut]:
    """Return what was meant to be sent, in that order, and what became of it."""
    contact = contact_in_path(contact_id)
    principal_of(request).require(Action.TELECOMMAND_VIEW, contact.spacecraft.organisation)
    rows = RadiationIntent.objects.filter(contact=contact)
    found, cursor = oldest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_item_out(row) for row in found], next=cursor)


@router.get(
    "/contacts/{contact_id}/transfers",
    response=Page[TransferOut],
    summary="File transfers of a pass",
)
def list_contact_transfers(
    request: HttpRequest, contact_id: Number, asked: Query[PageQuery]
) -> Page[TransferOut]:
    """Return your organisation's files that moved in the pass, or were under way in it."""
    principal = principal_of(request)
    principal.require(Action.JOB_VIEW)
    contact = contact_in_path(contact_id)
    rows = visible_transfers(principal, transfers_of(contact))
    if contact.state in _NOT_FLOWN:
        rows = rows.none()
    found, cursor = oldest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[transfer_out(row) for row in found], next=cursor)


@router.get(
    "/contacts/{contact_id}/link-sessions",
    response=Page[LinkSessionOut],
    summary="Return links of a pass",
)
def list_link_sessions(
    request: HttpRequest, contact_id: Number, asked: Query[PageQuery]
) -> Page[LinkSessionOut]:
    """Return the connections to the station's return service, and what came over each."""
    principal_of(request).require(Action.CONTACT_VIEW)
    rows = LinkSession.objects.filter(contact=contact_in_path(contact_id))
    found, cursor = oldest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[LinkSessionOut.from_orm(row) for row in found], next=cursor)


def _item_out(intent: RadiationIntent) -> RadiatedItemOut:
    return RadiatedItemOut(
        number=intent.number,
        what=intent.what,
        telecommand=intent.telecommand_id,
        frame_sequence_number=intent.frame_sequence_number,
        epoch=intent.epoch,
        state=intent.state,
        acceptance=intent.acceptance,
        evidence=intent.evidence,
        intended_at=intent.intended_at,
        radiated_at=intent.reported_at if intent.state == IntentState.RADIATED else None,
    )
