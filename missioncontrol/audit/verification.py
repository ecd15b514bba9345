"""Check the log in the database against the published checkpoint and the files.

Every row is compared with its own hash, with the columns it is searched by,
with the private part that it was committed to, and with the bundle and the tile
that the world sees.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from missioncontrol.audit.folder_verification import stored_entries, verify_tiles
from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.canonical import read_entry
from missioncontrol.audit.merkle.checkpoint import Checkpoint as TreeHead
from missioncontrol.audit.merkle.checkpoint import open_checkpoint
from missioncontrol.audit.merkle.errors import FormatError, LogMismatchError
from missioncontrol.audit.merkle.hashing import abbreviate, leaf_hash
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.log_verifier import verify_log
from missioncontrol.audit.merkle.succession import ANNOUNCE, LogHead, read_key_change
from missioncontrol.audit.merkle.text_fields import show
from missioncontrol.audit.merkle.tiles import TILE_WIDTH, bundles_for_growth, tile_at
from missioncontrol.audit.models import AuditEntry, Checkpoint, Opening
from missioncontrol.audit.opening_verification import OpeningsBeside, fault_in_opening

_CHUNK_ROWS = 2_000
_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDatabase:
    """What was checked and holds."""

    head: LogHead
    checkpoints: int  # signed tree heads in the database, the newest among them
    tiles: int
    bundles: int
    waiting: int  # entries that no published checkpoint covers yet
    private: int  # entries with a private part
    erased: int  # of which it was erased

    @property
    def checkpoint(self) -> TreeHead:
        """The state of the log."""
        return self.head.checkpoint


def verify_database(folder: LogFolder, *, key: VerifierKey) -> VerifiedDatabase:
    """Check all rows of the log, and the files, against the published checkpoint.

    The sequencer may run meanwhile: what it adds is counted as waiting. The work
    is done for everybody: a private part that cannot be seen is a missing one.

    Args:
        folder: This installation's log.
        key: The log's public key; if the log has changed its key since, what it
            announced under this one counts.

    Raises:
        LogMismatchError: The first thing that is wrong, with its index where
            an entry can be named.
        VerificationError: The checkpoint is missing, or signed by a key that
            nothing leads to from *key*.
    """
    keys = _signing_keys(folder.open_head(key=key))
    # Rows first: the file is always as new as they are.
    with _streamed(Checkpoint.objects.order_by("size")) as rows:
        noted = [_opened(row, keys) for row in rows]
    head = folder.open_head(key=key)
    size = head.checkpoint.size
    if noted and noted[-1].size > size:
        raise LogMismatchError(
            f"The database knows the published checkpoint of {noted[-1].size} entries, the file "
            f"has {size}: the file is an older one."
        )
    with closing(_checked_rows(folder, size=size)) as checked:
        verify_log(checked, checkpoint=head.checkpoint, earlier=[*noted, *head.earlier])
    return VerifiedDatabase(
        head=head,
        checkpoints=len(noted),
        tiles=verify_tiles(folder, size=size),
        bundles=len(bundles_for_growth(old=0, new=size)),
        waiting=_check_waiting(size),
        private=Opening.objects.count(),
        erased=Opening.objects.filter(erased_at__isnull=False).count(),
    )


def _signing_keys(head: LogHead) -> list[VerifierKey]:
    """Return the keys that may have signed noted checkpoints: also those before the trusted one.

    Which they were, the log's own entries say. They are believed here before
    they are checked; but each of them is checked below *head* like all entries,
    before anything is said to hold.
    """
    keys = list(head.keys)
    announced = AuditEntry.objects.filter(action=ANNOUNCE, log_index__lt=head.checkpoint.size)
    for octets in announced.order_by("-log_index").values_list("entry", flat=True):
        change = read_key_change(bytes(octets))
        if change.new in keys or change.old in keys:
            keys += [each for each in (change.old, change.new) if each not in keys]
    return keys


def _opened(row: Checkpoint, keys: Sequence[VerifierKey]) -> TreeHead:
    """Return a noted checkpoint, whose columns must say what was signed."""
    head = open_checkpoint(row.note.encode(), origin=keys[0].name, log_keys=keys).checkpoint
    if (row.size, bytes(row.root)) != (head.size, head.root):
        raise LogMismatchError(
            f"The checkpoint of {head.size} entries in the database was changed: its row says "
            f"{row.size} and {abbreviate(bytes(row.root))}, signed was {abbreviate(head.root)}."
        )
    return head


@contextmanager
def _streamed(rows: QuerySet[_Row]) -> Iterator[Iterator[_Row]]:
    """Give rows one after another; the database's cursor ends with the block.

    Left to an exception's traceback, PostgreSQL's would be closed whenever that
    is freed, in the middle of somebody else's transaction.
    """

    def stream() -> Generator[_Row, None, None]:
        yield from rows.iterator(chunk_size=_CHUNK_ROWS)

    with closing(stream()) as streamed:
        yield streamed


def _checked_rows(folder: LogFolder, *, size: int) -> Generator[tuple[bytes, bytes], None, None]:
    """Yield (octets of the row, hash in the tile) in order of index.

    Ends early where the rows do; the caller knows how many there must be.
    """
    indexed = AuditEntry.objects.filter(log_index__isnull=False).order_by("log_index")
    private = Opening.objects.filter(entry__log_index__isnull=False).order_by("entry__log_index")
    files = stored_entries(folder, size=size)
    with _streamed(indexed) as rows, _streamed(private) as openings:
        beside = OpeningsBeside(openings)
        for index, (row, (bundled, published)) in enumerate(zip(rows, files, strict=False)):
            if row.log_index != index:
                raise LogMismatchError(
                    f"Entry {index} is missing: the next row has the index {row.log_index}.",
                    index=index,
                )
            fault = _fault_in_row(row, beside.take(row)) or _fault_beside(
                row, bundled, published, index, size
            )
            if fault:
                raise LogMismatchError(f"Entry {index} (row {row.pk}): {fault}", index=index)
            yield bytes(row.entry), published


def _fault_in_row(row: AuditEntry, opening: Opening | None) -> str:
    """Say where a row contradicts itself or its private part; empty if it does not."""
    octets = bytes(row.entry)
    if leaf_hash(octets) != bytes(row.leaf_hash):
        return (
            f"its octets hash to {abbreviate(leaf_hash(octets))}, it was written with "
            f"{abbreviate(bytes(row.leaf_hash))}; one of the two was changed."
        )
    try:
        logged = read_entry(octets)
    except FormatError as fault:
        return str(fault)
    columns = {
        "action": row.action,
        "subject": row.subject,
        "actor": row.actor,
        "organisation": row.organisation,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }
    for name, value in columns.items():
        if logged.get(name) != value:
            return (
                f"the column {name} says {show(value)}, logged was "
                f"{show(str(logged.get(name)))}; the column was changed."
            )
    return fault_in_opening(row, logged, opening)


def _fault_beside(row: AuditEntry, bundled: bytes, published: bytes, index: int, size: int) -> str:
    """Say where a row contradicts the published files; empty if it does not."""
    if bytes(row.leaf_hash) != published:
        tile = tile_at(level=0, index=index // TILE_WIDTH, size=size)
        return (
            f"the row's octets hash to {abbreviate(bytes(row.leaf_hash))}, {tile.path} has "
            f"{abbreviate(published)} at this place."
        )
    if bytes(row.entry) != bundled:
        return (
            f"the entry bundle has other octets at this place; they hash to "
            f"{abbreviate(leaf_hash(bundled))}, the row's to {abbreviate(published)}."
        )
    return ""


def _check_waiting(size: int) -> int:
    """Check what is not published yet, row by row; return how many there are."""
    beyond = Q(log_index=None) | Q(log_index__gte=size)
    rows = AuditEntry.objects.filter(beyond).order_by("pk")
    private = Opening.objects.filter(entry__in=AuditEntry.objects.filter(beyond)).order_by("pk")
    waiting = 0
    with _streamed(rows) as streamed, _streamed(private) as openings:
        beside = OpeningsBeside(openings)
        for row in streamed:
            fault = _fault_in_row(row, beside.take(row))
            if fault:
                raise LogMismatchError(
                    f"Row {row.pk}, not yet in the tree: {fault}", index=row.log_index
                )
            waiting += 1
    return waiting
