"""Checking a whole log from wherever it is read, each file once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from missioncontrol.audit.merkle.checkpoint import Checkpoint, verify_extension
from missioncontrol.audit.merkle.errors import (
    FreshnessError,
    LogMismatchError,
    ProofError,
    SplitViewError,
    VerificationError,
)
from missioncontrol.audit.merkle.hashing import abbreviate
from missioncontrol.audit.merkle.log_verifier import verify_log
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    EntryBundle,
    Tile,
    TileNodes,
    bundles_for_growth,
    parse_bundle,
    parse_tile,
    tile_at,
    tiles_for_growth,
)
from missioncontrol.audit.merkle.tree import TreeFrontier, consistency_proof
from missioncontrol.client.log_source import LogSource
from missioncontrol.client.progress import Progress, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLog:
    """What was checked and holds."""

    checkpoint: Checkpoint
    tiles: int
    bundles: int


def verify_source(
    source: LogSource,
    *,
    head: Checkpoint,
    earlier: Sequence[Checkpoint] = (),
    progress: Progress = silent,
) -> VerifiedLog:
    """Check every entry, every leaf hash, every tile and the root of a log.

    Args:
        source: The log or a copy; nothing of it is trusted.
        head: Its checkpoint, whose signature was verified.
        earlier: Older ones of it, verified too, each of which it must continue.
        progress: Told after each bundle of entries.

    Raises:
        LogMismatchError: The first entry or tile that is wrong, with its index.
        UnreachableError: The source stopped answering.
    """
    roots: list[bytes] = []  # of full tiles of leaf hashes
    verify_log(_entries(source, head.size, roots, progress), checkpoint=head, earlier=earlier)
    _verify_upper_tiles(source, size=head.size, hashes=roots)
    return VerifiedLog(
        checkpoint=head,
        tiles=len(tiles_for_growth(old=0, new=head.size)),
        bundles=len(bundles_for_growth(old=0, new=head.size)),
    )


def refuse_older(kept: Checkpoint, head: Checkpoint, *, kept_by: str) -> None:
    """Refuse a checkpoint that the one kept from before rules out by its size or root alone.

    Raises:
        FreshnessError: *head* is smaller: the log was rolled back, or the copy is old.
        SplitViewError: Same size, different roots.
    """
    if head.size < kept.size:
        raise FreshnessError(
            f"Rolled back: the log now shows {_state(head)}, and {kept_by} kept "
            f"{_state(kept)}. It lost entries, or this is an old copy."
        )
    if head.size == kept.size and head.root != kept.root:
        raise _fork(kept, head, kept_by=kept_by)


def refuse_fork(kept: Checkpoint, head: Checkpoint, *, source: LogSource, kept_by: str) -> None:
    """Refuse a log that does not continue the one kept from before.

    The tiles may come anew from a source that answers differently each time:
    the proof made of them must lead to both roots.

    Args:
        kept: Checkpoint trusted from before.
        head: The present one, whose log was verified.
        source: The same log; its tiles give the consistency proof.
        kept_by: Who kept the earlier one, for the message.

    Raises:
        FreshnessError: As :func:`refuse_older`.
        SplitViewError: The history was rewritten.
    """
    refuse_older(kept, head, kept_by=kept_by)
    nodes = TileNodes(size=head.size, read_tile=source.read_tile)
    proof = consistency_proof(old=kept.size, new=head.size, read_node=nodes)
    try:
        verify_extension(kept, head, proof=proof)
    except ProofError as fault:
        raise _fork(kept, head, kept_by=kept_by) from fault


def read_pairs(source: LogSource, bundle: EntryBundle) -> list[tuple[bytes, bytes]]:
    """Return (octets, hash in the tile) of a bundle's entries, unverified.

    Raises:
        LogMismatchError: A file is missing or damaged; the index is that of the
            first entry in it.
    """
    first = bundle.index * TILE_WIDTH
    tile = Tile(0, bundle.index, bundle.width)
    try:
        entries = parse_bundle(source.read_bundle(bundle), bundle=bundle)
        hashes = parse_tile(source.read_tile(tile), tile=tile)
    except VerificationError as fault:
        raise LogMismatchError(
            f"Entries {first} to {first + bundle.width - 1} cannot be read: {fault}", index=first
        ) from fault
    return list(zip(entries, hashes, strict=True))


def _entries(
    source: LogSource, size: int, roots: list[bytes], progress: Progress
) -> Iterator[tuple[bytes, bytes]]:
    for bundle in bundles_for_growth(old=0, new=size):
        pairs = read_pairs(source, bundle)
        if bundle.width == TILE_WIDTH:
            # Taken from the tile's hashes, each of which verify_log compares next.
            roots.append(_root([stored for _, stored in pairs]))
        yield from pairs
        progress(min(size, (bundle.index + 1) * TILE_WIDTH), size)


def _verify_upper_tiles(source: LogSource, *, size: int, hashes: Sequence[bytes]) -> None:
    """Compare the tiles above the leaves with what the verified leaves lead to."""
    level = 1
    while hashes:
        groups = [hashes[at : at + TILE_WIDTH] for at in range(0, len(hashes), TILE_WIDTH)]
        for index, group in enumerate(groups):
            _verify_tile(source, tile_at(level=level, index=index, size=size), group)
        hashes = [_root(group) for group in groups if len(group) == TILE_WIDTH]
        level += 1


def _verify_tile(source: LogSource, tile: Tile, expected: Sequence[bytes]) -> None:
    span = 1 << (TILE_HEIGHT * tile.level)  # entries under one hash
    first = tile.index * TILE_WIDTH * span
    try:
        stored = parse_tile(source.read_tile(tile), tile=tile)
    except VerificationError as fault:
        raise LogMismatchError(
            f"The tile over the entries from {first} on cannot be read: {fault}", index=first
        ) from fault
    for offset, (said, computed) in enumerate(zip(stored, expected, strict=True)):
        if said != computed:
            begin = first + offset * span
            raise LogMismatchError(
                f"{tile.path} has the hash {abbreviate(said)} for entries {begin} to "
                f"{begin + span - 1}; the entries lead to {abbreviate(computed)}.",
                index=begin,
            )


def _root(hashes: Sequence[bytes]) -> bytes:
    frontier = TreeFrontier()
    frontier.extend(hashes)
    return frontier.root()


def _fork(kept: Checkpoint, head: Checkpoint, *, kept_by: str) -> SplitViewError:
    return SplitViewError(
        f"Forked: the log now shows {_state(head)}, which does not continue {_state(kept)}, "
        f"kept by {kept_by}. Both are signed: the log shows two histories."
    )


def _state(checkpoint: Checkpoint) -> str:
    return f"size {checkpoint.size} with root {write_base64(checkpoint.root)}"
