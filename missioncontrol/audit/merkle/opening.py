r"""Openings: what stands behind an entry's commitment, and how that is checked.

Every member reads every entry. What is one member's business stands in an entry
only as a commitment:

    SHA-256("missioncontrol/opening/v1\n" || salt || payload)

The salt is 32 octets of chance, the payload a JSON object in the form of RFC
8785. Prefix and salt have fixed lengths, so no two pairs make the same octets.
Nobody can try out what the payload may be without the salt: once both are
erased, the commitment says nothing for ever, and the tree above it still holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from missioncontrol.audit.merkle.errors import FormatError, OpeningError
from missioncontrol.audit.merkle.hashing import abbreviate
from missioncontrol.audit.merkle.json_object import read_object
from missioncontrol.audit.merkle.text_fields import read_base64, read_hash, show, write_base64
from missioncontrol.audit.merkle.tiles import MAX_ENTRY_OCTETS

SALT_OCTETS: Final = 32
COMMITMENT_FIELD: Final = "commitment"  # of the entry
MAX_OPENING_OCTETS: Final = MAX_ENTRY_OCTETS + 100  # the payload and two lines

_PREFIX: Final = b"missioncontrol/opening/v1\n"
_HEADER: Final = "missioncontrol/opening@v1"
_SALT: Final = "salt "


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What only some may read; nothing in it is verified by having it."""

    salt: bytes  # 32 octets
    payload: bytes  # a JSON object, verbatim

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_OCTETS:
            raise FormatError(
                f"The opening's salt has {len(self.salt)} octets; it must have {SALT_OCTETS}."
            )

    def commitment(self) -> bytes:
        """Return what stands for this in the entry, 32 octets."""
        return sha256(_PREFIX + self.salt + self.payload).digest()


def commitment_in(entry: bytes) -> bytes | None:
    """Return the commitment that an entry holds, or None where it holds none.

    Raises:
        FormatError: The octets are no entry, or the commitment is no hash.
    """
    value = read_object(entry, what="The entry").get(COMMITMENT_FIELD)
    if value is None:
        return None
    if not isinstance(value, str):
        raise FormatError("The entry's commitment is not text.")
    return read_hash(value, field="The entry's commitment")


def verify_opening(opening: Opening, *, entry: bytes) -> dict[str, Any]:
    """Return the payload after it proved to be what *entry* was committed to.

    That the entry stands in the log is another question, which its receipt answers.

    Args:
        opening: As parsed.
        entry: The entry's octets, verbatim.

    Raises:
        FormatError: Entry or payload is no JSON object, or can be read in two ways.
        OpeningError: The entry has no private part, or another one.
    """
    committed = commitment_in(entry)
    if committed is None:
        raise OpeningError("The entry holds no commitment: it has no private part.")
    found = opening.commitment()
    if found != committed:
        raise OpeningError(
            f"The opening is not this entry's: salt and payload lead to {abbreviate(found)}, the "
            f"entry was committed to {abbreviate(committed)}."
        )
    return read_object(opening.payload, what="The private payload")


def format_opening(opening: Opening) -> bytes:
    """Return the opening as it is handed out; the payload ends it, without a newline."""
    return f"{_HEADER}\n{_SALT}{write_base64(opening.salt)}\n\n".encode() + opening.payload


def parse_opening(octets: bytes) -> Opening:
    """Return the parts of an opening.

    Raises:
        FormatError: Not an opening of version 1.
    """
    if len(octets) > MAX_OPENING_OCTETS:
        raise FormatError(
            f"The opening has {len(octets)} octets; the limit is {MAX_OPENING_OCTETS}."
        )
    head, separator, payload = octets.partition(b"\n\n")
    lines = head.decode("ascii", errors="replace").split("\n")
    if lines[0] != _HEADER:
        raise FormatError(f"The opening begins with {show(lines[0])}, not with {_HEADER}.")
    if not separator or len(lines) != 2 or not lines[1].startswith(_SALT):
        raise FormatError(
            f"An opening is the line {_HEADER}, a salt line, an empty line and the payload."
        )
    salt = read_base64(lines[1].removeprefix(_SALT), field="The opening's salt")
    return Opening(salt=salt, payload=payload)
