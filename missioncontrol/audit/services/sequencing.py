"""Put waiting entries into the tree and publish a signed checkpoint of it.

The order of the steps is what makes a crash harmless:

1. the database gives indices and commits: from here the order is fixed;
2. bundles and tiles are written, which follow from the indices alone;
3. the checkpoint file is replaced: from here the history is public;
4. the database notes the checkpoint: from here other rooms see it.

A run that finds 1 without 3 does 2 to 4 again with the same result; one that
finds 3 without 4 does 4. What the file has published and the database lacks
cannot be made up for, so then the log stands still (a second history under one
name is the one thing that it must never sign).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from missioncontrol.audit import selectors
from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import Checkpoint as TreeHead
from missioncontrol.audit.merkle.checkpoint import SignedCheckpoint, sign_checkpoint
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import EMPTY_ROOT, HASH_OCTETS, abbreviate, leaf_hash
from missioncontrol.audit.merkle.keys import SEED_OCTETS, KeyType, SigningKey
from missioncontrol.audit.merkle.tiles import (
    TILE_WIDTH,
    EntryBundle,
    Tile,
    TileNodes,
    bundles_for_growth,
    encode_bundle,
    parse_bundle,
    tile_at,
)
from missioncontrol.audit.merkle.tree import root_at
from missioncontrol.audit.models import AuditEntry, Checkpoint
from missioncontrol.kernel.errors import RefusedError

MAX_BATCH: Final = 5_000

# "log_index IS NULL", never "id > the last one": a transaction that commits late
# has an id below those that are in the tree already, and must not be passed over.
_GIVE_INDICES: Final = """
    UPDATE audit_auditentry SET log_index = %s + waiting.place
    FROM (
        SELECT id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS place
        FROM audit_auditentry WHERE log_index IS NULL ORDER BY id LIMIT %s
    ) AS waiting
    WHERE audit_auditentry.id = waiting.id
"""


class LogRefusedError(RefusedError):
    """The log will not grow as things are; it would contradict what it has signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenLog:
    folder: LogFolder
    key: SigningKey
    successor: SigningKey | None  # signs too, while one key takes over from the other
    published: SignedCheckpoint

    @property
    def size(self) -> int:
        return self.published.checkpoint.size


def sequence_entries(*, at: datetime) -> int:
    """Put at most ``MAX_BATCH`` committed entries into the tree and publish it.

    Call it outside any transaction; one caller works at a time, others wait.
    The first call makes the log: its key and the checkpoint of size 0.

    Args:
        at: Moment of publication, UTC (mission time).

    Returns:
        How many entries came under the published checkpoint; 0 when none waits.

    Raises:
        LogRefusedError: Database, folder and key do not belong together, or
            something in them was changed. Nothing was signed.
    """
    folder = selectors.log_folder()
    with folder.locked():
        try:
            log = _open(folder)
            _note_published(log, at=at)
            assigned = _give_indices(log)
            if assigned > log.size:
                _publish(log, assigned, at=at)
        except VerificationError as fault:
            raise LogRefusedError(
                f"The log in {folder.path} was not continued: {fault} Run "
                "`manage.py verify_log` to see where it went wrong."
            ) from fault
        return assigned - log.size


def _open(folder: LogFolder) -> _OpenLog:
    """Return the log as last published, after file and database agreed on it."""
    noted = Checkpoint.objects.order_by("-size").first()
    if folder.read_checkpoint() is None:
        return _start(folder, noted)
    key = folder.read_signing_key()
    if key is None:
        raise LogRefusedError(
            f"The signing key is missing from {folder.path}, which holds a published log. "
            "Restore the folder from a backup."
        )
    _require_origin(key)
    log = _OpenLog(
        folder=folder,
        key=key,
        successor=folder.announced_successor(key),
        published=folder.open_checkpoint(key=key.verifier),
    )
    _require_same_history(log, noted)
    return log


def _start(folder: LogFolder, noted: Checkpoint | None) -> _OpenLog:
    """Make a new log and publish its empty checkpoint."""
    if noted is not None or selectors.assigned_size():
        raise LogRefusedError(
            f"There is no checkpoint in {folder.path}, but the database knows a log of "
            f"{selectors.assigned_size()} entries. Restore LOG_DIR, with its signing key, from "
            "a backup, or point LOG_DIR to where it is."
        )
    key = folder.read_signing_key()
    if key is None:
        seed = secrets.token_bytes(SEED_OCTETS)
        key = SigningKey(name=settings.LOG_ORIGIN, type=KeyType.ED25519, seed=seed)
        folder.write_keys(key)
    _require_origin(key)
    empty = TreeHead(origin=key.name, size=0, root=EMPTY_ROOT)
    signed = sign_checkpoint(empty, key=key)
    log = _OpenLog(folder=folder, key=key, successor=None, published=signed)
    folder.publish(log.published)
    return log


def _require_origin(key: SigningKey) -> None:
    if key.name != settings.LOG_ORIGIN:
        raise LogRefusedError(
            f"LOG_ORIGIN is {settings.LOG_ORIGIN}, the signing key is that of the log "
            f"{key.name}. Set LOG_ORIGIN back, or give the new log a LOG_DIR and a database "
            "of its own."
        )


def _require_same_history(log: _OpenLog, noted: Checkpoint | None) -> None:
    """Refuse a database that is behind the file, a file behind the database, and a fork."""
    assigned = selectors.assigned_size()
    if assigned < log.size:
        raise LogRefusedError(
            f"The published checkpoint has {log.size} entries, the database has {assigned}: it "
            "was restored from an older backup, or replaced. Going on would fork the log. "
            f"Restore a database that holds all {log.size} entries."
        )
    if noted is None or noted.size < log.size:
        return
    if noted.size > log.size:
        raise LogRefusedError(
            f"The checkpoint file has {log.size} entries, the database knows the published "
            f"checkpoint of {noted.size}: LOG_DIR was restored from an older backup. Restore "
            "the newest copy of it."
        )
    if bytes(noted.root) != log.published.checkpoint.root:
        raise LogRefusedError(
            f"File and database have different checkpoints of size {log.size}, with roots "
            f"{abbreviate(log.published.checkpoint.root)} and {abbreviate(bytes(noted.root))}: "
            "the database belongs to another history. Restore the one that belongs to LOG_DIR."
        )


def _note_published(log: _OpenLog, *, at: datetime) -> None:
    """Give the published checkpoint its row, if a crash came between the two."""
    if not Checkpoint.objects.filter(size=log.size).exists():
        _require_published_end(log)
        _note(log.published, at=at)


def _give_indices(log: _OpenLog) -> int:
    """Give waiting entries their indices; return how many entries have one now.

    Entries that had theirs before a crash are published alone first, so that no
    batch grows beyond the limit.
    """
    assigned = selectors.assigned_size()
    if assigned > log.size or not AuditEntry.objects.filter(log_index=None).exists():
        return assigned
    _make_commits_durable()
    # Durable: inside a caller's transaction the checkpoint would be public before
    # the entries are committed.
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        Checkpoint.objects.select_for_update().get(size=0)
        cursor.execute(_GIVE_INDICES, [selectors.assigned_size(), MAX_BATCH])
    return selectors.assigned_size()


def _make_commits_durable() -> None:
    """Let a commit on this connection wait for the disk.

    The product's SQLite commits survive the end of a process, not always that
    of the machine. One durable commit takes along all that came before it in
    the write-ahead log, so that nothing is published that a power cut could
    still take back. PostgreSQL does so by default.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")


def _publish(log: _OpenLog, size: int, *, at: datetime) -> None:
    """Write what the tree of *size* needs, sign it and make it public."""
    _make_commits_durable()
    _require_published_root(log)
    _require_published_end(log)
    entries = list(_checked_entries(log.size, size))
    growth = grow(
        old_size=log.size,
        leaves=[leaf_hash(entry) for entry in entries],
        read_tile=log.folder.read_tile,
    )
    places = [*_bundles(log, size, entries), *growth.tiles]
    log.folder.write_places(places)
    head = TreeHead(origin=log.key.name, size=size, root=growth.root)
    signed = sign_checkpoint(head, key=log.key, successor=log.successor)
    log.folder.publish(signed)
    _note(signed, at=at)
    log.folder.drop_partials(place for place, _octets in places)


def _note(signed: SignedCheckpoint, *, at: datetime) -> None:
    Checkpoint.objects.create(
        size=signed.checkpoint.size,
        root=signed.checkpoint.root,
        note=signed.note.format().decode(),
        published_at=at,
    )


def _require_published_root(log: _OpenLog) -> None:
    """Refuse to build on tiles that are not the ones signed for."""
    nodes = TileNodes(size=log.size, read_tile=log.folder.read_tile)
    root = root_at(size=log.size, read_node=nodes)
    if root != log.published.checkpoint.root:
        raise LogRefusedError(
            f"The tiles in {log.folder.path} have the root {abbreviate(root)} at size {log.size}, "
            f"the checkpoint says {abbreviate(log.published.checkpoint.root)}: a tile was "
            "changed. Run `manage.py verify_log` and restore it from a copy."
        )


def _require_published_end(log: _OpenLog) -> None:
    """Refuse a database whose last published entry is not the one in the tiles."""
    if log.size == 0:
        return
    last = log.size - 1
    tile = tile_at(level=0, index=last // TILE_WIDTH, size=log.size)
    published = log.folder.read_tile(tile)[-HASH_OCTETS:]
    stored = AuditEntry.objects.values_list("leaf_hash", flat=True).filter(log_index=last).first()
    if stored is None or bytes(stored) != published:
        found = "is missing" if stored is None else f"has the hash {abbreviate(bytes(stored))}"
        raise LogRefusedError(
            f"Entry {last}, the last one published, {found} in the database; {tile.path} has "
            f"{abbreviate(published)}. Restore the database that belongs to LOG_DIR."
        )


def _checked_entries(begin: int, end: int) -> Iterator[bytes]:
    """Yield the octets of the entries from index *begin* to *end* - 1."""
    rows = AuditEntry.objects.filter(log_index__gte=begin, log_index__lt=end)
    found = begin
    for row in rows.order_by("log_index").only("log_index", "entry", "leaf_hash"):
        if row.log_index != found:
            break
        octets = bytes(row.entry)
        if leaf_hash(octets) != bytes(row.leaf_hash):
            raise LogRefusedError(
                f"Entry {found} (row {row.pk}) was changed before it was published: its octets "
                f"hash to {abbreviate(leaf_hash(octets))}, it was written with "
                f"{abbreviate(bytes(row.leaf_hash))}. Restore the row from a backup."
            )
        yield octets
        found += 1
    if found != end:
        raise LogRefusedError(
            f"Entry {found} is missing from the database, which has given out {end} indices. "
            "Restore the row from a backup."
        )


def _bundles(
    log: _OpenLog, size: int, added: list[bytes]
) -> Iterator[tuple[Tile | EntryBundle, bytes]]:
    """Yield the bundles that gained an entry; what was in one stays as published."""
    kept: list[bytes] = []
    begin = log.size - log.size % TILE_WIDTH
    if begin < log.size:
        before = EntryBundle(begin // TILE_WIDTH, log.size - begin)
        kept = parse_bundle(log.folder.read_bundle(before), bundle=before)
    entries = kept + added
    for bundle in bundles_for_growth(old=log.size, new=size):
        start = bundle.index * TILE_WIDTH - begin
        yield bundle, encode_bundle(entries[start : start + bundle.width])
