from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction

from missioncontrol.audit import selectors as audit_selectors
from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.telecommands import TelecommandDefinition
from uplink.commanding.models import SEQUENCE_COUNT_MODULUS, PacketSequenceCounter, Telecommand
from uplink.commanding.packets import encode_telecommand, request_id
from uplink.commanding.services.changes import advance, note

_ACTOR = "process:pass-executor"
_STATE = Telecommand.State


@transaction.atomic
def release_telecommand(*, telecommand_id: int, contact_id: int, at: datetime) -> bytes | None:
    """Hand an approved telecommand to the link, once.

    Nothing is sent that the consortium cannot read about: the approval must
    stand in a published checkpoint. Of two releases at once one gets the packet.

    Args:
        telecommand_id: Primary key.
        contact_id: The contact that it is sent in.
        at: Moment of the release, UTC.

    Returns:
        The telecommand packet, or None: not APPROVED (any more), or the
        approval is not published yet; then nothing was changed.

    Raises:
        Telecommand.DoesNotExist: no such telecommand.
    """
    telecommand = Telecommand.objects.select_related("spacecraft__organisation").get(
        pk=telecommand_id
    )
    if telecommand.state != _STATE.APPROVED or telecommand.approval_entry_id is None:
        return None
    if not audit_selectors.is_published(telecommand.approval_entry_id):
        return None
    packet = _next_packet(telecommand)
    advanced = advance(
        telecommand,
        states=[_STATE.APPROVED],
        kind=_STATE.RELEASED,
        at=at,
        detail=f"for contact {contact_id}",
        state=_STATE.RELEASED,
        released_at=at,
        radiated_at=None,
        contact_id=contact_id,
        packet=packet,
        request_id=request_id(packet),
    )
    if not advanced:
        return None  # the count that was taken stays unused: counts are never given back
    _log(
        "telecommand.release",
        telecommand,
        at,
        details={"contact": contact_id, "request_id": request_id(packet)},
        # Who knows the dictionary could find the arguments by trying out their digests.
        private={"packet_sha256": hashlib.sha256(packet).hexdigest()},
    )
    return packet


@transaction.atomic
def record_radiated(*, telecommand_id: int, at: datetime) -> bool:
    """Note that the station has radiated the telecommand.

    The spacecraft's report may have been faster: then only the time is noted.

    Returns:
        False when the radiation is known already, or nothing was released.

    Raises:
        Telecommand.DoesNotExist: no such telecommand.
    """
    telecommand = (
        Telecommand.objects.select_for_update(of=("self",))
        .select_related("spacecraft__organisation")
        .get(pk=telecommand_id)
    )
    if telecommand.released_at is None or telecommand.radiated_at is not None:
        return False
    if not advance(
        telecommand,
        states=[_STATE.RELEASED],
        kind=_STATE.RADIATED,
        at=at,
        state=_STATE.RADIATED,
        radiated_at=at,
    ):
        Telecommand.objects.filter(pk=telecommand.pk).update(radiated_at=at)
        note(telecommand, kind=_STATE.RADIATED, at=at)
    details = {"contact": telecommand.contact_id, "state": telecommand.state}
    _log("telecommand.radiate", telecommand, at, details=details)
    return True


@transaction.atomic
def record_not_radiated(*, telecommand_id: int, reason: str, at: datetime) -> bool:
    """Note that a released telecommand certainly did not leave the antenna.

    It is APPROVED again and goes with the next contact, in a packet with a new
    count. Where radiation is only doubtful, call nothing: the window decides.

    Returns:
        False when the telecommand is not RELEASED (any more); nothing was changed.

    Raises:
        Telecommand.DoesNotExist: no such telecommand.
    """
    telecommand = Telecommand.objects.select_related("spacecraft__organisation").get(
        pk=telecommand_id
    )
    advanced = advance(
        telecommand,
        states=[_STATE.RELEASED],
        kind="NOT_RADIATED",
        at=at,
        detail=reason[:300],
        state=_STATE.APPROVED,
        contact_id=None,
        packet=None,
        request_id=None,
        released_at=None,
    )
    if advanced:
        _log("telecommand.not_radiated", telecommand, at, details={"reason": reason})
    return advanced


@transaction.atomic
def reserve_sequence_counts(*, spacecraft: Spacecraft, apid: int, count: int = 1) -> int:
    """Take *count* packet sequence counts of one APID and return the first.

    They run on modulo 16,384 and are never given out again before that.

    Raises:
        ValueError: *count* is not 1 to 16384.
    """
    if not 1 <= count <= SEQUENCE_COUNT_MODULUS:
        raise ValueError(
            f"{count} sequence counts asked for; 1 to {SEQUENCE_COUNT_MODULUS} can be"
        )
    counter, _ = PacketSequenceCounter.objects.select_for_update().get_or_create(
        spacecraft=spacecraft, apid=apid
    )
    first = counter.next_count
    counter.next_count = (first + count) % SEQUENCE_COUNT_MODULUS
    counter.save(update_fields=["next_count"])
    return first


def _next_packet(telecommand: Telecommand) -> bytes:
    """Encode by the definition that was approved, not by one loaded since."""
    definition = TelecommandDefinition.model_validate(telecommand.definition)
    count = reserve_sequence_counts(spacecraft=telecommand.spacecraft, apid=definition.apid)
    return encode_telecommand(definition, telecommand.arguments, sequence_count=count)


def _log(
    action: str,
    telecommand: Telecommand,
    at: datetime,
    *,
    details: dict[str, Any],
    private: dict[str, Any] | None = None,
) -> None:
    append_entry(
        action=action,
        subject=f"telecommand:{telecommand.pk}",
        actor=_ACTOR,
        at=at,
        organisation=telecommand.spacecraft.organisation.slug,
        details=details,
        private=private,
    )
