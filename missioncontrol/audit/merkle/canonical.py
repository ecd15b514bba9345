"""Entries as octets: one JSON value, one spelling.

The octets are stored verbatim and hashed; nobody serialises an entry again.

Source: RFC 8785 (JSON Canonicalization Scheme).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import rfc8785

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.json_object import read_object
from missioncontrol.audit.merkle.tiles import MAX_ENTRY_OCTETS

MAX_DEPTH: Final = 32  # objects and lists inside each other; ours have three
MAX_INTEGER: Final = 2**53 - 1  # beyond it, readers that use doubles see another number
_ENTRY: Final = "The entry"


class EntryError(ValueError):
    """What we wanted to log cannot be an entry. Our fault, not a finding about the log."""


def canonical_entry(value: Mapping[str, Any], *, what: str = _ENTRY) -> bytes:
    """Return the octets of an entry, or of what an entry is committed to.

    Args:
        value: A JSON object. Times, decimals and the like go in as strings.
        what: What it is, for the message.

    Raises:
        EntryError: Something in it has no canonical JSON, or the entry is
            longer than 65,535 octets. The text names the place.
    """
    if not isinstance(value, dict):
        raise EntryError(f"{what} must be a JSON object, not a {type(value).__name__}.")
    for place, fault in _faults(value, place="", depth=1):
        raise EntryError(f"{what} cannot be logged: {place or 'it'} {fault}.")
    octets = rfc8785.dumps(value)
    if len(octets) > MAX_ENTRY_OCTETS:
        raise EntryError(
            f"{what} has {len(octets)} octets; the limit is {MAX_ENTRY_OCTETS}. "
            "Log a digest of what is large."
        )
    return octets


def read_entry(octets: bytes) -> dict[str, Any]:
    """Return the object in an entry's octets, which must be in canonical form.

    Raises:
        FormatError: Not a JSON object, or spelled in another way than RFC 8785's.
    """
    value = read_object(octets, what=_ENTRY)
    try:
        canonical = canonical_entry(value)
    except EntryError as error:
        raise FormatError(f"{_ENTRY} is not canonical: {error}") from error
    if canonical != octets:
        raise FormatError(f"{_ENTRY} is JSON, but not in the canonical form of RFC 8785.")
    return value


def _faults(value: object, *, place: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield (place, fault) for everything that has no canonical JSON."""
    if depth > MAX_DEPTH:
        yield place, f"lies more than {MAX_DEPTH} levels deep"
    elif isinstance(value, dict):
        yield from _key_faults(value, place)
        for key, item in value.items():
            yield from _faults(item, place=f"{place}/{key}", depth=depth + 1)
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from _faults(item, place=f"{place}/{at}", depth=depth + 1)
    else:
        fault = _scalar_fault(value)
        if fault is not None:
            yield place, fault


def _key_faults(value: dict[Any, Any], place: str) -> Iterator[tuple[str, str]]:
    for key in value:
        if not isinstance(key, str):
            yield place, f"has the key {key!r}, which is not a string"
        elif _has_surrogate(key):
            yield place, f"has the key {key!a}, which is not Unicode text"


def _scalar_fault(value: object) -> str | None:
    match value:
        case None | bool():
            return None
        case str():
            return "is not Unicode text" if _has_surrogate(value) else None
        case int():
            if abs(value) > MAX_INTEGER:
                return "is an integer beyond 2**53 - 1; write it as a string"
            return None
        case float():
            return _float_fault(value)
        case _:
            return f"is a {type(value).__name__}; write it as a string"


def _float_fault(value: float) -> str | None:
    if not math.isfinite(value):
        return f"is {value}, which JSON lacks"
    # Written without a fraction it would be read as an integer, and refused as one.
    if value.is_integer() and abs(value) > MAX_INTEGER:
        return "is a whole number beyond 2**53 - 1; write it as a string"
    return None


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)
