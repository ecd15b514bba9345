"""The fixed PDU header (CCSDS 727.0-B-5 section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from uplink.cfdp.codes import Direction, TransactionId, TransmissionMode
from uplink.cfdp.errors import PduError
from uplink.cfdp.fields import FieldReader, unsigned

FIXED_OCTETS: Final = 4  # flags, data field length, widths
DATA_FIELD_LIMIT_OCTETS: Final = 65535
_READABLE_VERSIONS: Final = (0, 1)  # 000 is issue 4 of the Blue Book and before


@dataclass(frozen=True, slots=True, kw_only=True)
class PduHeader:
    """Everything in the header but the PDU type and lengths, which follow from the body.

    Attributes:
        crc: A CRC-16 ends the PDU and is counted in its data field length.
        large_file: File sizes and offsets are 8 octets wide instead of 4.
        record_boundaries: Segmentation control: record boundaries are preserved.
        version: 1 for issue 5 of the Blue Book; 0, the issues before, is read too.
    """

    direction: Direction
    transmission_mode: TransmissionMode
    source_entity_id: int
    sequence_number: int
    destination_entity_id: int
    entity_id_octets: int
    sequence_number_octets: int
    crc: bool = False
    large_file: bool = False
    record_boundaries: bool = False
    version: int = 1

    @property
    def transaction_id(self) -> TransactionId:
        return TransactionId(self.source_entity_id, self.sequence_number)

    @property
    def length(self) -> int:
        """Octets of this header, encoded."""
        return FIXED_OCTETS + 2 * self.entity_id_octets + self.sequence_number_octets

    @property
    def size_octets(self) -> int:
        """Width of a file size or offset field in this PDU (FSS, section 5.1.10)."""
        return 8 if self.large_file else 4


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """A decoded header with the facts that the body carries in our model."""

    header: PduHeader
    is_file_data: bool
    has_segment_metadata: bool
    data_field_octets: int


def encode_header(
    header: PduHeader, *, is_file_data: bool, has_segment_metadata: bool, data_field_octets: int
) -> bytes:
    """Encode the header of a PDU whose data field, CRC included, has the given length.

    Raises:
        ValueError: A value does not fit its field.
    """
    _check_width("entity id", header.entity_id_octets)
    _check_width("sequence number", header.sequence_number_octets)
    if data_field_octets > DATA_FIELD_LIMIT_OCTETS:
        raise ValueError(
            f"PDU data field of {data_field_octets} octets; the limit is "
            f"{DATA_FIELD_LIMIT_OCTETS}. Send shorter segments."
        )
    flags = (
        header.version << 5
        | is_file_data << 4
        | header.direction << 3
        | header.transmission_mode << 2
        | header.crc << 1
        | header.large_file
    )
    widths = (
        header.record_boundaries << 7
        | (header.entity_id_octets - 1) << 4
        | has_segment_metadata << 3
        | (header.sequence_number_octets - 1)
    )
    return (
        bytes((flags, data_field_octets >> 8, data_field_octets & 0xFF, widths))
        + unsigned(header.source_entity_id, header.entity_id_octets, "source entity id")
        + unsigned(header.sequence_number, header.sequence_number_octets, "sequence number")
        + unsigned(header.destination_entity_id, header.entity_id_octets, "destination entity id")
    )


def decode_header(reader: FieldReader) -> HeaderFields:
    """Take the header off the front of a PDU.

    Raises:
        PduError: Too few octets, or a version this entity cannot read.
    """
    flags = reader.unsigned(1, "PDU header")
    version = flags >> 5
    if version not in _READABLE_VERSIONS:
        raise PduError(f"PDU version {version}; this entity reads versions 0 and 1")
    data_field_octets = reader.unsigned(2, "PDU data field length")
    widths = reader.unsigned(1, "PDU header")
    entity_id_octets = (widths >> 4 & 0x7) + 1
    sequence_number_octets = (widths & 0x7) + 1
    header = PduHeader(
        version=version,
        direction=Direction(flags >> 3 & 1),
        transmission_mode=TransmissionMode(flags >> 2 & 1),
        crc=bool(flags & 0x02),
        large_file=bool(flags & 0x01),
        record_boundaries=bool(widths & 0x80),
        entity_id_octets=entity_id_octets,
        sequence_number_octets=sequence_number_octets,
        source_entity_id=reader.unsigned(entity_id_octets, "source entity id"),
        sequence_number=reader.unsigned(sequence_number_octets, "sequence number"),
        destination_entity_id=reader.unsigned(entity_id_octets, "destination entity id"),
    )
    return HeaderFields(
        header=header,
        is_file_data=bool(flags & 0x10),
        has_segment_metadata=bool(widths & 0x08),
        data_field_octets=data_field_octets,
    )


def _check_width(name: str, octets: int) -> None:
    if not 1 <= octets <= 8:
        raise ValueError(f"{name} is {octets} octets wide; the limits are 1 and 8")
