"""Type-length-value fields (CCSDS 727.0-B-5 section 5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from uplink.cfdp.errors import PduError
from uplink.cfdp.fields import FieldReader, length_value, unsigned


class TlvType(IntEnum):
    """The types that the Blue Book defines (section 5.4)."""

    FILESTORE_REQUEST = 0x00
    FILESTORE_RESPONSE = 0x01
    MESSAGE_TO_USER = 0x02
    FAULT_HANDLER_OVERRIDE = 0x04
    FLOW_LABEL = 0x05
    ENTITY_ID = 0x06


@dataclass(frozen=True, slots=True)
class Tlv:
    """One TLV; *type* is a plain number because the sky may send any."""

    type: int
    value: bytes


def encode_tlv(tlv: Tlv) -> bytes:
    """Encode one TLV; raises ValueError where type or value do not fit."""
    return unsigned(tlv.type, 1, "TLV type") + length_value(tlv.value, "TLV value")


def decode_tlvs(reader: FieldReader) -> tuple[Tlv, ...]:
    """Take TLVs until the data field ends; raises PduError where one is cut."""
    tlvs = []
    while reader.remaining:
        type_number = reader.unsigned(1, "TLV type")
        tlvs.append(Tlv(type_number, reader.length_value("TLV value")))
    return tuple(tlvs)


def encode_fault_location(entity_id: int | None, octets: int) -> bytes:
    """Encode the entity id TLV that tells where a fault was found; nothing for None."""
    if entity_id is None:
        return b""
    return encode_tlv(Tlv(TlvType.ENTITY_ID, unsigned(entity_id, octets, "fault location")))


def decode_fault_location(tlv: Tlv) -> int:
    """Return the entity id of a fault location TLV; raises PduError for any other."""
    if tlv.type != TlvType.ENTITY_ID:
        raise PduError(f"TLV of type {tlv.type} where an entity id (6) was expected")
    if not 1 <= len(tlv.value) <= 8:
        raise PduError(f"fault location of {len(tlv.value)} octets; the limits are 1 and 8")
    return int.from_bytes(tlv.value, "big")
