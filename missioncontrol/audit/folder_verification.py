"""Check a log from its files alone: bundles, tiles and the signed checkpoint.

No Django and no database: any member can run this on a copy of the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import Checkpoint
from missioncontrol.audit.merkle.errors import LogMismatchError, VerificationError
from missioncontrol.audit.merkle.hashing import abbreviate
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.log_verifier import verify_log
from missioncontrol.audit.merkle.succession import LogHead
from missioncontrol.audit.merkle.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    EntryBundle,
    Tile,
    bundles_for_growth,
    parse_bundle,
    parse_tile,
    tiles_for_growth,
)
from missioncontrol.audit.merkle.tree import TreeFrontier


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFolder:
    """What was checked and holds."""

    head: LogHead
    tiles: int
    bundles: int

    @property
    def checkpoint(self) -> Checkpoint:
        """The state of the log."""
        return self.head.checkpoint


def verify_folder(folder: LogFolder, *, key: VerifierKey) -> VerifiedFolder:
    """Check every file that a log of the published size has.

    Args:
        folder: The log, or a copy of it.
        key: The log's public key, from a source that the caller trusts; if the
            log has changed its key since, what it announced under this one counts.

    Raises:
        LogMismatchError: The first entry or tile that is wrong, with its index.
        VerificationError: The checkpoint is missing, or signed by a key that
            nothing leads to from *key*.
    """
    head = folder.open_head(key=key)
    size = head.checkpoint.size
    verify_log(stored_entries(folder, size=size), checkpoint=head.checkpoint, earlier=head.earlier)
    return VerifiedFolder(
        head=head,
        tiles=verify_tiles(folder, size=size),
        bundles=len(bundles_for_growth(old=0, new=size)),
    )


def stored_entries(folder: LogFolder, *, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (octets in the bundle, hash in the tile) of the first *size* entries.

    Raises:
        LogMismatchError: A file is missing or damaged; the index is that of the
            first entry in it.
    """
    for bundle in bundles_for_growth(old=0, new=size):
        first = bundle.index * TILE_WIDTH
        try:
            pairs = _read_pairs(folder, bundle)
        except VerificationError as fault:
            raise LogMismatchError(
                f"Entries {first} to {first + bundle.width - 1} cannot be read: {fault}",
                index=first,
            ) from fault
        yield from pairs


def _read_pairs(folder: LogFolder, bundle: EntryBundle) -> list[tuple[bytes, bytes]]:
    tile = Tile(0, bundle.index, bundle.width)
    entries = parse_bundle(folder.read_bundle(bundle), bundle=bundle)
    return list(zip(entries, parse_tile(folder.read_tile(tile), tile=tile), strict=True))


def verify_tiles(folder: LogFolder, *, size: int) -> int:
    """Check the tiles above the leaves against those below; return how many tiles there are.

    The leaves' own tiles are checked by whoever hashes the entries.

    Raises:
        LogMismatchError: A hash is not that of the tile below it.
        VerificationError: A tile is missing or has the wrong length.
    """
    tiles = tiles_for_growth(old=0, new=size)
    for tile in tiles:
        if tile.level:
            _verify_tile(folder, tile)
    return len(tiles)


def _verify_tile(folder: LogFolder, tile: Tile) -> None:
    span = 1 << (TILE_HEIGHT * tile.level)  # entries under one hash
    for offset, said in enumerate(parse_tile(folder.read_tile(tile), tile=tile)):
        below = Tile(tile.level - 1, tile.index * TILE_WIDTH + offset)
        frontier = TreeFrontier()
        frontier.extend(parse_tile(folder.read_tile(below), tile=below))
        if frontier.root() != said:
            first = (tile.index * TILE_WIDTH + offset) * span
            raise LogMismatchError(
                f"{tile.path} has the hash {abbreviate(said)} for entries {first} to "
                f"{first + span - 1}; {below.path} hashes to {abbreviate(frontier.root())}.",
                index=first,
            )
