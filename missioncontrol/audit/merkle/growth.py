"""One step of growth: leaf hashes in, the tiles to write and the new root out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from missioncontrol.audit.merkle.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    TileNodes,
    TileReader,
    encode_tile,
    parse_tile,
    tile_at,
    tiles_for_growth,
)
from missioncontrol.audit.merkle.tree import frontier_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What a log must store before it may publish the checkpoint of *size*."""

    size: int
    root: bytes
    tiles: tuple[tuple[Tile, bytes], ...]  # coordinates and octets


def grow(*, old_size: int, leaves: Sequence[bytes], read_tile: TileReader) -> Growth:
    """Append leaf hashes to a log of *old_size* and return its new tiles and root.

    Nothing is stored: the caller writes the tiles, then publishes the root.

    Args:
        old_size: Size of the last published checkpoint.
        leaves: Leaf hashes of the new entries, in order.
        read_tile: Gives the stored tiles of the log of *old_size*.

    Raises:
        FormatError: A stored tile has the wrong length.
    """
    nodes = TileNodes(size=old_size, read_tile=read_tile)
    frontier = frontier_at(size=old_size, read_node=nodes)
    added: dict[int, list[bytes]] = {}  # by tile level
    for leaf in leaves:
        for node in frontier.append(leaf):
            if node.level % TILE_HEIGHT == 0:
                added.setdefault(node.level // TILE_HEIGHT, []).append(node.hash)
    return Growth(
        size=frontier.size,
        root=frontier.root(),
        tiles=tuple(
            (tile, _tile_octets(tile, old_size, added[tile.level], read_tile))
            for tile in tiles_for_growth(old=old_size, new=frontier.size)
        ),
    )


def _tile_octets(tile: Tile, old_size: int, added: list[bytes], read_tile: TileReader) -> bytes:
    """Return *tile*: what its partial predecessor held, then what its level gained."""
    had = old_size >> (TILE_HEIGHT * tile.level)  # hashes of this level before
    begin = tile.index * TILE_WIDTH
    kept: list[bytes] = []
    if begin < had:
        before = tile_at(level=tile.level, index=tile.index, size=old_size)
        kept = parse_tile(read_tile(before), tile=before)
    start = begin + len(kept) - had
    return encode_tile(kept + added[start : start + tile.width - len(kept)])
