"""Fields shared by the C2SP text formats, read strictly.

Strict means one spelling for each value: a second spelling would let two
documents differ while they verify alike.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Final

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.hashing import HASH_OCTETS

MAX_DECIMAL: Final = 2**63 - 1  # sizes, indices and POSIX times fit a signed 64-bit integer

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_SHOWN_CHARACTERS: Final = 60


def read_decimal(text: str, *, field: str) -> int:
    """Return an ASCII decimal without sign or leading zero, at most 2**63 - 1."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_DECIMAL:
        raise FormatError(
            f"{field} is {show(text)}; it must be an ASCII decimal from 0 to "
            f"{MAX_DECIMAL} without sign or leading zero."
        )
    return int(text)


def read_base64(text: str, *, field: str) -> bytes:
    """Return the octets of standard base64 (RFC 4648 section 4), padded, canonical."""
    try:
        octets = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise FormatError(f"{field} is not base64: {show(text)}.") from error
    # The bits that padding leaves unused could hide a second spelling.
    if write_base64(octets) != text:
        raise FormatError(f"{field} is not canonical base64: {show(text)}.")
    return octets


def read_hash(text: str, *, field: str) -> bytes:
    """Return the 32 octets of one base64 SHA-256 hash."""
    octets = read_base64(text, field=field)
    if len(octets) != HASH_OCTETS:
        raise FormatError(f"{field} has {len(octets)} octets; a hash has {HASH_OCTETS}.")
    return octets


def write_base64(octets: bytes) -> str:
    """Return standard base64 with padding."""
    return b64encode(octets).decode("ascii")


def show(text: str) -> str:
    """Return hostile text quoted, escaped and short enough for a message."""
    if len(text) > _SHOWN_CHARACTERS:
        return f"{text[:_SHOWN_CHARACTERS]!a}… ({len(text)} characters)"
    return f"{text!a}"
