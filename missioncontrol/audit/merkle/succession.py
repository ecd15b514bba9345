"""From one key of a log to the next: an old key tells its successor.

A log that changes its key says so in an entry, which stands under a checkpoint
that the old key signed. The receipt of that entry, with the entry inside it, is
the *announcement*: it alone leads somebody who knows the old key to the new one,
offline. A key that no announcement names is a stranger's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from missioncontrol.audit.merkle.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    open_checkpoint,
)
from missioncontrol.audit.merkle.errors import FormatError, FreshnessError
from missioncontrol.audit.merkle.json_object import read_object
from missioncontrol.audit.merkle.keys import KeyType, VerifierKey
from missioncontrol.audit.merkle.note import lines_of_known_keys, parse_note
from missioncontrol.audit.merkle.receipt import (
    Receipt,
    format_receipt,
    parse_receipt,
    verify_receipt,
)
from missioncontrol.audit.merkle.text_fields import show

ANNOUNCE: Final = "log.key.announce"  # the entry's action
MAX_KEYS: Final = 100  # that one verifier follows; a log changes its key once in years

# Gives the announcement that one key made of its successor, or None where there is none.
AnnouncementReader = Callable[[VerifierKey], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What an entry says: that one key follows another."""

    old: VerifierKey
    new: VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A successor that its predecessor vouched for."""

    key: VerifierKey
    checkpoint: Checkpoint  # that the predecessor signed; the log must continue it


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """A log's checkpoint, signed by the key that the caller trusts or by one announced since."""

    signed: SignedCheckpoint
    keys: tuple[VerifierKey, ...]  # the trusted one, then each one's successor
    earlier: tuple[Checkpoint, ...]  # under which they were announced; the log continues each

    @property
    def checkpoint(self) -> Checkpoint:
        """The state of the log."""
        return self.signed.checkpoint

    @property
    def signers(self) -> tuple[VerifierKey, ...]:
        """Those of ``keys`` whose signatures stand on the checkpoint and were verified."""
        lines = lines_of_known_keys(self.signed.note, keys=self.keys, key_type=KeyType.ED25519)
        return tuple(dict.fromkeys(key for key, _ in lines))


def announcement_details(change: KeyChange) -> dict[str, str]:
    """Return the details of an entry that announces a key."""
    return {"old": change.old.to_vkey(), "new": change.new.to_vkey()}


def read_key_change(entry: bytes) -> KeyChange:
    """Return the keys that an announcing entry names. Whether it was logged is not checked.

    Raises:
        FormatError: It announces no key, or one that cannot follow the other.
    """
    content = read_object(entry, what="The announcement")
    details = content.get("details")
    if content.get("action") != ANNOUNCE or not isinstance(details, dict):
        raise FormatError(
            f"The entry is of {show(str(content.get('action')))}; {ANNOUNCE} announces a key."
        )
    old, new = (VerifierKey.from_vkey(str(details.get(name, ""))) for name in ("old", "new"))
    if new.name != old.name or new.public_key == old.public_key:
        raise FormatError(
            f"{show(new.to_vkey())} cannot follow {show(old.to_vkey())}: a log keeps its name "
            "and changes its key."
        )
    if {old.type, new.type} != {KeyType.ED25519}:
        raise FormatError(f"A log signs with keys of type {KeyType.ED25519:#04x} only.")
    return KeyChange(old=old, new=new)


def write_announcement(receipt: bytes, *, entry: bytes) -> bytes:
    """Return the receipt of an announcing entry with that entry inside it."""
    return format_receipt(replace(parse_receipt(receipt), extra=entry))


def read_announcement(octets: bytes, *, old: VerifierKey, origin: str) -> Announcement:
    """Return the successor of *old* once it proved to be announced under its signature.

    Args:
        octets: As published below ``keys/``.
        old: A key of the log that the caller trusts.
        origin: The log's name.

    Raises:
        FormatError: Not an announcement, or that of another key's successor.
        VerificationError: It does not stand in a log that *old* signed.
    """
    receipt: Receipt = parse_receipt(octets)
    if receipt.extra is None:
        raise FormatError("The announcement does not hold its entry.")
    verified = verify_receipt(receipt, entry=receipt.extra, origin=origin, log_keys=[old])
    change = read_key_change(receipt.extra)
    if change.old != old:
        raise FormatError(
            f"The announcement is by {show(change.old.to_vkey())}, not by {show(old.to_vkey())}."
        )
    return Announcement(key=change.new, checkpoint=verified.checkpoint)


def open_head(
    octets: bytes, *, origin: str, key: VerifierKey, read_announcement_of: AnnouncementReader
) -> LogHead:
    """Return a checkpoint signed by *key*, or by a key that announcements lead to from it.

    Announcements are read only where the newest known key is not on the checkpoint.

    Args:
        octets: A signed note as published.
        origin: The log that the caller asked about.
        key: The key that the caller trusts.
        read_announcement_of: Gives announcements; what it gives is not trusted.

    Raises:
        FormatError: Not a checkpoint, or an announcement is none.
        SignatureError: No such key signed, or wrongly.
        OriginError: Another log's checkpoint.
        FreshnessError: The checkpoint is older than the announcement of its key.
    """
    note = parse_note(octets)
    keys, earlier = [key], list[Checkpoint]()
    while len(keys) < MAX_KEYS and not lines_of_known_keys(
        note, keys=keys[-1:], key_type=KeyType.ED25519
    ):
        announcement = read_announcement_of(keys[-1])
        if announcement is None:
            break
        found = read_announcement(announcement, old=keys[-1], origin=origin)
        keys.append(found.key)
        earlier.append(found.checkpoint)
    signed = open_checkpoint(octets, origin=origin, log_keys=keys)
    for each in earlier:
        if signed.checkpoint.size < each.size:
            raise FreshnessError(
                f"The checkpoint has size {signed.checkpoint.size}; its key was announced at size "
                f"{each.size}. It lost entries, or this is an old copy."
            )
    return LogHead(signed=signed, keys=tuple(keys), earlier=tuple(earlier))
