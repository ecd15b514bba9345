"""Signed notes: a text, an empty line, and lines that sign it.

Source: C2SP signed-note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from missioncontrol.audit.merkle.errors import FormatError, SignatureError
from missioncontrol.audit.merkle.keys import (
    KEY_ID_OCTETS,
    SIGNATURE_OCTETS,
    KeyType,
    SigningKey,
    VerifierKey,
    check_key_name,
)
from missioncontrol.audit.merkle.text_fields import read_base64, show, write_base64

# The format leaves the limits to the verifier. 24 members with two keys each,
# post-quantum signatures of 5 kB among them, stay far below both.
MAX_NOTE_OCTETS: Final = 1_000_000
MAX_SIGNATURES: Final = 100

_LINE_START: Final = "\N{EM DASH} "
_SEPARATOR: Final = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """One line under a note. Says nothing before a known key verified it."""

    name: str
    key_id: bytes  # 4 octets
    payload: bytes  # what the key's type defines: a signature, or a time and a signature

    def format(self) -> str:
        """Return the line with its newline."""
        return f"{_LINE_START}{self.name} {write_base64(self.key_id + self.payload)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text and its signature lines, read but not yet verified."""

    text: str  # ends in a newline
    signatures: tuple[SignatureLine, ...]

    def format(self) -> bytes:
        """Return the note as it is published.

        Raises:
            FormatError: The text cannot stand in a note, or nobody signed.
        """
        octets = (self.text + "\n" + "".join(line.format() for line in self.signatures)).encode()
        if parse_note(octets) != self:
            raise FormatError("The text of a note must end in one newline and hold no controls.")
        return octets

    def with_signatures(self, lines: Iterable[SignatureLine]) -> Note:
        """Return the note with *lines*, which the caller has verified, added below.

        A line replaces an earlier one of the same name and key identifier: a
        witness that is asked again does not make the note longer, only fresher.
        """
        kept = {(line.name, line.key_id): line for line in self.signatures}
        kept.update({(line.name, line.key_id): line for line in lines})
        return Note(text=self.text, signatures=tuple(kept.values()))


def parse_note(octets: bytes) -> Note:
    """Return the parts of a signed note. No signature is verified.

    Raises:
        FormatError: Not a signed note, or beyond ``MAX_NOTE_OCTETS`` or
            ``MAX_SIGNATURES``.
    """
    document = _read_text(octets)
    # The text may hold empty lines; the last one parts it from the signatures.
    text, separator, below = document.rpartition(_SEPARATOR)
    if not separator or not below.endswith("\n"):
        raise FormatError(
            "A signed note is a text, an empty line and signature lines, each ended by a newline."
        )
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise FormatError(f"The note has {len(lines)} signatures; the limit is {MAX_SIGNATURES}.")
    return Note(text=text + "\n", signatures=tuple(parse_signature_line(line) for line in lines))


def parse_signature_line(line: str) -> SignatureLine:
    """Return one signature line, given without its newline.

    Raises:
        FormatError: Not a signature line.
    """
    name, separator, signature = line.removeprefix(_LINE_START).partition(" ")
    if not line.startswith(_LINE_START) or not separator:
        raise FormatError(
            f"{show(line)} is not a signature line: em dash, space, key name, space, base64."
        )
    check_key_name(name)
    octets = read_base64(signature, field=f"The signature of {show(name)}")
    if len(octets) <= KEY_ID_OCTETS:
        raise FormatError(
            f"The signature of {show(name)} has {len(octets)} octets; a key identifier alone "
            f"has {KEY_ID_OCTETS}."
        )
    return SignatureLine(name=name, key_id=octets[:KEY_ID_OCTETS], payload=octets[KEY_ID_OCTETS:])


def sign_note(*, text: str, key: SigningKey) -> Note:
    """Return *text* signed by one Ed25519 key of type 0x01.

    Raises:
        ValueError: The key is of another type.
        FormatError: The text cannot stand in a note.
    """
    if key.type is not KeyType.ED25519:
        raise ValueError(f"{key.name} is a key of type {key.type:#04x}; notes need 0x01.")
    line = SignatureLine(
        name=key.name, key_id=key.verifier.key_id, payload=key.sign(text.encode())
    )
    note = Note(text=text, signatures=(line,))
    note.format()  # what could not be read again is refused before it leaves
    return note


def verify_note(note: Note, *, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return the distinct keys of type 0x01 whose signatures hold, at least one.

    Lines of unknown keys are passed over, as the format demands. One wrong
    signature of a known key refuses the whole note.

    Args:
        note: As parsed.
        keys: Trusted keys of type 0x01.

    Raises:
        SignatureError: A known key's signature is wrong, or no known key signed.
        ValueError: One of *keys* is not of type 0x01.
    """
    verified = []
    for key, line in lines_of_known_keys(note, keys=keys, key_type=KeyType.ED25519):
        if len(line.payload) != SIGNATURE_OCTETS:
            raise SignatureError(
                f"The signature of {show(key.name)} has {len(line.payload)} octets; "
                f"Ed25519 has {SIGNATURE_OCTETS}."
            )
        key.verify(line.payload, note.text.encode())
        verified.append(key)
    if not verified:
        raise SignatureError(
            f"No trusted key signed. Trusted: {_names(key.name for key in keys)}; on the "
            f"note: {_names(line.name for line in note.signatures)}."
        )
    return tuple(dict.fromkeys(verified))


def lines_of_known_keys(
    note: Note, *, keys: Sequence[VerifierKey], key_type: KeyType
) -> list[tuple[VerifierKey, SignatureLine]]:
    """Return each line whose name and key identifier are those of one of *keys*.

    Raises:
        ValueError: One of *keys* is not of *key_type*: a mistake in our
            configuration, which would otherwise look like a missing signature.
    """
    for key in keys:
        if key.type is not key_type:
            raise ValueError(
                f"{key.name} is a key of type {key.type:#04x}; {key_type:#04x} is needed here."
            )
    known = {(key.name, key.key_id): key for key in keys}
    found = [(known.get((line.name, line.key_id)), line) for line in note.signatures]
    return [(key, line) for key, line in found if key is not None]


def _read_text(octets: bytes) -> str:
    if len(octets) > MAX_NOTE_OCTETS:
        raise FormatError(f"The note has {len(octets)} octets; the limit is {MAX_NOTE_OCTETS}.")
    try:
        document = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"The note is not UTF-8 at octet {error.start}.") from error
    for sign in document:
        if sign < " " and sign != "\n":
            raise FormatError(f"The note holds the control character U+{ord(sign):04X}.")
    return document


def _names(names: Iterable[str]) -> str:
    return ", ".join(show(name) for name in names) or "nobody"
