"""The wire contract between mission control and a ground station.

Pure and sans-IO. One TCP connection carries one service (return, forward or
journal) as records: a big-endian u32 with the length of what follows, an octet
that names the kind, the payload. docs/station-link.md describes the dialogue.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final

PROTOCOL_VERSION: Final = 1
MAX_RECORD_OCTETS: Final = 1 << 20
_LENGTH: Final = struct.Struct(">I")
_FRAME_TIME: Final = struct.Struct(">Q")
_CLTU_HEAD: Final = struct.Struct(">QI")
_EPOCH_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)


class StationLinkError(ValueError):
    """The peer sent something that is no record of this protocol; close the connection."""


class Service(StrEnum):
    """What one connection is for."""

    RETURN = "return"  # telemetry frames, station to ground
    FORWARD = "forward"  # CLTUs, ground to station
    JOURNAL = "journal"  # which items of a contact the station radiated


class CltuState(StrEnum):
    """What became of a CLTU at the station."""

    RADIATED = "RADIATED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Ground to station, first: who asks for which service."""

    kind: ClassVar[int] = 1
    service: Service
    spacecraft: str
    antenna: str
    contact: int
    epoch: int
    relay: str = ""  # the spacecraft to point at, where it carries the other one's signals
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Station to ground: the service begins."""

    kind: ClassVar[int] = 2
    station: str
    antenna: str
    mission_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Station to ground: the service is not given; the connection closes."""

    kind: ClassVar[int] = 3
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TmFrameReceived:
    """Station to ground: one transfer frame, without sync marker, derandomised."""

    kind: ClassVar[int] = 4
    received_at: datetime  # earth receive time; microseconds are kept
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cltu:
    """Ground to station: radiate these octets once."""

    kind: ClassVar[int] = 5
    item: int
    epoch: int  # of the executor's lease; the station refuses a lower one than it has seen
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CltuReport:
    """Station to ground: what became of a CLTU."""

    kind: ClassVar[int] = 6
    item: int
    state: CltuState
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Station to ground, every few seconds: where the antenna points."""

    kind: ClassVar[int] = 7
    at: datetime
    azimuth_deg: float
    elevation_deg: float
    range_m: float
    range_rate_m_s: float
    carrier_lock: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Station to ground: the items of a contact that were radiated."""

    kind: ClassVar[int] = 8
    contact: int
    radiated: tuple[int, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """Station to ground: the service ends."""

    kind: ClassVar[int] = 9
    reason: str


Message = Hello | Welcome | Refused | TmFrameReceived | Cltu | CltuReport | Status | Journal | Bye


def encode(message: Message) -> bytes:
    """Return *message* as one record.

    Raises:
        StationLinkError: the record would be longer than ``MAX_RECORD_OCTETS``,
            or an item or epoch does not fit its field.
    """
    payload = _payload(message)
    if len(payload) >= MAX_RECORD_OCTETS:
        raise StationLinkError(
            f"a record of {len(payload) + 1} octets; 1 to {MAX_RECORD_OCTETS} are allowed"
        )
    return _LENGTH.pack(len(payload) + 1) + bytes([message.kind]) + payload


def _payload(message: Message) -> bytes:
    if isinstance(message, TmFrameReceived):
        microseconds = (message.received_at - _EPOCH_1970) // timedelta(microseconds=1)
        return _pack(_FRAME_TIME, microseconds * 1000) + message.octets
    if isinstance(message, Cltu):
        return _pack(_CLTU_HEAD, message.item, message.epoch) + message.octets
    return _to_json(message)


def _pack(layout: struct.Struct, *values: int) -> bytes:
    try:
        return layout.pack(*values)
    except struct.error as error:
        raise StationLinkError(f"{values} does not fit its fields: {error}") from error


class MessageDecoder:
    """Turns the octets of one connection into messages, however they were cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, octets: bytes) -> list[Message]:
        """Take octets from the peer and return the messages that they complete.

        Raises:
            StationLinkError: not a record of this protocol. What came before
                the bad record in the same call is lost with the connection.
        """
        self._buffer += octets
        messages: list[Message] = []
        offset = 0
        while len(self._buffer) - offset >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, offset)
            if not 1 <= length <= MAX_RECORD_OCTETS:
                raise StationLinkError(
                    f"a record of {length} octets; 1 to {MAX_RECORD_OCTETS} are allowed"
                )
            end = offset + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            kind = self._buffer[offset + _LENGTH.size]
            messages.append(_decode(kind, bytes(self._buffer[offset + _LENGTH.size + 1 : end])))
            offset = end
        del self._buffer[:offset]
        return messages


def _to_json(message: Any) -> bytes:
    values = {
        name: _instant(value) if isinstance(value, datetime) else value
        for name in message.__dataclass_fields__
        for value in (getattr(message, name),)
    }
    return json.dumps(values, separators=(",", ":")).encode()


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _decode(kind: int, payload: bytes) -> Message:
    try:
        if kind == TmFrameReceived.kind:
            (nanoseconds,) = _FRAME_TIME.unpack_from(payload)
            return TmFrameReceived(
                received_at=_EPOCH_1970 + timedelta(microseconds=nanoseconds // 1000),
                octets=payload[_FRAME_TIME.size :],
            )
        if kind == Cltu.kind:
            item, epoch = _CLTU_HEAD.unpack_from(payload)
            return Cltu(item=item, epoch=epoch, octets=payload[_CLTU_HEAD.size :])
        return _decode_json(kind, payload)
    except (struct.error, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StationLinkError(f"a record of kind {kind} that cannot be read: {error}") from error


def _decode_json(kind: int, payload: bytes) -> Message:
    if kind not in _JSON_READERS:
        raise StationLinkError(f"unknown record kind {kind}; 1 to 9 are defined")
    values = json.loads(payload, parse_constant=_refuse_constant)
    if not isinstance(values, dict):
        raise StationLinkError("its payload is not a JSON object")
    return _JSON_READERS[kind](values)


def _refuse_constant(name: str) -> float:
    raise StationLinkError(f"{name} is no JSON number")


def _read_hello(values: dict[str, Any]) -> Hello:
    return Hello(
        version=_integer(values, "version"),
        service=Service(values["service"]),
        spacecraft=_text(values, "spacecraft"),
        antenna=_text(values, "antenna"),
        contact=_integer(values, "contact"),
        epoch=_integer(values, "epoch"),
        relay=_text(values, "relay") if "relay" in values else "",
    )


def _read_welcome(values: dict[str, Any]) -> Welcome:
    return Welcome(
        station=_text(values, "station"),
        antenna=_text(values, "antenna"),
        mission_time=_instant_in(values, "mission_time"),
    )


def _read_refused(values: dict[str, Any]) -> Refused:
    return Refused(reason=_text(values, "reason"))


def _read_report(values: dict[str, Any]) -> CltuReport:
    return CltuReport(
        item=_integer(values, "item"),
        state=CltuState(values["state"]),
        reason=_text(values, "reason"),
        at=_instant_in(values, "at"),
    )


def _read_status(values: dict[str, Any]) -> Status:
    return Status(
        at=_instant_in(values, "at"),
        azimuth_deg=_number(values, "azimuth_deg"),
        elevation_deg=_number(values, "elevation_deg"),
        range_m=_number(values, "range_m"),
        range_rate_m_s=_number(values, "range_rate_m_s"),
        carrier_lock=_flag(values, "carrier_lock"),
    )


def _read_journal(values: dict[str, Any]) -> Journal:
    items = values["radiated"]
    if not isinstance(items, list) or any(type(item) is not int for item in items):
        raise StationLinkError("'radiated' is not a list of item numbers")
    return Journal(contact=_integer(values, "contact"), radiated=tuple(items))


def _read_bye(values: dict[str, Any]) -> Bye:
    return Bye(reason=_text(values, "reason"))


def _integer(values: dict[str, Any], name: str) -> int:
    value = values[name]
    if type(value) is not int:  # True is an int to isinstance
        raise StationLinkError(f"{name!r} is {value!r}, not an integer")
    return value


def _number(values: dict[str, Any], name: str) -> float:
    value = values[name]
    if type(value) not in (int, float) or not math.isfinite(value):
        raise StationLinkError(f"{name!r} is {value!r}, not a finite number")
    return float(value)


def _flag(values: dict[str, Any], name: str) -> bool:
    value = values[name]
    if not isinstance(value, bool):
        raise StationLinkError(f"{name!r} is {value!r}, neither true nor false")
    return value


def _text(values: dict[str, Any], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise StationLinkError(f"{name!r} is {value!r}, not a string")
    return value


def _instant_in(values: dict[str, Any], name: str) -> datetime:
    instant = datetime.fromisoformat(_text(values, name))
    if instant.tzinfo is None:
        raise StationLinkError(f"{name!r} {values[name]!r} has no zone; UTC with Z is required")
    return instant.astimezone(UTC)


_JSON_READERS: Final[dict[int, Callable[[dict[str, Any]], Message]]] = {
    Hello.kind: _read_hello,
    Welcome.kind: _read_welcome,
    Refused.kind: _read_refused,
    CltuReport.kind: _read_report,
    Status.kind: _read_status,
    Journal.kind: _read_journal,
    Bye.kind: _read_bye,
}
