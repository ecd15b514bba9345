"""Typed arguments into telecommand packets.

Pure. A telecommand packet is a Space Packet of type 1 without a secondary
header; its data are the function code (one octet) and the arguments,
big-endian, in the order of the definition. Source: CCSDS 133.0-B-2 section 4.1
for the packet; the rest is the convention of missioncontrol/fleet/telecommands.py.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from missioncontrol.fleet.telecommands import (
    INTEGER_RANGES,
    ArgumentDefinition,
    TelecommandDefinition,
)
from telemetry.ccsds.space_packet import TELECOMMAND, SpacePacket

# What JSON holds: numbers for numeric arguments, a label for an enum, hexadecimal
# digits for octets, text for a string.
ArgumentValue = int | float | str

_REQUEST_ID_OCTETS: Final = 4
_NUMBER_FORMATS: Final[dict[str, struct.Struct]] = {
    "uint8": struct.Struct(">B"),
    "uint16": struct.Struct(">H"),
    "uint32": struct.Struct(">I"),
    "int16": struct.Struct(">h"),
    "int32": struct.Struct(">i"),
    "float32": struct.Struct(">f"),
}
_INTEGER_TEXT: Final = re.compile(r"[+-]?[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class ArgumentProblem:
    """One wrong argument: which, what was given, what is allowed."""

    argument: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.argument}: {self.value}; allowed: {self.allowed}"


class ArgumentsError(ValueError):
    """The arguments do not fit the telecommand; ``problems`` lists every wrong one."""

    def __init__(self, name: str, problems: list[ArgumentProblem]) -> None:
        self.problems = tuple(problems)
        wrong = ". ".join(str(problem) for problem in problems)
        super().__init__(f"{name} cannot be made of these arguments. {wrong}.")


class _WrongValueError(ValueError):
    """The value does not fit; the text says what is allowed."""


def check_arguments(
    definition: TelecommandDefinition, arguments: Mapping[str, object]
) -> dict[str, ArgumentValue]:
    """Return *arguments* in their stored form, in the order of the definition.

    Numbers may come as text, as a form sends them; octets as ``bytes`` or as
    hexadecimal digits. Every argument must be given and none beside them.

    Raises:
        ArgumentsError: one or more do not fit.
    """
    checked: dict[str, ArgumentValue] = {}
    problems = []
    for argument in definition.arguments:
        if argument.name not in arguments:
            problems.append(ArgumentProblem(argument.name, "missing", describe(argument)))
            continue
        given = arguments[argument.name]
        try:
            checked[argument.name] = _CHECKS[argument.type](argument, given)
        except _WrongValueError as error:
            problems.append(ArgumentProblem(argument.name, _shown(given), str(error)))
    names = [argument.name for argument in definition.arguments]
    for name in sorted(arguments.keys() - set(names)):
        known = f"only {', '.join(names)}" if names else "no argument at all"
        problems.append(ArgumentProblem(name, _shown(arguments[name]), known))
    if problems:
        raise ArgumentsError(definition.name, problems)
    return checked


def describe(argument: ArgumentDefinition) -> str:
    """Return what *argument* may be, for a message or a form."""
    if argument.type == "enum":
        return f"one of {', '.join(argument.values or {})}"
    if argument.type == "octets":
        return f"{argument.length} octets ({2 * (argument.length or 0)} hexadecimal digits)"
    if argument.type == "string":
        return f"text of at most {argument.length} octets in UTF-8"
    low, high = argument.limits()
    kind = "a whole number from " if argument.type in INTEGER_RANGES else ""
    return f"{kind}{low:.15g} to {high:.15g}{' ' if argument.unit else ''}{argument.unit}"


def encode_telecommand(
    definition: TelecommandDefinition,
    arguments: Mapping[str, object],
    *,
    sequence_count: int,
) -> bytes:
    """Return the telecommand packet, primary header included.

    Args:
        definition: What the packet looks like.
        arguments: Their values, by name.
        sequence_count: Packet sequence count of the APID, 0 to 16383.

    Raises:
        ArgumentsError: an argument does not fit.
        PacketError: the sequence count is outside its range.
    """
    checked = check_arguments(definition, arguments)
    data = bytes([definition.function_code]) + b"".join(
        _encode(argument, checked[argument.name]) for argument in definition.arguments
    )
    return SpacePacket(
        packet_type=TELECOMMAND,
        apid=definition.apid,
        sequence_count=sequence_count,
        data=data,
    ).encode()


def request_id(packet: bytes) -> int:
    """Return the number that verification reports call *packet* by.

    Packet identification (16 bits), then packet sequence control (16 bits).
    """
    return int.from_bytes(packet[:_REQUEST_ID_OCTETS], "big")


def _check_integer(argument: ArgumentDefinition, value: object) -> int:
    if isinstance(value, str) and _INTEGER_TEXT.fullmatch(value.strip()):
        value = int(value)
    low, high = argument.limits()
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _WrongValueError(describe(argument))
    return value


def _check_float(argument: ArgumentDefinition, value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    low, high = argument.limits()
    if isinstance(value, bool) or not low <= number <= high:  # a NaN fails this as well
        raise _WrongValueError(describe(argument))
    return number


def _check_enum(argument: ArgumentDefinition, value: object) -> str:
    if not isinstance(value, str) or value not in (argument.values or {}):
        raise _WrongValueError(describe(argument))
    return value


def _check_octets(argument: ArgumentDefinition, value: object) -> str:
    try:
        octets = bytes.fromhex(value) if isinstance(value, str) else value
    except ValueError:
        octets = None
    if not isinstance(octets, bytes) or len(octets) != argument.length:
        raise _WrongValueError(describe(argument))
    return octets.hex()


def _check_string(argument: ArgumentDefinition, value: object) -> str:
    try:
        octets = value.encode() if isinstance(value, str) else None
    except UnicodeEncodeError:  # half of a surrogate pair
        octets = None
    if octets is None or len(octets) > (argument.length or 0):
        raise _WrongValueError(describe(argument))
    return octets.decode()


_CHECKS: Final[dict[str, Callable[[ArgumentDefinition, object], ArgumentValue]]] = {
    **dict.fromkeys(INTEGER_RANGES, _check_integer),
    "float32": _check_float,
    "enum": _check_enum,
    "octets": _check_octets,
    "string": _check_string,
}


def _encode(argument: ArgumentDefinition, value: Any) -> bytes:
    """Return the octets of a checked value."""
    if argument.type == "enum":
        return bytes([(argument.values or {})[value]])
    if argument.type == "octets":
        return bytes.fromhex(value)
    if argument.type == "string":
        octets = str(value).encode()
        return bytes([len(octets)]) + octets
    return _NUMBER_FORMATS[argument.type].pack(value)


def _shown(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 70 else f"{text[:60]}… ({len(text)} characters)"
