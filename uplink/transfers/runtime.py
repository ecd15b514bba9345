"""The CFDP entity of one spacecraft at work: rows, files and packets around it.

It keeps to the order that makes a transfer survive a kill at any moment:
segments are on the disk, then snapshots, outcomes and the reading place commit
together, and only then are PDUs pulled that tell the spacecraft of it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from missioncontrol.fleet.models import Spacecraft
from telemetry import selectors as telemetry
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import decode_pdu, encode_pdu
from uplink.cfdp.codes import ConditionCode, Direction, TransactionId
from uplink.cfdp.effects import Effect, VerifyChecksum, WriteSegment
from uplink.cfdp.errors import FileReadError, PduError
from uplink.cfdp.pdu import Pdu
from uplink.cfdp.request import PutRequest
from uplink.transfers import storage
from uplink.transfers.models import Transfer
from uplink.transfers.packets import FilePackets
from uplink.transfers.profile import ground_profile
from uplink.transfers.rows import TransferRows

_PACKETS_AT_ONCE: Final = 2000
# New files and progress: a row read and written once in a while, not for every PDU.
_LOOK_EVERY: Final = timedelta(seconds=5)  # of mission time
_STATE = Transfer.State

logger = logging.getLogger(__name__)


class TransferRuntime:
    """Runs the transfers of one spacecraft while a contact is on.

    One at a time for each spacecraft: whoever holds the contact's lease.
    Making one resumes all transfers from their rows; times are mission time.
    After a call that raised, the next one goes on from the rows, as after a kill.
    """

    def __init__(self, spacecraft: Spacecraft, at: datetime) -> None:
        self._spacecraft = spacecraft
        self._profile = ground_profile(spacecraft)
        self._packets = FilePackets(spacecraft)
        self._unreadable: set[TransactionId] = set()
        self._is_broken = False
        self._restore(at, suspended=False)

    @property
    def has_work(self) -> bool:
        """Whether a pull would give packets, new files left aside."""
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
        with self._from_rows_after_failure(at):
            self._look(at)
            effects = self._entity.on_time(at)
            if effects:
                self._commit(effects, at)
            return [self._packets.wrap(encode_pdu(pdu)) for pdu in self._pull(at, max_octets)]

    def receive(self, at: datetime) -> int:
        """Take the file packets that telemetry has logged since the last call.

        Returns:
            How many packets were taken.
        """
        with self._from_rows_after_failure(at):
            page = telemetry.packets_since(
                self._spacecraft,
                self._rows.position,
                apids={self._packets.apid_down},
                limit=_PACKETS_AT_ONCE,
            )
            # Past what was no file packet too; it is stored with what the page brought.
            self._rows.position = page.cursor
            if not page.packets:
                return 0
            effects: list[Effect] = []
            for packet in page.packets:
                effects += self._take(packet.octets, at)
            self._commit(effects, at)
            return len(page.packets)

    def suspend(self, at: datetime) -> None:
        """The link is gone: freeze all timers; the next contact goes on from here."""
        with self._from_rows_after_failure(at):
            self._entity.suspend(at)
            self._commit([], at)
            self._rows.set_state(_STATE.ACTIVE, _STATE.SUSPENDED)

    # Between the rows and the entity

    def _restore(self, at: datetime, *, suspended: bool) -> None:
        self._rows = TransferRows(self._spacecraft)
        self._entity = self._rows.restore(self._profile, at, suspended=suspended)
        self._looked_at = at - 2 * _LOOK_EVERY
        if not suspended:
            self._rows.set_state(_STATE.SUSPENDED, _STATE.ACTIVE)

    @contextmanager
    def _from_rows_after_failure(self, at: datetime) -> Iterator[None]:
        """Forget what a call that failed had taken in: its outcomes were never stored."""
        if self._is_broken:
            self._restore(at, suspended=self._entity.suspended)
        self._is_broken = True
        yield
        self._is_broken = False

    def _look(self, at: datetime) -> None:
        """Begin with new files, and store how far all have come."""
        if at - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = at
        with transaction.atomic():
            for transaction_id, row in self._rows.take_waiting():
                self._entity.put(
                    PutRequest(
                        source_file_name=row.file_name,
                        destination_file_name=row.file_name,
                        size_octets=row.size_octets or 0,
                    ),
                    sequence_number=transaction_id.sequence_number,
                    at=at,
                )
            self._commit([], at)

    def _commit(self, effects: Iterable[Effect], at: datetime) -> None:
        self._rows.commit(self._entity, self._apply(effects, at), at)

    # PDUs

    def _pull(self, at: datetime, max_octets: int) -> list[Pdu]:
        try:
            return self._entity.next_pdus(
                self._read,
                at=at,
                max_octets=max(max_octets, self._profile.largest_pdu_octets),
                max_count=max(1, max_octets // self._profile.segment_octets),
            )
        except FileReadError:
            # What was pulled before it counts as lost on the link; the peer asks again.
            unreadable, self._unreadable = self._unreadable, set()
            for transaction_id in unreadable:
                self._commit(self._give_up(transaction_id, at), at)
            return []

    def _read(self, transaction_id: TransactionId, offset: int, length: int) -> bytes:
        try:
            octets = storage.read(self._rows.stored_name(transaction_id), offset, length)
        except OSError as error:
            logger.warning("a file to send cannot be read: %s", error)
            octets = b""
        if len(octets) != length:
            self._unreadable.add(transaction_id)
        return octets

    def _take(self, packet: bytes, at: datetime) -> list[Effect]:
        """Give the PDU in a file packet to the entity."""
        octets = self._packets.unwrap(packet)
        if octets is None:
            return []
        try:
            pdu = decode_pdu(octets)
        except PduError as error:
            logger.warning("a file packet of %s holds no PDU: %s", self._spacecraft, error)
            return []
        comes_down = pdu.header.direction is Direction.TOWARD_RECEIVER
        if comes_down and self._rows.is_of_the_past(pdu.header.transaction_id):
            return []
        return self._entity.receive_pdu(pdu, at)

    # Effects

    def _apply(self, effects: Iterable[Effect], at: datetime) -> list[Effect]:
        """Write what came, answer checksums, and return the effects that change rows."""
        pending = deque(effects)
        outcomes: list[Effect] = []
        segments: dict[TransactionId, list[tuple[int, bytes]]] = {}
        while pending:
            effect = pending.popleft()
            if isinstance(effect, WriteSegment):
                segments.setdefault(effect.transaction_id, []).append((effect.offset, effect.data))
            elif isinstance(effect, VerifyChecksum):
                self._write(segments)
                pending.extendleft(reversed(self._verify(effect, at)))
            else:
                outcomes.append(effect)
        self._write(segments)
        return outcomes

    def _write(self, segments: dict[TransactionId, list[tuple[int, bytes]]]) -> None:
        for transaction_id, parts in segments.items():
            storage.write_segments(self._rows.down_name(transaction_id), parts)
        segments.clear()

    def _verify(self, effect: VerifyChecksum, at: datetime) -> list[Effect]:
        name = self._rows.down_name(effect.transaction_id)
        if effect.size_octets == 0:
            storage.write_segments(name, [])
        try:
            checksum = file_checksum(
                effect.checksum_type,
                lambda offset, length: storage.read(name, offset, length),
                effect.size_octets,
            )
        except OSError as error:
            logger.warning("a file that came cannot be read: %s", error)
            return self._give_up(effect.transaction_id, at)
        return self._entity.checksum_computed(effect.transaction_id, checksum, at)

    def _give_up(self, transaction_id: TransactionId, at: datetime) -> list[Effect]:
        """Cancel a transaction whose file is not on our disk any more, and tell the peer."""
        return self._entity.cancel(transaction_id, at, ConditionCode.FILESTORE_REJECTION)
