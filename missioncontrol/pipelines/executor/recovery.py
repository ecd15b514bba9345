"""Deciding what became of frames that were sent before a crash, an alert or LOS."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from missioncontrol.pipelines import selectors, services
from missioncontrol.pipelines.evidence import Fate, OpenFrame, judge
from missioncontrol.pipelines.executor.station import StationService
from missioncontrol.pipelines.executor.surroundings import PassSubject
from missioncontrol.pipelines.models import Acceptance, IntentState, RadiationIntent
from missioncontrol.scheduling.models import Contact
from uplink.commanding.models import Telecommand
from uplink.links.items import ItemKind, decode_item

_ACCEPTANCES: Final = {
    Fate.ACCEPTED: Acceptance.ACCEPTED,
    Fate.NOT_ACCEPTED: Acceptance.NOT_ACCEPTED,
    Fate.UNKNOWN: Acceptance.UNKNOWN,
}

logger = logging.getLogger(__name__)


def settle_open_frames(
    *,
    subject: PassSubject,
    station: StationService,
    report_value: int,
    at: datetime,
) -> None:
    """Settle every open AD frame of the spacecraft by the evidence, and put back what did not go.

    Args:
        subject: The pass under way; the frames may be of an earlier one.
        station: Has the forward service, so that the station refuses what an
            executor before us may still have on its way.
        report_value: N(R) of a CLCW made since.
        at: Mission time.
    """
    intents = selectors.open_intents(subject.spacecraft)
    if intents:
        _settle(subject, station, intents, report_value, at)
    for telecommand in selectors.released_without_frame(subject.spacecraft):
        services.requeue_unsent(
            contact_id=subject.contact.pk,
            epoch=subject.epoch,
            telecommand_id=telecommand.pk,
            at=at,
        )


def _settle(
    subject: PassSubject,
    station: StationService,
    intents: list[RadiationIntent],
    report_value: int,
    at: datetime,
) -> None:
    in_journal = _consult_journals(station, intents, at)
    frames = [
        OpenFrame(
            number=_number(intent),
            in_journal=in_journal.get(intent.pk),
            reported_on_board=_is_reported(intent.telecommand),
        )
        for intent in intents
    ]
    verdicts = judge(frames, report_value=report_value)
    for intent, verdict in zip(intents, verdicts, strict=True):
        logger.info("%s: %s (%s)", intent, verdict.fate.name, verdict.evidence)
        services.settle_acceptance(
            intent_id=intent.pk,
            epoch=subject.epoch,
            contact_id=subject.contact.pk,
            acceptance=_ACCEPTANCES[verdict.fate],
            evidence=verdict.evidence,
            at=at,
        )


def _consult_journals(
    station: StationService, intents: list[RadiationIntent], at: datetime
) -> dict[int, bool]:
    """Ask the stations what they radiated; keep it; return it by intent."""
    found: dict[int, bool] = {}
    unknown = [
        intent for intent in intents if intent.state in (IntentState.INTENDED, IntentState.UNKNOWN)
    ]
    contacts: dict[int, Contact] = {intent.contact_id: intent.contact for intent in unknown}
    for contact in contacts.values():
        items = station.journal(contact)
        mine = [intent for intent in unknown if intent.contact_id == contact.pk]
        if items is None:
            _note(mine, IntentState.UNKNOWN, "no journal to be had", at)
            continue
        radiated = _radiated_numbers(items)
        for intent in mine:
            found[intent.pk] = intent.number in radiated
            state = IntentState.RADIATED if found[intent.pk] else IntentState.NOT_RADIATED
            _note([intent], state, "journal of the station", at)
    return found


def _note(intents: list[RadiationIntent], state: IntentState, reason: str, at: datetime) -> None:
    for intent in intents:
        services.note_radiation(intent_id=intent.pk, state=state, reason=reason, at=at)


def _radiated_numbers(items: frozenset[int]) -> set[int]:
    decoded = [decode_item(value) for value in items]
    return {
        item.number for item in decoded if item is not None and item.kind is ItemKind.TELECOMMAND
    }


def _number(intent: RadiationIntent) -> int:
    if intent.frame_sequence_number is None:
        raise AssertionError(f"{intent} carries no sequence number; it cannot be open")
    return intent.frame_sequence_number


def _is_reported(telecommand: Telecommand | None) -> bool:
    """Whether the spacecraft has spoken of the telecommand at all."""
    return telecommand is not None and (
        telecommand.accepted_at is not None
        or telecommand.started_at is not None
        or telecommand.completed_at is not None
        or telecommand.state == Telecommand.State.FAILED
    )
