from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.pipelines.models import (
    Acceptance,
    FopState,
    IntentState,
    PassReport,
    PassStep,
    RadiationIntent,
    StepKind,
    StepState,
)
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.services import advance_contact
from uplink.commanding import services as commanding

_PROCESS = "process:pass-executor"


class LeaseLostError(RefusedError):
    """Another executor works on the contact; this one must stop and touch nothing."""


def _hold(contact_id: int, epoch: int) -> None:
    """Lock the contact's row and make sure that *epoch* still is the lease's."""
    held = Contact.objects.select_for_update().values_list("lease_epoch", flat=True)
    if held.get(pk=contact_id) != epoch:
        raise LeaseLostError(f"Contact {contact_id} is held under a later epoch than {epoch}.")


@transaction.atomic
def begin_step(*, contact_id: int, epoch: int, kind: StepKind, at: datetime) -> PassStep:
    """Write down that a step begins; one that a dead executor left open is closed.

    Raises:
        LeaseLostError: *epoch* is no longer the lease's.
    """
    _hold(contact_id, epoch)
    steps = PassStep.objects.filter(contact_id=contact_id)
    steps.filter(state=StepState.RUNNING).update(state=StepState.INTERRUPTED, ended_at=at)
    step = PassStep.objects.create(
        contact_id=contact_id,
        number=steps.count() + 1,
        kind=kind,
        state=StepState.RUNNING,
        epoch=epoch,
        started_at=at,
    )
    publish_after_commit({"type": "refresh", "part": "passes"})
    return step


@transaction.atomic
def end_step(*, step: PassStep, state: StepState, detail: str, at: datetime) -> None:
    """Write down how a step ended.

    Raises:
        LeaseLostError: the step's epoch is no longer the lease's.
    """
    _hold(step.contact_id, step.epoch)
    step.state, step.detail, step.ended_at = state, detail, at
    step.save(update_fields=["state", "detail", "ended_at"])
    publish_after_commit({"type": "refresh", "part": "passes"})


@transaction.atomic
def intend_telecommand(
    *,
    contact_id: int,
    epoch: int,
    number: int,
    telecommand_id: int,
    what: str,
    frame_sequence_number: int,
    virtual_channel_id: int,
    at: datetime,
    cut: Callable[[bytes], list[Any]],
) -> tuple[RadiationIntent, bytes] | None:
    """Release a telecommand and write down the intent to radiate its first frame.

    Both in one transaction: a released telecommand without an intent has not
    been sent, an intent tells an executor after a crash what to look for.

    Args:
        contact_id: The pass.
        epoch: Of the lease.
        number: Of the intent, unique in the contact.
        telecommand_id: What is released.
        what: Its name, for people.
        frame_sequence_number: N(S) that the first frame will have.
        virtual_channel_id: Of the command channel.
        at: Moment of the release.
        cut: Cuts the packet into what one frame carries each.

    Returns:
        The intent and the packet; None when the telecommand cannot go yet
        (its approval is not in a published checkpoint, or it went already).

    Raises:
        LeaseLostError: *epoch* is no longer the lease's.
    """
    _hold(contact_id, epoch)
    packet = commanding.release_telecommand(
        telecommand_id=telecommand_id, contact_id=contact_id, at=at
    )
    if packet is None:
        return None
    intent = _intend(
        contact_id=contact_id,
        epoch=epoch,
        number=number,
        telecommand_id=telecommand_id,
        what=what,
        frame_sequence_number=frame_sequence_number,
        is_last_frame=len(cut(packet)) == 1,
        virtual_channel_id=virtual_channel_id,
        at=at,
    )
    return intent, packet


@transaction.atomic
def intend_frame(
    *,
    contact_id: int,
    epoch: int,
    number: int,
    what: str,
    virtual_channel_id: int,
    at: datetime,
    telecommand_id: int | None = None,
    frame_sequence_number: int | None = None,
    is_last_frame: bool = True,
) -> RadiationIntent:
    """Write down the intent to radiate a further frame or a control command.

    Raises:
        LeaseLostError: *epoch* is no longer the lease's.
    """
    _hold(contact_id, epoch)
    return _intend(
        contact_id=contact_id,
        epoch=epoch,
        number=number,
        what=what,
        virtual_channel_id=virtual_channel_id,
        at=at,
        telecommand_id=telecommand_id,
        frame_sequence_number=frame_sequence_number,
        is_last_frame=is_last_frame,
    )


def _intend(
    *,
    contact_id: int,
    epoch: int,
    number: int,
    what: str,
    virtual_channel_id: int,
    at: datetime,
    telecommand_id: int | None,
    frame_sequence_number: int | None,
    is_last_frame: bool,
) -> RadiationIntent:
    intent = RadiationIntent.objects.create(
        contact_id=contact_id,
        epoch=epoch,
        number=number,
        what=what,
        telecommand_id=telecommand_id,
        frame_sequence_number=frame_sequence_number,
        is_last_frame=is_last_frame,
        intended_at=at,
    )
    if frame_sequence_number is not None:
        spacecraft = Spacecraft.objects.get(contacts=contact_id)
        _save_fop_state(spacecraft, virtual_channel_id, (frame_sequence_number + 1) % 256, at)
    return intent


@transaction.atomic
def save_fop_state(
    *, spacecraft: Spacecraft, virtual_channel_id: int, next_number: int, at: datetime
) -> None:
    """Keep V(S) of a command channel between passes."""
    _save_fop_state(spacecraft, virtual_channel_id, next_number, at)


def _save_fop_state(
    spacecraft: Spacecraft, virtual_channel_id: int, next_number: int, at: datetime
) -> None:
    FopState.objects.update_or_create(
        spacecraft=spacecraft,
        virtual_channel_id=virtual_channel_id,
        defaults={"state": {"next_number": next_number}, "saved_at": at},
    )


def note_radiation(*, intent_id: int, state: IntentState, reason: str, at: datetime) -> None:
    """Keep the station's report on a frame; of several, that it was radiated wins."""
    intents = RadiationIntent.objects.filter(pk=intent_id)
    if state != IntentState.RADIATED:
        intents = intents.exclude(state=IntentState.RADIATED)
    intents.update(state=state, reported_at=at, evidence=reason[:200])


@transaction.atomic
def settle_acceptance(
    *,
    intent_id: int,
    epoch: int,
    contact_id: int,
    acceptance: Acceptance,
    evidence: str,
    at: datetime,
) -> None:
    """Write down whether FARM-1 accepted a frame, and what follows for its telecommand.

    With its last frame accepted a telecommand is radiated; with a frame proven
    not accepted it goes back to those that wait. Where nothing is proven it
    stays released, for a person to look at.

    Args:
        intent_id: The frame; settling it twice changes nothing.
        epoch: Of the lease that the caller holds.
        contact_id: Of the pass that the caller executes (the frame may be older).
        acceptance: What is known now.
        evidence: By what.
        at: Moment.

    Raises:
        LeaseLostError: *epoch* is no longer the lease's.
    """
    _hold(contact_id, epoch)
    settled = RadiationIntent.objects.filter(pk=intent_id, acceptance=Acceptance.OPEN).update(
        acceptance=acceptance, evidence=evidence[:200], resolved_at=at
    )
    if settled != 1:
        return
    intent = RadiationIntent.objects.get(pk=intent_id)
    if intent.telecommand_id is None or not intent.is_last_frame:
        return
    if acceptance == Acceptance.ACCEPTED:
        # It left the antenna when the station said so, which the proof follows.
        radiated_at = intent.reported_at if intent.state == IntentState.RADIATED else None
        commanding.record_radiated(telecommand_id=intent.telecommand_id, at=radiated_at or at)
    elif acceptance == Acceptance.NOT_ACCEPTED:
        commanding.record_not_radiated(
            telecommand_id=intent.telecommand_id, reason=evidence, at=at
        )


@transaction.atomic
def requeue_unsent(*, contact_id: int, epoch: int, telecommand_id: int, at: datetime) -> None:
    """Put a telecommand back that was released and has no frame that went out.

    Raises:
        LeaseLostError: *epoch* is no longer the lease's.
    """
    _hold(contact_id, epoch)
    commanding.record_not_radiated(
        telecommand_id=telecommand_id,
        reason="released, and the executor ended before its last frame was sent",
        at=at,
    )


@transaction.atomic
def finish_pass(
    *,
    contact_id: int,
    epoch: int,
    to: Contact.State,
    report: dict[str, Any],
    failure: str,
    at: datetime,
) -> PassReport:
    """Store the report of a pass and close its contact.

    Args:
        contact_id: The pass.
        epoch: Of the lease.
        to: COMPLETED or FAILED.
        report: JSON-able (see ``executor/report.py``).
        failure: Why, where it failed.
        at: Moment.

    Raises:
        LeaseLostError: *epoch* is no longer the lease's.
    """
    _hold(contact_id, epoch)
    stored, _ = PassReport.objects.update_or_create(
        contact_id=contact_id, defaults={"report": report, "created_at": at}
    )
    append_entry(
        action="pass.report",
        subject=f"contact:{contact_id}",
        actor=_PROCESS,
        at=at,
        details={
            "state": to.value,
            "failure": failure,
            "telecommand_frames": len(report["telecommands"]),
            "file_cltus": report["uplink"]["file_cltus"],
        },
    )
    advance_contact(contact_id=contact_id, epoch=epoch, to=to, at=at, failure=failure)
    return stored
