"""How this entity talks to one peer: the MIB of CCSDS 727.0-B-5 section 8, in one value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from uplink.cfdp.codec import CRC_OCTETS
from uplink.cfdp.codes import (
    ChecksumType,
    ConditionCode,
    Direction,
    FaultHandler,
    TransactionId,
    TransmissionMode,
)
from uplink.cfdp.errors import ProfileError
from uplink.cfdp.fields import LENGTH_VALUE_LIMIT_OCTETS
from uplink.cfdp.header import DATA_FIELD_LIMIT_OCTETS, FIXED_OCTETS, PduHeader

_SEGMENT_LIMIT_OCTETS: Final = DATA_FIELD_LIMIT_OCTETS - 8 - CRC_OCTETS  # large file's offset
_LIMITS: Final = frozenset(
    {
        ConditionCode.POSITIVE_ACK_LIMIT_REACHED,
        ConditionCode.NAK_LIMIT_REACHED,
        ConditionCode.CHECK_LIMIT_REACHED,
        ConditionCode.INACTIVITY_DETECTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CfdpProfile:
    """Identifiers, widths, checksum, sizes, timers and limits towards one peer.

    All times are seconds of the clock whose instants the caller passes in.

    Attributes:
        segment_octets: File octets in one file data PDU; NAK PDUs keep to it too.
        ack_timer_s: Wait for the ACK of an EOF or Finished before it is repeated.
        ack_limit: Transmissions of an EOF or Finished without ACK that make a fault.
        nak_timer_s: Silence after a NAK before it is repeated; in class 1 the
            check timer (section 4.6.3.3).
        nak_limit: NAKs in a row that brought nothing; in class 1 the check limit.
        inactivity_s: Silence of the peer that makes a fault.
        immediate_nak: Ask for a gap when it shows instead of after the EOF.
        limit_fault_handler: What to do when a limit or the inactivity is reached;
            all other faults cancel.
        retention_s: How long a closed transaction is kept to answer repeats.
        reception_limit: Receptions open at once; more are refused.
        largest_file_octets: A longer file is refused (filestore rejection).
    """

    local_entity_id: int
    remote_entity_id: int
    entity_id_octets: int = 2
    sequence_number_octets: int = 4
    checksum_type: ChecksumType = ChecksumType.CRC_32
    pdu_crc: bool = False
    segment_octets: int = 800
    ack_timer_s: float = 60.0
    nak_timer_s: float = 60.0
    inactivity_s: float = 600.0
    ack_limit: int = 10
    nak_limit: int = 20
    immediate_nak: bool = False
    limit_fault_handler: FaultHandler = FaultHandler.CANCEL
    retention_s: float = 604800.0
    reception_limit: int = 64
    largest_file_octets: int = (1 << 32) - 1

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            ProfileError: A value is outside its limits; the text says which.
        """
        self._within("entity_id_octets", 1, 8)
        self._within("sequence_number_octets", 1, 8)
        self._within("local_entity_id", 0, (1 << 8 * self.entity_id_octets) - 1)
        self._within("remote_entity_id", 0, (1 << 8 * self.entity_id_octets) - 1)
        self._within("segment_octets", 1, _SEGMENT_LIMIT_OCTETS)
        for name in ("ack_limit", "nak_limit", "reception_limit"):
            self._within(name, 1, 1_000_000)
        self._within("largest_file_octets", 0, (1 << 63) - 1)
        for field in fields(self):
            if field.name.endswith("_s") and not getattr(self, field.name) > 0:
                raise ProfileError(
                    f"{field.name} of the CFDP profile is {getattr(self, field.name)}; "
                    f"it must be more than 0 seconds."
                )
        if self.local_entity_id == self.remote_entity_id:
            raise ProfileError(
                f"local_entity_id and remote_entity_id of the CFDP profile are both "
                f"{self.local_entity_id}; the two ends need different identifiers."
            )

    @property
    def largest_pdu_octets(self) -> int:
        """The budget that a pull must reach, or the longest PDU never gets out.

        It covers file data and a Metadata PDU with the longest names, without options.
        """
        header = FIXED_OCTETS + 2 * self.entity_id_octets + self.sequence_number_octets
        metadata = 2 + 8 + 2 * (1 + LENGTH_VALUE_LIMIT_OCTETS)
        return header + max(metadata, 8 + self.segment_octets) + CRC_OCTETS

    def fault_handler(self, condition: ConditionCode) -> FaultHandler:
        """What to do about a fault: only limits of time and tries leave a choice."""
        return self.limit_fault_handler if condition in _LIMITS else FaultHandler.CANCEL

    def header(
        self,
        transaction_id: TransactionId,
        *,
        direction: Direction,
        transmission_mode: TransmissionMode,
        large_file: bool,
    ) -> PduHeader:
        """Return the header for a PDU of one of the transactions with this peer."""
        ours = transaction_id.source_entity_id == self.local_entity_id
        return PduHeader(
            direction=direction,
            transmission_mode=transmission_mode,
            source_entity_id=transaction_id.source_entity_id,
            sequence_number=transaction_id.sequence_number,
            destination_entity_id=self.remote_entity_id if ours else self.local_entity_id,
            entity_id_octets=self.entity_id_octets,
            sequence_number_octets=self.sequence_number_octets,
            crc=self.pdu_crc,
            large_file=large_file,
        )

    def _within(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise ProfileError(
                f"{name} of the CFDP profile is {value}; the limits are {low} and {high}."
            )
