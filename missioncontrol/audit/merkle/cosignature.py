"""Cosignatures: a witness states when it saw a checkpoint, and that nothing was rewritten.

Source: C2SP tlog-cosignature, Ed25519 (type 0x04).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from missioncontrol.audit.merkle.checkpoint import Checkpoint
from missioncontrol.audit.merkle.errors import FreshnessError, QuorumError, SignatureError
from missioncontrol.audit.merkle.keys import (
    SIGNATURE_OCTETS,
    KeyType,
    SigningKey,
    VerifierKey,
)
from missioncontrol.audit.merkle.note import Note, SignatureLine, lines_of_known_keys
from missioncontrol.audit.merkle.text_fields import MAX_DECIMAL, show

_TIME_OCTETS: Final = 8
_PAYLOAD_OCTETS: Final = _TIME_OCTETS + SIGNATURE_OCTETS
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness's verified statement about a checkpoint."""

    witness: VerifierKey
    timestamp_s: int  # POSIX time at which the witness signed


def cosign(checkpoint: Checkpoint, *, key: SigningKey, at: datetime) -> SignatureLine:
    """Return a witness's line for a checkpoint.

    The caller has verified that the checkpoint extends all it saw before, and
    has stored it durably: two cosigned histories cannot be taken back.

    Args:
        checkpoint: The state that was verified.
        key: Witness key of type 0x04.
        at: Moment of signing, aware UTC; whole seconds are signed.

    Raises:
        ValueError: The key is of another type, or *at* lies before 1970.
    """
    if key.type is not KeyType.COSIGNATURE_V1:
        raise ValueError(f"{key.name} is a key of type {key.type:#04x}; cosigning needs 0x04.")
    timestamp_s = (at - _EPOCH) // timedelta(seconds=1)
    if timestamp_s < 0:
        raise ValueError(f"A cosignature cannot be dated {at.isoformat()}, before 1970.")
    return SignatureLine(
        name=key.name,
        key_id=key.verifier.key_id,
        payload=timestamp_s.to_bytes(_TIME_OCTETS, "big")
        + key.sign(_message(checkpoint.body(), timestamp_s)),
    )


def verify_cosignatures(note: Note, *, witnesses: Sequence[VerifierKey]) -> list[Cosignature]:
    """Return the cosignatures of known witnesses, one for each public key.

    The note's text must have been verified as the log's before. A key that
    signed twice counts once, by its latest time; so does a key that stands
    under two names, because this signature does not cover the name.

    Args:
        note: A checkpoint's note.
        witnesses: Trusted keys of type 0x04; lines of others are passed over.

    Returns:
        Zero or more, in the order of their first lines. Counting is the
        caller's: see :func:`require_quorum`.

    Raises:
        SignatureError: A known witness's cosignature is wrong.
        ValueError: One of *witnesses* is not of type 0x04.
    """
    latest: dict[bytes, Cosignature] = {}
    for key, line in lines_of_known_keys(note, keys=witnesses, key_type=KeyType.COSIGNATURE_V1):
        found = _verify_line(note.text, key, line)
        known = latest.get(key.public_key)
        if known is None or found.timestamp_s > known.timestamp_s:
            latest[key.public_key] = found
    return list(latest.values())


def require_quorum(cosignatures: Sequence[Cosignature], *, quorum: int) -> None:
    """Refuse fewer than *quorum* distinct witness keys.

    Raises:
        QuorumError: Too few.
    """
    names = {each.witness.public_key: each.witness.name for each in cosignatures}
    if len(names) < quorum:
        raise QuorumError(
            f"{len(names)} distinct witnesses cosigned, {quorum} are needed. "
            f"Cosigned: {', '.join(show(name) for name in names.values()) or 'nobody'}."
        )


def require_fresh(
    cosignatures: Sequence[Cosignature], *, at: datetime, max_age: timedelta, quorum: int
) -> None:
    """Refuse a checkpoint that fewer than *quorum* witnesses saw within *max_age*.

    Old checkpoints stay validly signed for ever; only the witnesses' times tell
    the latest from a replayed one.

    Args:
        cosignatures: As verified.
        at: Now, aware UTC.
        max_age: Freshness window. Clocks differ, so a time after *at* counts
            too, but no further than the window: a witness dated into the far
            future would keep a checkpoint fresh for ever.
        quorum: Distinct witnesses that must have signed inside the window.

    Raises:
        FreshnessError: Too few are young enough.
    """
    second = timedelta(seconds=1)
    earliest_s, latest_s = (at - max_age - _EPOCH) // second, (at + max_age - _EPOCH) // second
    fresh = {
        each.witness.public_key
        for each in cosignatures
        if earliest_s <= each.timestamp_s <= latest_s
    }
    if len(fresh) < quorum:
        raise FreshnessError(
            f"{len(fresh)} witnesses cosigned the checkpoint within {max_age} of "
            f"{at:%Y-%m-%dT%H:%M:%SZ}, {quorum} are needed. It may be an old one: fetch the "
            "latest."
        )


def _verify_line(text: str, key: VerifierKey, line: SignatureLine) -> Cosignature:
    if len(line.payload) != _PAYLOAD_OCTETS:
        raise SignatureError(
            f"The cosignature of {show(key.name)} has {len(line.payload)} octets; a time and "
            f"an Ed25519 signature have {_PAYLOAD_OCTETS}."
        )
    timestamp_s = int.from_bytes(line.payload[:_TIME_OCTETS], "big")
    if timestamp_s > MAX_DECIMAL:
        raise SignatureError(
            f"The cosignature of {show(key.name)} has the time {timestamp_s}; the limit is "
            f"{MAX_DECIMAL}."
        )
    key.verify(line.payload[_TIME_OCTETS:], _message(text, timestamp_s))
    return Cosignature(witness=key, timestamp_s=timestamp_s)


def _message(text: str, timestamp_s: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp_s}\n{text}".encode()
