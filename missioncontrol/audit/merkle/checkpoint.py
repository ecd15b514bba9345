"""Checkpoints: the log's signed statement of its size and root.

Source: C2SP tlog-checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from missioncontrol.audit.merkle.errors import (
    FormatError,
    FreshnessError,
    OriginError,
    ProofError,
)
from missioncontrol.audit.merkle.hashing import EMPTY_ROOT, HASH_OCTETS, abbreviate
from missioncontrol.audit.merkle.keys import SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import Note, parse_note, sign_note, verify_note
from missioncontrol.audit.merkle.proofs import verify_consistency
from missioncontrol.audit.merkle.text_fields import (
    MAX_DECIMAL,
    read_decimal,
    read_hash,
    show,
    write_base64,
)

_REQUIRED_LINES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One state of one log."""

    origin: str
    size: int
    root: bytes  # 32 octets
    extension_lines: tuple[str, ...] = ()  # opaque; this log writes none

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extension_lines):
            if not line or any(sign < " " for sign in line):
                raise FormatError(f"{show(line)} cannot be a line of a checkpoint.")
        if not 0 <= self.size <= MAX_DECIMAL:
            raise FormatError(f"The checkpoint's size {self.size} is not from 0 to {MAX_DECIMAL}.")
        if len(self.root) != HASH_OCTETS:
            raise FormatError(
                f"The checkpoint's root has {len(self.root)} octets; a hash has {HASH_OCTETS}."
            )
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise FormatError(
                f"The checkpoint's size is 0 and its root {abbreviate(self.root)}; the empty "
                f"tree has {abbreviate(EMPTY_ROOT)}."
            )

    def body(self) -> str:
        """Return the note text: what the log signs and witnesses cosign."""
        lines = (self.origin, str(self.size), write_base64(self.root), *self.extension_lines)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint whose log signature was verified, with the note it came in."""

    checkpoint: Checkpoint
    note: Note  # cosignature lines in it are not verified by having this


def parse_checkpoint_body(text: str) -> Checkpoint:
    """Return the checkpoint in a note's text.

    Raises:
        FormatError: Not a checkpoint, or a second spelling of one.
    """
    if not text.endswith("\n"):
        raise FormatError("A checkpoint's body ends in a newline.")
    lines = text[:-1].split("\n")
    if len(lines) < _REQUIRED_LINES:
        raise FormatError(
            f"The checkpoint has {len(lines)} lines; origin, size and root make {_REQUIRED_LINES}."
        )
    origin, size, root, *extension = lines
    return Checkpoint(
        origin=origin,
        size=read_decimal(size, field="The checkpoint's size"),
        root=read_hash(root, field="The checkpoint's root"),
        extension_lines=tuple(extension),
    )


def sign_checkpoint(
    checkpoint: Checkpoint, *, key: SigningKey, successor: SigningKey | None = None
) -> SignedCheckpoint:
    """Sign a state of the log. Sign only what extends everything signed before.

    Args:
        checkpoint: The state.
        key: The log's key.
        successor: The key that takes over, while both sign.
    """
    note = sign_note(text=checkpoint.body(), key=key)
    if successor is not None:
        note = note.with_signatures(sign_note(text=note.text, key=successor).signatures)
    return SignedCheckpoint(checkpoint=checkpoint, note=note)


def open_checkpoint(
    octets: bytes, *, origin: str, log_keys: Sequence[VerifierKey]
) -> SignedCheckpoint:
    """Return the checkpoint in *octets* after its origin and log signature held.

    Args:
        octets: A signed note as published.
        origin: The log that the caller asked about.
        log_keys: Keys of type 0x01 that may sign for that log.

    Raises:
        FormatError: Not a checkpoint.
        SignatureError: Not signed by the log, or wrongly.
        OriginError: Another log's checkpoint.
    """
    note = parse_note(octets)
    verify_note(note, keys=log_keys)  # nothing in the text counts before this
    checkpoint = parse_checkpoint_body(note.text)
    if checkpoint.origin != origin:
        raise OriginError(
            f"The checkpoint is of the log {show(checkpoint.origin)}; "
            f"{show(origin)} was asked for."
        )
    return SignedCheckpoint(checkpoint=checkpoint, note=note)


def verify_extension(older: Checkpoint, newer: Checkpoint, *, proof: Sequence[bytes]) -> None:
    """Check that *newer* continues the history of *older*, which the caller trusts.

    From size 0 the proof must be empty: whatever the log holds, it continues
    the empty one.

    Raises:
        OriginError: The checkpoints are of different logs.
        FreshnessError: *newer* is smaller: an old state offered as the latest.
        SplitViewError: Same size, different roots.
        ProofError: The proof does not hold.
    """
    if older.origin != newer.origin:
        raise OriginError(
            f"A checkpoint of {show(newer.origin)} cannot extend one of {show(older.origin)}."
        )
    if newer.size < older.size:
        raise FreshnessError(
            f"The checkpoint has size {newer.size}; size {older.size} of this log was seen before."
        )
    if older.size == 0:
        _require_no_proof(newer.size, proof)
        return
    verify_consistency(
        old=older.size,
        new=newer.size,
        old_root=older.root,
        new_root=newer.root,
        proof=proof,
    )


def _require_no_proof(size: int, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofError(
            f"The proof from size 0 to size {size} has {len(proof)} hashes; it must be empty."
        )
