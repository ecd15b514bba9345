"""Telecommand packets read by the mission file's definitions, on board.

Written apart from the ground's encoder on purpose: two readings of one
definition that agree are worth more than one that is used twice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from missioncontrol.fleet.telecommands import ArgumentDefinition, TelecommandDefinition
from telemetry.ccsds.space_packet import TELECOMMAND, PacketError, decode_space_packet

ArgumentValue = int | float | str | bytes


class FailureCode(IntEnum):
    """Why a stage of verification failed (VER_CODE); 0 is success."""

    UNKNOWN_APID = 1
    UNKNOWN_FUNCTION = 2
    WRONG_LENGTH = 3
    ARGUMENT_OUT_OF_RANGE = 4
    NOT_A_TELECOMMAND = 5
    JOB_ALREADY_QUEUED = 6
    QUEUE_FULL = 7
    FILE_NOT_ON_BOARD = 10
    DIGEST_DIFFERS = 11
    ACCELERATOR_OFF = 12
    PROGRAM_FAILED = 13


class TelecommandRejectedError(ValueError):
    """The packet is no telecommand that can be executed."""

    def __init__(self, code: FailureCode, reason: str) -> None:
        self.code = code
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedTelecommand:
    """A telecommand with its arguments by name; an enum's is its label."""

    request_id: int
    name: str
    arguments: dict[str, ArgumentValue]


class TelecommandReader:
    """Reads packets by APID and function code."""

    def __init__(self, definitions: Iterable[TelecommandDefinition]) -> None:
        self._definitions: dict[int, dict[int, TelecommandDefinition]] = {}
        for definition in definitions:
            functions = self._definitions.setdefault(definition.apid, {})
            functions[definition.function_code] = definition

    def read(self, packet: bytes) -> ReceivedTelecommand:
        """Return the telecommand in *packet*.

        Raises:
            TelecommandRejectedError: unknown, too short, too long, or an
                argument outside what the definition allows.
        """
        try:
            decoded = decode_space_packet(packet)
        except PacketError as error:
            raise TelecommandRejectedError(FailureCode.WRONG_LENGTH, str(error)) from error
        if decoded.packet_type != TELECOMMAND or decoded.has_secondary_header:
            raise TelecommandRejectedError(
                FailureCode.NOT_A_TELECOMMAND, "not a telecommand packet without secondary header"
            )
        functions = self._definitions.get(decoded.apid)
        if functions is None:
            raise TelecommandRejectedError(
                FailureCode.UNKNOWN_APID, f"no telecommand has the APID {decoded.apid}"
            )
        definition = functions.get(decoded.data[0])
        if definition is None:
            raise TelecommandRejectedError(
                FailureCode.UNKNOWN_FUNCTION,
                f"APID {decoded.apid} has no function {decoded.data[0]}",
            )
        return ReceivedTelecommand(
            request_id=request_id_of(packet),
            name=definition.name,
            arguments=_read_arguments(definition, decoded.data[1:]),
        )


def request_id_of(packet: bytes) -> int:
    """Return what verification reports call a packet by: its first four octets."""
    return int.from_bytes(packet[:4], "big")


def _read_arguments(definition: TelecommandDefinition, data: bytes) -> dict[str, ArgumentValue]:
    values: dict[str, ArgumentValue] = {}
    offset = 0
    for argument in definition.arguments:
        length = _length_of(argument, data, offset)
        field = data[offset : offset + length]
        if len(field) != length or length == 0:
            raise TelecommandRejectedError(
                FailureCode.WRONG_LENGTH, f"{definition.name} ends within {argument.name}"
            )
        values[argument.name] = _READERS[argument.type](argument, field)
        offset += length
    if offset != len(data):
        raise TelecommandRejectedError(
            FailureCode.WRONG_LENGTH,
            f"{definition.name} has {len(data)} octets of arguments, expected {offset}",
        )
    return values


def _length_of(argument: ArgumentDefinition, data: bytes, offset: int) -> int:
    if argument.type == "octets":
        return argument.length or 0
    if argument.type == "string":
        return 1 + data[offset] if offset < len(data) else 0
    return struct.calcsize(_NUMBERS.get(argument.type, ">B"))


def _read_number(argument: ArgumentDefinition, field: bytes) -> ArgumentValue:
    (value,) = struct.unpack(_NUMBERS[argument.type], field)
    low, high = argument.limits()
    if not low <= value <= high:  # a NaN fails this as well
        raise _out_of_range(argument, value)
    number: int | float = value
    return number


def _read_enum(argument: ArgumentDefinition, field: bytes) -> ArgumentValue:
    for label, value in (argument.values or {}).items():
        if value == field[0]:
            return label
    raise _out_of_range(argument, field[0])


def _read_octets(_argument: ArgumentDefinition, field: bytes) -> ArgumentValue:
    return field


def _read_string(argument: ArgumentDefinition, field: bytes) -> ArgumentValue:
    if field[0] > (argument.length or 0):
        raise _out_of_range(argument, field[0])
    try:
        return field[1:].decode()
    except UnicodeDecodeError as error:
        raise _out_of_range(argument, field[1:]) from error


def _out_of_range(argument: ArgumentDefinition, value: object) -> TelecommandRejectedError:
    return TelecommandRejectedError(
        FailureCode.ARGUMENT_OUT_OF_RANGE, f"{argument.name} is {value!r}"
    )


_NUMBERS: Final = {
    "uint8": ">B",
    "uint16": ">H",
    "uint32": ">I",
    "int16": ">h",
    "int32": ">i",
    "float32": ">f",
}
_READERS: Final[dict[str, Callable[[ArgumentDefinition, bytes], ArgumentValue]]] = {
    **dict.fromkeys(_NUMBERS, _read_number),
    "enum": _read_enum,
    "octets": _read_octets,
    "string": _read_string,
}
