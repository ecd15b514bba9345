"""CFDP protocol data units: what they hold (CCSDS 727.0-B-5 sections 5.2 and 5.3).

A :class:`Pdu` is a header and a body; ``uplink.cfdp.codec`` turns it into
octets and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from uplink.cfdp.codes import (
    ConditionCode,
    DeliveryCode,
    DirectiveCode,
    FileStatus,
    TransactionStatus,
)
from uplink.cfdp.header import PduHeader
from uplink.cfdp.tlv import Tlv


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Opens a transaction: names, size and checksum type (section 5.2.5).

    Attributes:
        size_octets: Size of the file; 0 also stands for an unbounded file.
        checksum_type: Identifier of the SANA registry; may be one we do not know.
    """

    source_file_name: str
    destination_file_name: str
    size_octets: int
    checksum_type: int
    closure_requested: bool = False
    options: tuple[Tlv, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentMetadata:
    """Optional front part of a file data PDU (section 5.3.4)."""

    record_continuation_state: int  # 0-3
    value: bytes  # 0-63 octets


@dataclass(frozen=True, slots=True, kw_only=True)
class FileData:
    """A segment of the file at an offset from its start (section 5.3)."""

    offset: int
    data: bytes
    segment_metadata: SegmentMetadata | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eof:
    """Ends the file, or cancels from the sending end (section 5.2.2).

    Attributes:
        size_octets: Size of the file; on cancellation what was sent of it.
        checksum: Of *size_octets* octets.
        fault_location: Entity that found the fault, on cancellation.
    """

    condition: ConditionCode
    checksum: int
    size_octets: int
    fault_location: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The receiver's verdict (section 5.2.3)."""

    condition: ConditionCode
    delivery_code: DeliveryCode
    file_status: FileStatus
    filestore_responses: tuple[Tlv, ...] = ()
    fault_location: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Acknowledges an EOF or a Finished PDU (section 5.2.4)."""

    directive: DirectiveCode  # EOF or FINISHED
    condition: ConditionCode
    status: TransactionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Nak:
    """Asks for what is missing within a scope (section 5.2.6).

    Attributes:
        requests: (start, end) offsets, end exclusive; (0, 0) asks for the Metadata.
    """

    scope_start: int
    scope_end: int
    requests: tuple[tuple[int, int], ...] = ()


class PromptResponse(IntEnum):
    """What a Prompt asks for (section 5.2.7)."""

    NAK = 0
    KEEP_ALIVE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Asks the receiver for a NAK or a Keep Alive now (section 5.2.7)."""

    response: PromptResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """Tells how far the receiver has come (section 5.2.8)."""

    progress_octets: int


PduBody = Metadata | FileData | Eof | Finished | Ack | Nak | Prompt | KeepAlive


@dataclass(frozen=True, slots=True)
class Pdu:
    """One protocol data unit."""

    header: PduHeader
    body: PduBody
