"""What a transaction asks of its runtime, and what it has to tell.

Every effect names its transaction. Apply them in the order given, commit the
snapshot, then pull PDUs (see the package's docstring).
"""

from __future__ import annotations

from dataclasses import dataclass

from uplink.cfdp.codes import (
    ChecksumType,
    ConditionCode,
    DeliveryCode,
    FileStatus,
    TransactionId,
)
from uplink.cfdp.pdu import Metadata


@dataclass(frozen=True, slots=True)
class MetadataReceived:
    """The file's names and size are known; may come after its first segments.

    The names are what the sky says. They are never paths here, and a runtime
    keeps the octets under the transaction's id, not under a name.
    """

    transaction_id: TransactionId
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class WriteSegment:
    """Write *data* at *offset* of the transaction's own file; may come twice after a restore."""

    transaction_id: TransactionId
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class VerifyChecksum:
    """Compute ``file_checksum`` over the octets written and give it to ``checksum_computed``.

    May come twice after a restore. A file of 0 octets has had no segment.
    """

    transaction_id: TransactionId
    checksum_type: ChecksumType
    size_octets: int


@dataclass(frozen=True, slots=True)
class FileComplete:
    """The file has arrived whole and its checksum is right: deliver it. Comes once."""

    transaction_id: TransactionId
    metadata: Metadata
    size_octets: int
    checksum: int


@dataclass(frozen=True, slots=True)
class FileDiscarded:
    """The reception ended without a whole file: delete what was written. Comes once."""

    transaction_id: TransactionId
    condition: ConditionCode


@dataclass(frozen=True, slots=True)
class FaultDetected:
    """A fault of section 4.8 was declared; what follows depends on its handler."""

    transaction_id: TransactionId
    condition: ConditionCode
    detail: str


@dataclass(frozen=True, slots=True)
class TransactionSuspended:
    """A fault suspended the transaction; ``resume`` gives it another full set of tries."""

    transaction_id: TransactionId
    condition: ConditionCode


@dataclass(frozen=True, slots=True)
class TransactionFinished:
    """Both ends know how the transaction ended (Transaction-Finished.indication). Comes once."""

    transaction_id: TransactionId
    condition: ConditionCode
    delivery_code: DeliveryCode
    file_status: FileStatus


@dataclass(frozen=True, slots=True)
class TransactionAbandoned:
    """The peer no longer answers: the transaction is closed without its word. Comes once."""

    transaction_id: TransactionId
    condition: ConditionCode


@dataclass(frozen=True, slots=True)
class TransactionForgotten:
    """A closed transaction's retention is over: its snapshot may be deleted."""

    transaction_id: TransactionId


@dataclass(frozen=True, slots=True)
class PduRejected:
    """Something received was not used; *transaction_id* is None where it could not be read."""

    transaction_id: TransactionId | None
    reason: str


Effect = (
    MetadataReceived
    | WriteSegment
    | VerifyChecksum
    | FileComplete
    | FileDiscarded
    | FaultDetected
    | TransactionSuspended
    | TransactionFinished
    | TransactionAbandoned
    | TransactionForgotten
    | PduRejected
)
