"""PDUs to octets and back (CCSDS 727.0-B-5 section 5)."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable
from enum import IntEnum
from typing import Final, TypeVar

from uplink.cfdp.codes import (
    ConditionCode,
    DeliveryCode,
    DirectiveCode,
    FileStatus,
    TransactionStatus,
)
from uplink.cfdp.errors import PduError
from uplink.cfdp.fields import FieldReader, length_value, unsigned
from uplink.cfdp.header import HeaderFields, PduHeader, decode_header, encode_header
from uplink.cfdp.pdu import (
    Ack,
    Eof,
    FileData,
    Finished,
    KeepAlive,
    Metadata,
    Nak,
    Pdu,
    PduBody,
    Prompt,
    PromptResponse,
    SegmentMetadata,
)
from uplink.cfdp.tlv import (
    Tlv,
    TlvType,
    decode_fault_location,
    decode_tlvs,
    encode_fault_location,
    encode_tlv,
)

CRC_OCTETS: Final = 2
_CRC_PRESET: Final = 0xFFFF  # CRC-16 of the transfer frames, CCSDS 727.0-B-5 section 4.1.3

_Code = TypeVar("_Code", bound=IntEnum)


def encode_pdu(pdu: Pdu) -> bytes:
    """Encode one PDU, with its CRC where the header asks for one.

    Raises:
        ValueError: A value does not fit its field; the text names it.
    """
    body = _encode_body(pdu.header, pdu.body)
    octets = (
        encode_header(
            pdu.header,
            is_file_data=isinstance(pdu.body, FileData),
            has_segment_metadata=_has_segment_metadata(pdu.body),
            data_field_octets=len(body) + (CRC_OCTETS if pdu.header.crc else 0),
        )
        + body
    )
    return octets + unsigned(crc_hqx(octets, _CRC_PRESET), 2, "CRC") if pdu.header.crc else octets


def pdu_length(pdu: Pdu) -> int:
    """Return how many octets :func:`encode_pdu` gives for *pdu*."""
    crc_octets = CRC_OCTETS if pdu.header.crc else 0
    match pdu.body:
        case FileData(data=data, segment_metadata=None):  # the common one, without a copy
            return pdu.header.length + pdu.header.size_octets + len(data) + crc_octets
        case body:
            return pdu.header.length + len(_encode_body(pdu.header, body)) + crc_octets


def decode_pdu(octets: bytes) -> Pdu:
    """Decode exactly one PDU.

    Raises:
        PduError: The octets are not one whole PDU, or its CRC is wrong. The
            text says which field and what was found.
    """
    reader = FieldReader(octets)
    fields = decode_header(reader)
    if reader.remaining != fields.data_field_octets:
        raise PduError(
            f"PDU data field length says {fields.data_field_octets} octets, "
            f"{reader.remaining} are present"
        )
    return Pdu(fields.header, _decode_body(fields, _without_crc(fields, octets, reader)))


def _without_crc(fields: HeaderFields, octets: bytes, reader: FieldReader) -> FieldReader:
    if not fields.header.crc:
        return reader
    if reader.remaining < CRC_OCTETS:
        raise PduError(f"PDU data field of {reader.remaining} octets cannot hold its CRC of 2")
    computed = crc_hqx(octets[:-CRC_OCTETS], _CRC_PRESET)
    received = int.from_bytes(octets[-CRC_OCTETS:], "big")
    if computed != received:
        raise PduError(f"PDU CRC is {received:04x}, its octets give {computed:04x}")
    return FieldReader(reader.rest()[:-CRC_OCTETS])


def _decode_body(fields: HeaderFields, reader: FieldReader) -> PduBody:
    if fields.is_file_data:
        return _decode_file_data(fields, reader)
    code = reader.unsigned(1, "directive code")
    decode = _DIRECTIVES.get(code)
    if decode is None:
        raise PduError(f"directive code {code:#04x} is none of CCSDS 727.0-B-5 table 5-4")
    body = decode(fields.header, reader)
    reader.end(f"{type(body).__name__} PDU")
    return body


def _has_segment_metadata(body: PduBody) -> bool:
    return isinstance(body, FileData) and body.segment_metadata is not None


def _encode_body(header: PduHeader, body: PduBody) -> bytes:
    match body:
        case FileData():
            return _encode_file_data(header, body)
        case Metadata():
            return _encode_metadata(header, body)
        case Eof():
            return _encode_eof(header, body)
        case Finished():
            return _encode_finished(header, body)
        case Nak():
            return _encode_nak(header, body)
        case _:
            return _encode_short(header, body)


def _encode_short(header: PduHeader, body: Ack | Prompt | KeepAlive) -> bytes:
    match body:
        case Ack(directive=directive, condition=condition, status=status):
            subtype = 1 if directive is DirectiveCode.FINISHED else 0  # table 5-8
            return bytes((DirectiveCode.ACK, directive << 4 | subtype, condition << 4 | status))
        case Prompt(response=response):
            return bytes((DirectiveCode.PROMPT, response << 7))
        case KeepAlive(progress_octets=progress):
            return bytes((DirectiveCode.KEEP_ALIVE,)) + _size(header, progress, "progress")


def _encode_file_data(header: PduHeader, body: FileData) -> bytes:
    front = b""
    if body.segment_metadata is not None:
        length = len(body.segment_metadata.value)
        if length > 0x3F:
            raise ValueError(f"segment metadata of {length} octets; the limit is 63")
        state = body.segment_metadata.record_continuation_state
        front = bytes((state << 6 | length,)) + body.segment_metadata.value
    return front + _size(header, body.offset, "segment offset") + body.data


def _decode_file_data(fields: HeaderFields, reader: FieldReader) -> FileData:
    segment_metadata = None
    if fields.has_segment_metadata:
        front = reader.unsigned(1, "segment metadata length")
        segment_metadata = SegmentMetadata(
            record_continuation_state=front >> 6,
            value=reader.octets(front & 0x3F, "segment metadata"),
        )
    offset = reader.unsigned(fields.header.size_octets, "segment offset")
    return FileData(offset=offset, data=reader.rest(), segment_metadata=segment_metadata)


def _encode_metadata(header: PduHeader, body: Metadata) -> bytes:
    flags = body.closure_requested << 6 | body.checksum_type
    return (
        bytes((DirectiveCode.METADATA, flags))
        + _size(header, body.size_octets, "file size")
        + length_value(body.source_file_name.encode(), "source file name")
        + length_value(body.destination_file_name.encode(), "destination file name")
        + b"".join(map(encode_tlv, body.options))
    )


def _decode_metadata(header: PduHeader, reader: FieldReader) -> Metadata:
    flags = reader.unsigned(1, "Metadata flags")
    return Metadata(
        closure_requested=bool(flags & 0x40),
        checksum_type=flags & 0x0F,
        size_octets=reader.unsigned(header.size_octets, "file size"),
        source_file_name=_file_name(reader, "source file name"),
        destination_file_name=_file_name(reader, "destination file name"),
        options=decode_tlvs(reader),
    )


def _encode_eof(header: PduHeader, body: Eof) -> bytes:
    return (
        bytes((DirectiveCode.EOF, body.condition << 4))
        + unsigned(body.checksum, 4, "checksum")
        + _size(header, body.size_octets, "file size")
        + encode_fault_location(body.fault_location, header.entity_id_octets)
    )


def _decode_eof(header: PduHeader, reader: FieldReader) -> Eof:
    return Eof(
        condition=_code(ConditionCode, reader.unsigned(1, "condition code") >> 4),
        checksum=reader.unsigned(4, "checksum"),
        size_octets=reader.unsigned(header.size_octets, "file size"),
        fault_location=_only_fault_location(decode_tlvs(reader)),
    )


def _encode_finished(header: PduHeader, body: Finished) -> bytes:
    flags = body.condition << 4 | body.delivery_code << 2 | body.file_status
    return (
        bytes((DirectiveCode.FINISHED, flags))
        + b"".join(map(encode_tlv, body.filestore_responses))
        + encode_fault_location(body.fault_location, header.entity_id_octets)
    )


def _decode_finished(_header: PduHeader, reader: FieldReader) -> Finished:
    flags = reader.unsigned(1, "Finished flags")
    tlvs = decode_tlvs(reader)
    responses = tuple(tlv for tlv in tlvs if tlv.type == TlvType.FILESTORE_RESPONSE)
    return Finished(
        condition=_code(ConditionCode, flags >> 4),
        delivery_code=DeliveryCode(flags >> 2 & 1),
        file_status=FileStatus(flags & 0x03),
        filestore_responses=responses,
        fault_location=_only_fault_location(tuple(tlv for tlv in tlvs if tlv not in responses)),
    )


def _decode_ack(_header: PduHeader, reader: FieldReader) -> Ack:
    directive = _code(DirectiveCode, reader.unsigned(1, "acknowledged directive") >> 4)
    if directive not in (DirectiveCode.EOF, DirectiveCode.FINISHED):
        raise PduError(f"ACK of {directive.name}; only EOF and FINISHED are acknowledged")
    flags = reader.unsigned(1, "ACK flags")
    return Ack(
        directive=directive,
        condition=_code(ConditionCode, flags >> 4),
        status=TransactionStatus(flags & 0x03),
    )


def _encode_nak(header: PduHeader, body: Nak) -> bytes:
    offsets = (body.scope_start, body.scope_end, *(at for pair in body.requests for at in pair))
    return bytes((DirectiveCode.NAK,)) + b"".join(
        _size(header, offset, "NAK offset") for offset in offsets
    )


def _decode_nak(header: PduHeader, reader: FieldReader) -> Nak:
    width = header.size_octets
    scope_start = reader.unsigned(width, "start of scope")
    scope_end = reader.unsigned(width, "end of scope")
    requests = []
    while reader.remaining:
        start = reader.unsigned(width, "segment request start")
        end = reader.unsigned(width, "segment request end")
        if end < start:
            raise PduError(f"segment request from {start} to {end} ends before it starts")
        requests.append((start, end))
    return Nak(scope_start=scope_start, scope_end=scope_end, requests=tuple(requests))


def _decode_prompt(_header: PduHeader, reader: FieldReader) -> Prompt:
    return Prompt(response=PromptResponse(reader.unsigned(1, "response required") >> 7))


def _decode_keep_alive(header: PduHeader, reader: FieldReader) -> KeepAlive:
    return KeepAlive(progress_octets=reader.unsigned(header.size_octets, "progress"))


def _size(header: PduHeader, value: int, name: str) -> bytes:
    return unsigned(value, header.size_octets, name)


def _file_name(reader: FieldReader, name: str) -> str:
    octets = reader.length_value(name)
    if b"\0" in octets:
        raise PduError(f"{name} {octets.hex()} holds a NUL")  # databases refuse it too
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise PduError(f"{name} {octets.hex()} is not UTF-8") from error


def _only_fault_location(tlvs: tuple[Tlv, ...]) -> int | None:
    if len(tlvs) > 1:
        raise PduError(f"{len(tlvs)} TLVs where at most one fault location may stand")
    return decode_fault_location(tlvs[0]) if tlvs else None


def _code(codes: type[_Code], number: int) -> _Code:
    try:
        return codes(number)
    except ValueError as error:
        raise PduError(f"{codes.__name__} {number} is reserved") from error


_DIRECTIVES: Final[dict[int, Callable[[PduHeader, FieldReader], PduBody]]] = {
    DirectiveCode.EOF: _decode_eof,
    DirectiveCode.FINISHED: _decode_finished,
    DirectiveCode.ACK: _decode_ack,
    DirectiveCode.METADATA: _decode_metadata,
    DirectiveCode.NAK: _decode_nak,
    DirectiveCode.PROMPT: _decode_prompt,
    DirectiveCode.KEEP_ALIVE: _decode_keep_alive,
}
