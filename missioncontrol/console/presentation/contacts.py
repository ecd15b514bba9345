from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import Viewer
from missioncontrol.console.presentation import geometry
from missioncontrol.console.presentation.steps import Step, current, done, failed, todo
from missioncontrol.pipelines import selectors as pipelines
from missioncontrol.pipelines.models import (
    Acceptance,
    IntentState,
    PassStep,
    RadiationIntent,
    StepKind,
    StepState,
)
from missioncontrol.scheduling.models import IN_PROGRESS, Contact
from telemetry import selectors as telemetry
from telemetry.selectors import FrameCounts

# A booked pass whose AOS has moved by more than this is marked; less is the
# noise of one set of elements against the next.
DRIFT_SHOWN_S: Final = 5.0

_FLOWN: Final = {*IN_PROGRESS, Contact.State.COMPLETED, Contact.State.FAILED}
_STEP_NAMES: Final = {
    StepKind.PREPASS: "pre-pass",
    StepKind.ACQUIRE: "acquire",
    StepKind.COP1: "command link",
    StepKind.SERVE: "service",
    StepKind.LOS: "LOS",
    StepKind.POSTPASS: "post-pass",
    StepKind.REPORT: "report",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """A contact as a list shows it; counts are None while it has not flown."""

    pk: int
    spacecraft: str
    station: str
    state: str
    drifted: bool
    aos: datetime
    los: datetime
    duration: timedelta
    max_elevation_deg: float
    frames_received: int | None
    frames_lost: int | None
    frames_bad: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """A file on its way; ``direction`` is up or down."""

    pk: int
    name: str
    direction: str
    octets: int
    total_octets: int | None
    percent: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPanel:
    """The contact under way or to come, with what is measured in it.

    What is commanded and transferred is there only for who may see the
    spacecraft's telecommands.
    """

    pk: int
    spacecraft: str
    station: str
    state: str
    drifted: bool
    drift_s: float
    aos: datetime
    los: datetime
    duration: timedelta
    max_elevation_deg: float
    under_way: bool
    over: bool
    steps: list[Step]
    elevation_deg: float | None
    azimuth_deg: float | None
    range_km: float | None
    frames_received: int
    frames_lost: int
    frames_bad: int
    shows_commanding: bool
    frames_accepted: int
    frames_meant: int
    profile: str
    transfers: list[TransferRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiatedItem:
    """One telecommand frame as it was meant, sent and judged."""

    sequence: int
    name: str
    kind: str
    state: str
    acceptance: str
    intended_at: datetime
    radiated_at: datetime | None
    evidence: str
    telecommand: int | None


def contact_rows(contacts: Collection[Contact]) -> list[ContactRow]:
    """Return contacts for a table, with the frames of those that have flown."""
    flown = [contact.pk for contact in contacts if contact.state in _FLOWN]
    counts = telemetry.frame_counts(flown)
    return [_row(contact, counts.get(contact.pk)) for contact in contacts]


def _row(contact: Contact, counts: FrameCounts | None) -> ContactRow:
    return ContactRow(
        pk=contact.pk,
        spacecraft=contact.spacecraft.name,
        station=contact.antenna.station.name,
        state=contact.state,
        drifted=is_drifted(contact),
        aos=contact.aos,
        los=contact.los,
        duration=contact.los - contact.aos,
        max_elevation_deg=contact.max_elevation_deg,
        frames_received=counts.frames_good if counts is not None else None,
        frames_lost=counts.frames_lost if counts is not None else None,
        frames_bad=counts.frames_bad if counts is not None else None,
    )


def is_drifted(contact: Contact) -> bool:
    """Tell whether the orbit as known now moves this pass noticeably."""
    return abs(contact.drift_s) > DRIFT_SHOWN_S


def contact_panel(contact: Contact, viewer: Viewer, *, at: datetime) -> ContactPanel:
    """Return everything that the pass panel shows *viewer* at *at*.

    Look angles are the predicted ones, and only while the spacecraft is up; the
    live messages then bring the station's own.
    """
    counts = telemetry.frame_counts([contact.pk])[contact.pk]
    may_see = sees_commanding(viewer, contact)
    intents = [
        intent
        for intent in (pipelines.radiation_intents(contact) if may_see else [])
        if intent.frame_sequence_number is not None
    ]
    up = contact.aos <= at <= contact.los and contact.state in IN_PROGRESS
    angle = geometry.look_angle(contact.spacecraft, contact.antenna.station, at) if up else None
    return ContactPanel(
        pk=contact.pk,
        spacecraft=contact.spacecraft.name,
        station=contact.antenna.station.name,
        state=contact.state,
        drifted=is_drifted(contact),
        drift_s=contact.drift_s,
        aos=contact.aos,
        los=contact.los,
        duration=contact.los - contact.aos,
        max_elevation_deg=contact.max_elevation_deg,
        under_way=contact.state in IN_PROGRESS,
        over=contact.state not in {*IN_PROGRESS, Contact.State.SCHEDULED},
        steps=pass_progress(pipelines.pass_steps(contact)),
        elevation_deg=angle.elevation_deg if angle is not None else None,
        azimuth_deg=angle.azimuth_deg if angle is not None else None,
        range_km=angle.range_m / 1000 if angle is not None else None,
        frames_received=counts.frames_good,
        frames_lost=counts.frames_lost,
        frames_bad=counts.frames_bad,
        shows_commanding=may_see,
        frames_accepted=sum(intent.acceptance == Acceptance.ACCEPTED for intent in intents),
        frames_meant=len(intents),
        profile=geometry.elevation_profile(contact),
        transfers=transfers_of(contact) if may_see else [],
    )


def sees_commanding(viewer: Viewer, contact: Contact) -> bool:
    """Return whether *viewer* may see what a pass commands and transfers."""
    return viewer.may(Action.TELECOMMAND_VIEW, contact.spacecraft.organisation)


def pass_progress(rows: Iterable[PassStep]) -> list[Step]:
    """Return the steps of a pass in their order, as far as it has come.

    A step that an executor's death interrupted was begun again by the next
    one: the newest row of each kind counts.
    """
    newest = {row.kind: row for row in rows}
    return [_step(kind, newest.get(kind.value)) for kind in StepKind]


def _step(kind: StepKind, row: PassStep | None) -> Step:
    name = _STEP_NAMES[kind]
    if row is None:
        return todo(name)
    if row.state == StepState.RUNNING:
        return current(name, row.started_at)
    if row.state == StepState.DONE:
        return done(name, row.started_at)
    return failed(name, row.started_at)


def transfers_of(contact: Contact) -> list[TransferRow]:
    """Return the files that moved in a pass, or move now; none before it begins."""
    if contact.state not in _FLOWN:
        return []
    return [transfer_row(transfer) for transfer in pipelines.transfers_of_pass(contact)]


def transfer_row(transfer: dict[str, Any]) -> TransferRow:
    """Return one transfer as ``pipelines.selectors`` describes it."""
    total, octets = transfer["size_octets"], transfer["progress_octets"]
    return TransferRow(
        pk=transfer["id"],
        name=transfer["file_name"] or "(name not known yet)",
        direction=transfer["direction"].lower(),
        octets=octets,
        total_octets=total,
        percent=percent_of(octets, total),
        state=transfer["state"],
    )


def percent_of(part: int, whole: int | None) -> int:
    """Return how much of *whole* is done, 0 to 100; 0 while it is not known."""
    return min(100, 100 * part // whole) if whole else 0


def radiated_items(contact: Contact) -> list[RadiatedItem]:
    """Return the telecommand frames of a pass, in their order."""
    return [_item(intent) for intent in pipelines.radiation_intents(contact)]


def _item(intent: RadiationIntent) -> RadiatedItem:
    is_control = intent.frame_sequence_number is None
    return RadiatedItem(
        sequence=intent.number,
        name=intent.what,
        kind="control (BC)" if is_control else f"telecommand, N(S) {intent.frame_sequence_number}",
        state=intent.state,
        acceptance="" if is_control else intent.get_acceptance_display(),
        intended_at=intent.intended_at,
        radiated_at=intent.reported_at if intent.state == IntentState.RADIATED else None,
        evidence=intent.evidence,
        telecommand=intent.telecommand_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One connection to the station's return service."""

    antenna: str
    opened_at: datetime
    closed_at: datetime | None
    reason: str
    received: int
    lost: int
    bad: int
    packets: int


def session_rows(contact: Contact) -> list[SessionRow]:
    """Return the return link sessions of a pass."""
    return [
        SessionRow(
            antenna=session.antenna,
            opened_at=session.opened_at,
            closed_at=session.closed_at,
            reason=session.close_reason,
            received=session.frames_good,
            lost=session.frames_lost,
            bad=session.frames_bad,
            packets=session.packets,
        )
        for session in pipelines.link_sessions(contact)
    ]
