"""The log as files: tiles, entry bundles, the checkpoint and the keys in one folder.

No Django here, so that a member can check a copied folder with nothing but this
file and the mathematics. Files are written to last: the octets reach the disk
before the name does, and a name never stands for half a file.

Source: C2SP tlog-tiles for the layout; ``keys/`` is ours: below the identifier
of each key that was replaced lies the announcement of its successor.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from missioncontrol.audit.merkle.checkpoint import SignedCheckpoint, open_checkpoint
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.hashing import HASH_OCTETS
from missioncontrol.audit.merkle.keys import SigningKey, VerifierKey
from missioncontrol.audit.merkle.succession import LogHead, open_head, read_announcement
from missioncontrol.audit.merkle.tiles import (
    TILE_WIDTH,
    EntryBundle,
    Tile,
    encode_bundle,
    parse_bundle,
)

CHECKPOINT_FILE: Final = "checkpoint"
SIGNING_KEY_FILE: Final = "signing-key"
NEXT_SIGNING_KEY_FILE: Final = "next-signing-key"
VERIFIER_KEY_FILE: Final = "verifier-key"
_KEYS_FOLDER: Final = "keys"
_LOCK_FILE: Final = "sequencer.lock"
_PUBLIC: Final = 0o644
_SECRET: Final = 0o600


class MissingFileError(VerificationError):
    """The folder lacks a file that a log of this size has."""


class LogFolder:
    """One log's folder. Reading needs no lock: published files never change."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_checkpoint(self) -> bytes | None:
        """Return the signed note as published, or None before the first start."""
        return _read(self.path / CHECKPOINT_FILE)

    def open_head(self, *, key: VerifierKey) -> LogHead:
        """Return the published checkpoint, signed by *key* or by a key announced since.

        Raises:
            MissingFileError: There is none.
            VerificationError: It is not a checkpoint of the log that *key* is named after.
        """
        octets = self.read_checkpoint()
        if octets is None:
            raise MissingFileError(f"There is no checkpoint in {self.path}.")
        return open_head(
            octets, origin=key.name, key=key, read_announcement_of=self.read_announcement
        )

    def open_checkpoint(self, *, key: VerifierKey) -> SignedCheckpoint:
        """Return the published checkpoint; its origin is the name of *key*, which signed it.

        Raises:
            MissingFileError: There is none.
            VerificationError: It is not a checkpoint that *key* signed.
        """
        octets = self.read_checkpoint()
        if octets is None:
            raise MissingFileError(f"There is no checkpoint in {self.path}.")
        return open_checkpoint(octets, origin=key.name, log_keys=[key])

    def read_signing_key(self) -> SigningKey | None:
        """Return the private key, or None before the first start."""
        return self._read_secret(SIGNING_KEY_FILE)

    def read_next_signing_key(self) -> SigningKey | None:
        """Return the private key that is to take over, or None where none was made."""
        return self._read_secret(NEXT_SIGNING_KEY_FILE)

    def _read_secret(self, name: str) -> SigningKey | None:
        text = _read(self.path / name)
        return None if text is None else SigningKey.from_skey(text.decode().strip())

    def read_verifier_key(self) -> VerifierKey | None:
        """Return the public key that lies beside the log, or None before the first start."""
        text = _read(self.path / VERIFIER_KEY_FILE)
        return None if text is None else VerifierKey.from_vkey(text.decode().strip())

    def announced_successor(self, key: SigningKey) -> SigningKey | None:
        """Return the key that takes over from *key*, once everybody can read that it will.

        Raises:
            VerificationError: What *key* announced was changed.
        """
        following = self.read_next_signing_key()
        octets = self.read_announcement(key.verifier)
        if following is None or octets is None:
            return None
        announced = read_announcement(octets, old=key.verifier, origin=key.name)
        return following if announced.key == following.verifier else None

    def read_announcement(self, key: VerifierKey) -> bytes | None:
        """Return what *key* said of its successor, unverified, or None where there is nothing."""
        return self.read_announcement_by_id(key.key_id.hex())

    def read_announcement_by_id(self, key_id: str) -> bytes | None:
        """Return the same by a key's identifier, 8 hex digits."""
        return _read(self.path / announcement_path(key_id))

    def read_tile(self, tile: Tile) -> bytes:
        """Return a tile's octets; a partial one also when only the full one is kept.

        Raises:
            MissingFileError: The folder has neither.
        """
        octets = _read(self.path / tile.path)
        if octets is None:
            full = self._read_full(tile, Tile(tile.level, tile.index))
            octets = full[: tile.width * HASH_OCTETS]
        return octets

    def read_bundle(self, bundle: EntryBundle) -> bytes:
        """Return a bundle's octets; a partial one also when only the full one is kept.

        Raises:
            MissingFileError: The folder has neither.
            FormatError: The full one cannot be cut to the width asked for.
        """
        octets = _read(self.path / bundle.path)
        if octets is None:
            whole = EntryBundle(bundle.index)
            entries = parse_bundle(self._read_full(bundle, whole), bundle=whole)
            octets = encode_bundle(entries[: bundle.width])
        return octets

    def _read_full(self, place: Tile | EntryBundle, full: Tile | EntryBundle) -> bytes:
        octets = None if place == full else _read(self.path / full.path)
        if octets is None:
            raise MissingFileError(f"{place.path} is missing from {self.path}.")
        return octets

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other sequencers; waits for its turn.

        The system drops the lock with the process, however it ends.
        """
        _make_folder(self.path)
        with (self.path / _LOCK_FILE).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def write_keys(self, key: SigningKey) -> None:
        """Store a new log's keys. The folder is locked and has none yet."""
        self.write_verifier_key(key.verifier)
        _write(self.path / SIGNING_KEY_FILE, f"{key.to_skey()}\n".encode(), mode=_SECRET)
        _flush_folder(self.path)

    def write_next_signing_key(self, key: SigningKey) -> None:
        """Store the key that is to take over. The folder is locked."""
        _write(self.path / NEXT_SIGNING_KEY_FILE, f"{key.to_skey()}\n".encode(), mode=_SECRET)
        _flush_folder(self.path)

    def write_announcement(self, key: VerifierKey, octets: bytes) -> None:
        """Store what *key* said of its successor."""
        file = self.path / announcement_path(key.key_id.hex())
        _make_folder(file.parent)
        _write(file, octets, mode=_PUBLIC)
        _flush_folder(file.parent)

    def promote_next_signing_key(self) -> None:
        """Let the next key take over; the old one's secret is gone. The folder is locked."""
        os.replace(self.path / NEXT_SIGNING_KEY_FILE, self.path / SIGNING_KEY_FILE)
        _flush_folder(self.path)

    def write_verifier_key(self, key: VerifierKey) -> None:
        """Store the public key."""
        _write(self.path / VERIFIER_KEY_FILE, f"{key.to_vkey()}\n".encode(), mode=_PUBLIC)
        _flush_folder(self.path)

    def write_places(self, places: Iterable[tuple[Tile | EntryBundle, bytes]]) -> None:
        """Store tiles and bundles; when this returns they have reached the disk."""
        folders = set()
        for place, octets in places:
            file = self.path / place.path
            _make_folder(file.parent)
            _write(file, octets, mode=_PUBLIC)
            folders.add(file.parent)
        for folder in sorted(folders):
            _flush_folder(folder)

    def publish(self, checkpoint: SignedCheckpoint) -> None:
        """Make *checkpoint* the one that everybody reads: the moment of no return."""
        _write(self.path / CHECKPOINT_FILE, checkpoint.note.format(), mode=_PUBLIC)
        _flush_folder(self.path)

    def drop_partials(self, places: Iterable[Tile | EntryBundle]) -> None:
        """Delete the narrower versions of the full tiles and bundles among *places*.

        Whoever still asks for one gets it cut from the full one.
        """
        for place in places:
            if place.width == TILE_WIDTH:
                file = self.path / place.path
                shutil.rmtree(file.with_name(f"{file.name}.p"), ignore_errors=True)


def announcement_path(key_id: str) -> str:
    """Return where, below the log's prefix, lies what a key said of its successor."""
    return f"{_KEYS_FOLDER}/{key_id}"


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _write(file: Path, octets: bytes, *, mode: int) -> None:
    """Write *file* whole or not at all; its folder is flushed by the caller."""
    beside = file.with_name(f"{file.name}.tmp")  # one writer: the lock is held
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(beside, file)


def _make_folder(path: Path) -> None:
    """Make *path* and what lies above it, each name on the disk before the next."""
    if path.is_dir():
        return
    _make_folder(path.parent)
    path.mkdir(exist_ok=True)
    _flush_folder(path.parent)


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
