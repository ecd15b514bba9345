"""The CFDP entity of one spacecraft at work: rows, files and packets around it.

It keeps to the order that makes a transfer survive a kill at any moment:
segments are on the disk, then snapshots, outcomes and the reading place commit
together, and only then are PDUs pulled that tell the spacecraft of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import LinkProfile
from telemetry import selectors as telemetry
from telemetry.ccsds.space_packet import (
    SEQUENCE_COUNT_MODULUS,
    TELECOMMAND,
    PacketError,
    SpacePacket,
    decode_space_packet,
)
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import encode_pdu
from uplink.cfdp.codes import ConditionCode, DeliveryCode, TransactionId
from uplink.cfdp.destination import DestinationTransaction
from uplink.cfdp.effects import (
    Effect,
    FileComplete,
    FileDiscarded,
    MetadataReceived,
    TransactionAbandoned,
    TransactionFinished,
    TransactionForgotten,
    VerifyChecksum,
    WriteSegment,
)
from uplink.cfdp.entity import CfdpEntity
from uplink.cfdp.request import PutRequest
from uplink.cfdp.source import SourceTransaction
from uplink.transfers import services, storage
from uplink.transfers.models import DownlinkCursor, Transfer
from uplink.transfers.profile import ground_profile

_ACTOR: Final = "process:transfers"
_PACKETS_AT_ONCE: Final = 2000
# New files and progress: a row read and written once in a while, not for every PDU.
_LOOK_EVERY: Final = timedelta(seconds=5)  # of mission time
_STATE = Transfer.State


class TransferRuntime:
    """Runs the transfers of one spacecraft while a contact is on.

    One at a time for each spacecraft: whoever holds the contact's lease.
    Making one resumes all transfers from their rows; times are mission time.
    """

    def __init__(self, spacecraft: Spacecraft, at: datetime) -> None:
        self._spacecraft = spacecraft
        self._link = LinkProfile.model_validate_json(json.dumps(spacecraft.link_profile))
        self._profile = ground_profile(spacecraft)
        self._packet_count = 0
        rows = Transfer.objects.filter(spacecraft=spacecraft).exclude(entity_state={})
        self._rows = {_id_of(row): row for row in rows.order_by("pk")}
        self._entity = CfdpEntity.restore(
            [row.entity_state for row in self._rows.values()], profile=self._profile, at=at
        )
        self._stored: dict[TransactionId, str] = {}  # snapshots as they are in the rows
        self._looked_at = at - 2 * _LOOK_EVERY
        self._set_state(_STATE.SUSPENDED, _STATE.ACTIVE)

    @property
    def has_work(self) -> bool:
        """Whether a pull would give packets."""
        return self._entity.has_pdus

    def next_deadline(self) -> datetime | None:
        """When a timer of the protocol runs out; None while nothing is awaited."""
        return self._entity.next_deadline()

    def next_packets(self, at: datetime, max_octets: int) -> list[bytes]:
        """Return the packets to send now: answers first, then files, repeats included.

        Args:
            at: Mission time.
            max_octets: Room on the link; one PDU may exceed it, so that a
                small room never stops a file.
        """
        self._look(at)
        effects = self._entity.on_time(at)
        if effects:
            self._commit(self._apply(effects, at), at)
        pdus = self._entity.next_pdus(
            self._read,
            at=at,
            max_octets=max(max_octets, self._profile.largest_pdu_octets),
            max_count=max(1, max_octets // self._profile.segment_octets),
        )
        return [self._packet(encode_pdu(pdu)) for pdu in pdus]

    def receive(self, at: datetime) -> int:
        """Take the file packets that telemetry has logged since the last call.

        Returns:
            How many packets were taken.
        """
        cursor, _ = DownlinkCursor.objects.get_or_create(spacecraft=self._spacecraft)
        page = telemetry.packets_since(
            self._spacecraft,
            cursor.position,
            apids={self._link.apids.files_down},
            limit=_PACKETS_AT_ONCE,
        )
        if not page.packets:
            return 0
        effects: list[Effect] = []
        for packet in page.packets:
            pdu = self._pdu_in(packet.octets)
            if pdu is not None:
                effects += self._entity.receive(pdu, at)
        self._commit(self._apply(effects, at), at, cursor=page.cursor)
        return len(page.packets)

    def suspend(self, at: datetime) -> None:
        """The link is gone: freeze all timers; the next contact goes on from here."""
        self._entity.suspend(at)
        self._commit([], at)
        self._set_state(_STATE.ACTIVE, _STATE.SUSPENDED)

    # What is new, and what has come forward

    def _look(self, at: datetime) -> None:
        if at - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = at
        waiting = Transfer.objects.filter(
            spacecraft=self._spacecraft,
            direction=Transfer.Direction.UP,
            state=_STATE.WAITING,
        )
        for row in waiting.order_by("pk"):
            self._begin(row, at)
        self._commit([], at)

    def _begin(self, row: Transfer, at: datetime) -> None:
        taken = Transfer.objects.filter(pk=row.pk, state=_STATE.WAITING)
        if taken.update(state=_STATE.ACTIVE) != 1:
            return  # cancelled in this moment
        row.state = _STATE.ACTIVE
        source = self._entity.put(
            PutRequest(
                source_file_name=row.file_name,
                destination_file_name=row.file_name,
                size_octets=row.size_octets or 0,
            ),
            sequence_number=row.sequence_number,
            at=at,
        )
        self._rows[source.transaction_id] = row

    # Effects

    def _apply(self, effects: Iterable[Effect], at: datetime) -> list[Effect]:
        """Write what came, answer checksums, and return the effects that change rows."""
        pending = list(effects)
        outcomes: list[Effect] = []
        segments: dict[TransactionId, list[tuple[int, bytes]]] = {}
        while pending:
            effect = pending.pop(0)
            if isinstance(effect, WriteSegment):
                segments.setdefault(effect.transaction_id, []).append((effect.offset, effect.data))
            elif isinstance(effect, VerifyChecksum):
                self._write(segments)
                pending = self._verify(effect, at) + pending
            else:
                outcomes.append(effect)
        self._write(segments)
        return outcomes

    def _write(self, segments: dict[TransactionId, list[tuple[int, bytes]]]) -> None:
        for transaction_id, parts in segments.items():
            storage.write_segments(self._down_name(transaction_id), parts)
        segments.clear()

    def _verify(self, effect: VerifyChecksum, at: datetime) -> list[Effect]:
        name = self._down_name(effect.transaction_id)
        if effect.size_octets == 0:
            storage.write_segments(name, [])
        checksum = file_checksum(
            effect.checksum_type,
            lambda offset, length: storage.read(name, offset, length),
            effect.size_octets,
        )
        return self._entity.checksum_computed(effect.transaction_id, checksum, at)

    # Rows

    @transaction.atomic
    def _commit(self, outcomes: list[Effect], at: datetime, *, cursor: int | None = None) -> None:
        """Store snapshots, outcomes and the reading place, all or nothing."""
        for one in self._entity.transactions:
            self._store(one, at)
        for outcome in outcomes:
            self._record(outcome, at)
        if cursor is not None:
            DownlinkCursor.objects.filter(spacecraft=self._spacecraft).update(position=cursor)

    def _store(self, one: SourceTransaction | DestinationTransaction, at: datetime) -> None:
        snapshot = one.snapshot(at)
        text = json.dumps(snapshot, sort_keys=True)
        if self._stored.get(one.transaction_id) == text:
            return
        row = self._rows.get(one.transaction_id) or self._new_row(one, at)
        row.entity_state = snapshot
        if row.state in {_STATE.ACTIVE, _STATE.SUSPENDED}:
            row.progress_octets = one.progress_octets
        row.save(update_fields=["entity_state", "progress_octets"])
        self._stored[one.transaction_id] = text

    def _new_row(self, one: SourceTransaction | DestinationTransaction, at: datetime) -> Transfer:
        row = Transfer.objects.create(
            spacecraft=self._spacecraft,
            direction=Transfer.Direction.DOWN,
            source_entity=one.transaction_id.source_entity_id,
            sequence_number=one.transaction_id.sequence_number,
            state=_STATE.ACTIVE,
            stored_name=self._down_name(one.transaction_id),
            created_at=at,
        )
        self._rows[one.transaction_id] = row
        return row

    def _record(self, effect: Effect, at: datetime) -> None:
        if effect.transaction_id is None or effect.transaction_id not in self._rows:
            return
        row = self._rows[effect.transaction_id]
        match effect:
            case MetadataReceived():
                row.file_name = effect.metadata.destination_file_name
                row.size_octets = effect.metadata.size_octets
                row.save(update_fields=["file_name", "size_octets"])
            case FileComplete():
                row.sha256 = storage.sha256_of(row.stored_name)
                row.size_octets = effect.size_octets
                row.save(update_fields=["sha256", "size_octets"])
                services.end(row, _STATE.COMPLETED, condition="", actor=_ACTOR, at=at)
            case FileDiscarded():
                storage.remove(row.stored_name)
                self._fail(row, effect.condition, at)
            case TransactionAbandoned():
                self._fail(row, effect.condition, at)
            case TransactionFinished():
                self._finish(row, effect, at)
            case TransactionForgotten():
                row.entity_state = {}
                row.save(update_fields=["entity_state"])
                del self._rows[effect.transaction_id]
                self._stored.pop(effect.transaction_id, None)

    def _finish(self, row: Transfer, effect: TransactionFinished, at: datetime) -> None:
        whole = effect.delivery_code is DeliveryCode.COMPLETE
        if whole and effect.condition is ConditionCode.NO_ERROR:
            services.end(row, _STATE.COMPLETED, condition="", actor=_ACTOR, at=at)
        else:
            self._fail(row, effect.condition, at)

    def _fail(self, row: Transfer, condition: ConditionCode, at: datetime) -> None:
        words = condition.name.lower().replace("_", " ")
        services.end(row, _STATE.FAILED, condition=words, actor=_ACTOR, at=at)

    def _set_state(self, was: Transfer.State, now: Transfer.State) -> None:
        Transfer.objects.filter(spacecraft=self._spacecraft, state=was).update(state=now)
        for row in self._rows.values():
            if row.state == was:
                row.state = now

    # Octets

    def _read(self, transaction_id: TransactionId, offset: int, length: int) -> bytes:
        return storage.read(self._rows[transaction_id].stored_name, offset, length)

    def _down_name(self, transaction_id: TransactionId) -> str:
        entity, number = transaction_id.source_entity_id, transaction_id.sequence_number
        return f"down/{self._spacecraft.pk}-{entity}-{number}"

    def _packet(self, pdu: bytes) -> bytes:
        packet = SpacePacket(
            packet_type=TELECOMMAND,
            apid=self._link.apids.files_up,
            sequence_count=self._packet_count,
            data=pdu,
        )
        self._packet_count = (self._packet_count + 1) % SEQUENCE_COUNT_MODULUS
        return packet.encode()

    def _pdu_in(self, octets: bytes) -> bytes | None:
        """Return the PDU of a file packet; its time, where it carries one, stands before it."""
        try:
            packet = decode_space_packet(octets)
        except PacketError:
            return None  # it is kept in the packet log like every other
        if not packet.has_secondary_header:
            return packet.data
        time = self._link.packet_time
        return packet.data[time.coarse_octets + time.fine_octets :]


def _id_of(row: Transfer) -> TransactionId:
    return TransactionId(row.source_entity, row.sequence_number)
