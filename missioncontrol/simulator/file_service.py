"""CFDP on board: the entity of uplink.cfdp with the mass memory behind it.

Source: CCSDS 727.0-B-5, class 2.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from missioncontrol.fleet.profiles import CfdpProfile as MissionCfdpProfile
from missioncontrol.simulator.file_store import FileStore
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import encode_pdu
from uplink.cfdp.codes import ChecksumType, ConditionCode, FaultHandler, TransactionId
from uplink.cfdp.effects import (
    Effect,
    FaultDetected,
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
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.request import PutRequest

# Closed transactions are remembered for a day of mission time, to answer repeats.
_RETENTION_S: Final = 86_400.0
_CHECKSUMS: Final = {"crc32": ChecksumType.CRC_32, "modular": ChecksumType.MODULAR}

logger = logging.getLogger(__name__)


class FileService:
    """Receives files into the store and sends results down.

    ``is_dirty`` says that something happened that must be saved before the
    next PDUs go out: they must not promise what a kill could take back.
    """

    def __init__(self, profile: MissionCfdpProfile, store: FileStore) -> None:
        self._profile = _on_board(profile)
        self._store = store
        self._entity = CfdpEntity(self._profile, suspended=True)
        self._next_number = 1
        self.is_dirty = False

    # Numbers for housekeeping

    @property
    def files_waiting(self) -> int:
        return sum(not source.closed for source in self._entity.sources.values())

    @property
    def octets_waiting(self) -> int:
        return sum(
            source.request.size_octets - source.progress_octets
            for source in self._entity.sources.values()
            if not source.closed
        )

    @property
    def largest_pdu_octets(self) -> int:
        return self._profile.largest_pdu_octets

    @property
    def has_pdus(self) -> bool:
        return self._entity.has_pdus

    # What happens

    def receive(self, pdu: bytes, at: datetime) -> None:
        """Take one PDU from the uplink."""
        self._apply(self._entity.receive(pdu, at), at)
        self.is_dirty = True

    def on_time(self, at: datetime) -> None:
        """Act on timers that have run out."""
        deadline = self._entity.next_deadline()
        if deadline is not None and deadline <= at:
            self._apply(self._entity.on_time(at), at)
            self.is_dirty = True

    def resume(self, at: datetime) -> None:
        """The link is there."""
        if self._entity.suspended:
            self._entity.resume(at)
            self.is_dirty = True

    def suspend(self, at: datetime) -> None:
        """The link is gone: timers stand still."""
        if not self._entity.suspended:
            self._entity.suspend(at)
            self.is_dirty = True

    def send_file(self, name: str, content: bytes, at: datetime) -> None:
        """Start to send a file; it goes when the link is there."""
        number = self._next_number
        self._next_number += 1
        one = TransactionId(self._profile.local_entity_id, number)
        self._store.keep_outgoing(_key(one), content)
        self._entity.put(
            PutRequest(
                source_file_name=name, destination_file_name=name, size_octets=len(content)
            ),
            sequence_number=number,
            at=at,
        )
        self.is_dirty = True

    def next_pdus(self, at: datetime, *, max_octets: int) -> list[bytes]:
        """Return PDUs to send now, at most *max_octets* of them; save before."""
        pdus = self._entity.next_pdus(self._read, at=at, max_octets=max_octets)
        return [encode_pdu(pdu) for pdu in pdus]

    def _read(self, one: TransactionId, offset: int, length: int) -> bytes:
        return self._store.read_outgoing(_key(one), offset, length)

    def _apply(self, effects: Iterable[Effect], at: datetime) -> None:
        for effect in effects:
            match effect:
                case WriteSegment(one, offset, data):
                    self._store.write_part(_key(one), offset, data)
                case MetadataReceived():
                    self._check(effect, at)
                case VerifyChecksum():
                    self._verify(effect, at)
                case FileComplete(one, metadata):
                    self._store.finish_part(_key(one), metadata.destination_file_name)
                    logger.info("file %s has come aboard", metadata.destination_file_name)
                case _:
                    self._end(effect)

    def _end(self, effect: Effect) -> None:
        match effect:
            case FileDiscarded(one):
                self._store.discard_part(_key(one))
            case FaultDetected(one, condition, detail):
                logger.warning("file transaction %s: %s: %s", one, condition.name, detail)
            case TransactionFinished(one) | TransactionAbandoned(one) | TransactionForgotten(one):
                self._store.discard_outgoing(_key(one))
                self._store.discard_part(_key(one))
            case _:
                pass  # a PDU that was of no use, or a suspension that its fault has told

    def _check(self, effect: MetadataReceived, at: datetime) -> None:
        metadata = effect.metadata
        if not self._store.accepts(metadata.destination_file_name, metadata.size_octets):
            rejection = ConditionCode.FILESTORE_REJECTION
            self._apply(self._entity.cancel(effect.transaction_id, at, rejection), at)

    def _verify(self, effect: VerifyChecksum, at: datetime) -> None:
        read = partial(self._store.read_part, _key(effect.transaction_id))
        checksum = file_checksum(effect.checksum_type, read, effect.size_octets)
        self._apply(self._entity.checksum_computed(effect.transaction_id, checksum, at), at)

    # Durability

    def snapshot(self, at: datetime) -> dict[str, Any]:
        return {
            "next_number": self._next_number,
            "suspended": self._entity.suspended,
            "transactions": self._entity.snapshot(at),
        }

    def restore(self, snapshot: Mapping[str, Any], at: datetime) -> None:
        """Continue from a snapshot."""
        self._next_number = snapshot["next_number"]
        self._entity = CfdpEntity.restore(
            snapshot["transactions"],
            profile=self._profile,
            at=at,
            suspended=snapshot["suspended"],
        )
        for one, source in self._entity.sources.items():
            if not source.closed and not self._store.has_outgoing(_key(one)):
                logger.warning("the file of transaction %s is gone; cancelled", one)
                self._entity.cancel(one, at, ConditionCode.FILESTORE_REJECTION)


def _on_board(profile: MissionCfdpProfile) -> CfdpProfile:
    return CfdpProfile(
        local_entity_id=profile.spacecraft_entity_id,
        remote_entity_id=profile.ground_entity_id,
        entity_id_octets=profile.entity_id_octets,
        sequence_number_octets=profile.sequence_number_octets,
        checksum_type=_CHECKSUMS[profile.checksum],
        pdu_crc=profile.pdu_crc,
        segment_octets=profile.segment_octets,
        ack_timer_s=profile.ack_timer_s,
        nak_timer_s=profile.nak_timer_s,
        inactivity_s=profile.inactivity_s,
        ack_limit=profile.ack_limit,
        nak_limit=profile.nak_limit,
        # A file is not given up because one pass went badly: the next one goes on.
        limit_fault_handler=FaultHandler.SUSPEND,
        retention_s=_RETENTION_S,
    )


def _key(one: TransactionId) -> str:
    return f"{one.source_entity_id}-{one.sequence_number}"
