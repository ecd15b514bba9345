"""The numbers of CCSDS 727.0-B-5 that appear in PDUs, by their Blue Book names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Direction(IntEnum):
    """Header flag: which end of the transaction the PDU is for (table 5-1)."""

    TOWARD_RECEIVER = 0
    TOWARD_SENDER = 1


class TransmissionMode(IntEnum):
    """Header flag: class 2 or class 1 (table 5-1)."""

    ACKNOWLEDGED = 0
    UNACKNOWLEDGED = 1


class DirectiveCode(IntEnum):
    """First octet of a file directive's data field (table 5-4)."""

    EOF = 0x04
    FINISHED = 0x05
    ACK = 0x06
    METADATA = 0x07
    NAK = 0x08
    PROMPT = 0x09
    KEEP_ALIVE = 0x0C


class ConditionCode(IntEnum):
    """Why a transaction ended, or is ending (table 5-5)."""

    NO_ERROR = 0
    POSITIVE_ACK_LIMIT_REACHED = 1
    KEEP_ALIVE_LIMIT_REACHED = 2
    INVALID_TRANSMISSION_MODE = 3
    FILESTORE_REJECTION = 4
    FILE_CHECKSUM_FAILURE = 5
    FILE_SIZE_ERROR = 6
    NAK_LIMIT_REACHED = 7
    INACTIVITY_DETECTED = 8
    INVALID_FILE_STRUCTURE = 9
    CHECK_LIMIT_REACHED = 10
    UNSUPPORTED_CHECKSUM_TYPE = 11
    SUSPEND_REQUEST_RECEIVED = 14
    CANCEL_REQUEST_RECEIVED = 15


class DeliveryCode(IntEnum):
    """Whether the file arrived whole (table 5-7)."""

    COMPLETE = 0
    INCOMPLETE = 1


class FileStatus(IntEnum):
    """What the receiver did with the file (table 5-7)."""

    DISCARDED_DELIBERATELY = 0
    DISCARDED_FILESTORE_REJECTION = 1
    RETAINED = 2
    UNREPORTED = 3


class TransactionStatus(IntEnum):
    """What the acknowledging entity knows of the transaction (table 5-8)."""

    UNDEFINED = 0
    ACTIVE = 1
    TERMINATED = 2
    UNRECOGNIZED = 3


class ChecksumType(IntEnum):
    """Checksum identifiers of the SANA registry that this entity computes.

    Others (Proximity-1 CRC-32 is 1, CRC-32C is 2) are decoded as plain numbers
    and answered with the fault "unsupported checksum type".
    """

    MODULAR = 0
    CRC_32 = 3
    NULL = 15


class FaultHandler(IntEnum):
    """What to do when a timer's limit is reached (section 4.8, table 5-19)."""

    CANCEL = 1
    SUSPEND = 2
    ABANDON = 4


@dataclass(frozen=True, slots=True, order=True)
class TransactionId:
    """Names one transaction for all time: who sends, and its sequence number."""

    source_entity_id: int
    sequence_number: int

    def __str__(self) -> str:
        return f"{self.source_entity_id}:{self.sequence_number}"
