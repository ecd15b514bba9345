"""PDU bodies and times as JSON values, for the snapshots of transactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from uplink.cfdp.codes import (
    ConditionCode,
    DeliveryCode,
    FileStatus,
    TransactionId,
)
from uplink.cfdp.errors import SnapshotError
from uplink.cfdp.pdu import Eof, Finished, Metadata
from uplink.cfdp.tlv import Tlv

Snapshot = dict[str, Any]  # JSON object; its fields belong to the class that made it

_FORMAT: Final = 1


def stamp(kind: str, transaction_id: TransactionId) -> Snapshot:
    """Return the fields that every transaction's snapshot begins with."""
    return {
        "format": _FORMAT,
        "kind": kind,
        "transaction_id": [transaction_id.source_entity_id, transaction_id.sequence_number],
    }


def check_stamp(snapshot: Mapping[str, Any], kind: str) -> TransactionId:
    """Return whose snapshot this is.

    Raises:
        SnapshotError: It is of another kind or of a later format.
    """
    found = (snapshot.get("kind"), snapshot.get("format"))
    if found != (kind, _FORMAT):
        raise SnapshotError(
            f"Snapshot of kind {found[0]!r}, format {found[1]!r}; "
            f"this is the reader of kind {kind!r}, format {_FORMAT}."
        )
    source_entity_id, sequence_number = snapshot["transaction_id"]
    return TransactionId(source_entity_id, sequence_number)


def time_to_json(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def time_from_json(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def metadata_to_json(metadata: Metadata | None) -> Snapshot | None:
    if metadata is None:
        return None
    return {
        "source_file_name": metadata.source_file_name,
        "destination_file_name": metadata.destination_file_name,
        "size_octets": metadata.size_octets,
        "checksum_type": int(metadata.checksum_type),
        "closure_requested": metadata.closure_requested,
        "options": tlvs_to_json(metadata.options),
    }


def metadata_from_json(value: Snapshot | None) -> Metadata | None:
    if value is None:
        return None
    return Metadata(**{**value, "options": tlvs_from_json(value["options"])})


def eof_to_json(eof: Eof | None) -> Snapshot | None:
    if eof is None:
        return None
    return {"checksum": eof.checksum, "size_octets": eof.size_octets}


def eof_from_json(value: Snapshot | None) -> Eof | None:
    """Return the EOF (no error); a cancelling one is never kept."""
    return None if value is None else Eof(condition=ConditionCode.NO_ERROR, **value)


def finished_to_json(finished: Finished | None) -> Snapshot | None:
    if finished is None:
        return None
    return {
        "condition": int(finished.condition),
        "delivery_code": int(finished.delivery_code),
        "file_status": int(finished.file_status),
        "fault_location": finished.fault_location,
    }


def finished_from_json(value: Snapshot | None) -> Finished | None:
    if value is None:
        return None
    return Finished(
        condition=ConditionCode(value["condition"]),
        delivery_code=DeliveryCode(value["delivery_code"]),
        file_status=FileStatus(value["file_status"]),
        fault_location=value["fault_location"],
    )


def tlvs_to_json(tlvs: tuple[Tlv, ...]) -> list[list[int | str]]:
    return [[tlv.type, tlv.value.hex()] for tlv in tlvs]


def tlvs_from_json(value: list[tuple[int, str]]) -> tuple[Tlv, ...]:
    return tuple(Tlv(number, bytes.fromhex(octets)) for number, octets in value)
