"""Octets as a hex view in which the fields of the dictionary are marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from missioncontrol.console.presentation.parameters import unit_text
from telemetry.selectors import ExaminedField

OCTETS_IN_A_LINE: Final = 16
MOST_SHOWN_OCTETS: Final = 4096
_MOST_TEXT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HexOctet:
    """One octet; ``fields`` are the numbers of those that have bits in it."""

    digits: str
    character: str
    fields: str
    mark: str  # "even", "odd" by the field; "shared" by several; empty: of none


@dataclass(frozen=True, slots=True, kw_only=True)
class HexLine:
    """Some octets that stand beside each other."""

    offset: str
    octets: list[HexOctet]
    padding: int  # places of octets that the last line has not


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One value as the table beside the octets has it."""

    number: int
    name: str
    description: str
    place: str
    raw: str
    value: str
    unit: str


def hex_lines(octets: bytes, fields: Sequence[ExaminedField] = ()) -> list[HexLine]:
    """Return the first octets, sixteen a line, each with the fields that it belongs to."""
    shown = octets[:MOST_SHOWN_OCTETS]
    owners: list[list[int]] = [[] for _ in shown]
    for number, field in enumerate(fields):
        if field.size_bits > 0:  # a text may have no octet
            first, end = field.offset_bits // 8, (field.offset_bits + field.size_bits + 7) // 8
            for octet in range(first, min(end, len(shown))):
                owners[octet].append(number)
    return [
        HexLine(
            offset=f"{begin:04x}",
            octets=[
                _octet(shown[at], owners[at])
                for at in range(begin, min(begin + OCTETS_IN_A_LINE, len(shown)))
            ],
            padding=max(0, begin + OCTETS_IN_A_LINE - len(shown)),
        )
        for begin in range(0, len(shown), OCTETS_IN_A_LINE)
    ]


def _octet(value: int, owners: Sequence[int]) -> HexOctet:
    mark = "shared" if len(owners) > 1 else ""
    if len(owners) == 1:
        mark = "odd" if owners[0] % 2 else "even"
    return HexOctet(
        digits=f"{value:02x}",
        character=chr(value) if 0x20 <= value < 0x7F else "·",
        fields=" ".join(map(str, owners)),
        mark=mark,
    )


def field_rows(fields: Sequence[ExaminedField]) -> list[FieldRow]:
    """Return the rows of the table; their numbers are those in the hex view."""
    return [
        FieldRow(
            number=number,
            name=field.name,
            description=field.description,
            place=place_text(field.offset_bits, field.size_bits),
            raw=_text(field.raw),
            value=_text(field.value),
            unit=unit_text(field.unit),
        )
        for number, field in enumerate(fields)
    ]


def place_text(offset_bits: int, size_bits: int) -> str:
    """Return a place as readers of a packet definition say it: ``6.4…8.1``, octet and bit.

    Whole octets go without bits: ``12…13``. What lies nowhere has no place.
    """
    if size_bits <= 0:
        return ""
    first, first_bit = divmod(offset_bits, 8)
    last, last_bit = divmod(offset_bits + size_bits - 1, 8)
    if first_bit == 0 and last_bit == 7:
        return f"{first}" if first == last else f"{first}…{last}"
    if size_bits == 1:
        return f"{first}.{first_bit}"
    return f"{first}.{first_bit}…{last}.{last_bit}"


def _text(value: float | int | str | None) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"
