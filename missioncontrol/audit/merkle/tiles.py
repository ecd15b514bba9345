"""Tiles and entry bundles: how the tree and its entries are stored and served.

A tile holds up to 256 consecutive hashes of one tile level; tile level *L* is
node level ``8 * L`` of the tree. A bundle holds up to 256 entries.

Source: C2SP tlog-tiles, "Merkle Tree" and "Log entries".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.hashing import HASH_OCTETS, node_hash
from missioncontrol.audit.merkle.text_fields import MAX_DECIMAL, show

TILE_HEIGHT: Final = 8  # levels of the tree in one tile
TILE_WIDTH: Final = 1 << TILE_HEIGHT  # hashes in a full tile, entries in a full bundle
MAX_TILE_LEVEL: Final = 63
MAX_ENTRY_OCTETS: Final = 0xFFFF  # a bundle gives each entry's length in 16 bits

_LENGTH_OCTETS: Final = 2
_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Coordinates of one tile of hashes."""

    level: int  # tile level, 0 holds leaf hashes
    index: int  # within the level
    width: int = TILE_WIDTH  # hashes in it; fewer than 256 make it partial

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_TILE_LEVEL:
            raise ValueError(f"Tile level {self.level} is not from 0 to {MAX_TILE_LEVEL}.")
        _check_place(self.index, self.width)

    @property
    def path(self) -> str:
        """Path below the log's prefix, e.g. ``tile/1/x001/x234/067.p/17``."""
        return f"tile/{self.level}/{_write_place(self.index, self.width)}"


@dataclass(frozen=True, slots=True, order=True)
class EntryBundle:
    """Coordinates of one bundle of entries."""

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        _check_place(self.index, self.width)

    @property
    def path(self) -> str:
        """Path below the log's prefix, e.g. ``tile/entries/273.p/112``."""
        return f"tile/entries/{_write_place(self.index, self.width)}"


TileReader = Callable[[Tile], bytes]  # the tile's octets


def parse_tile_path(path: str) -> Tile | EntryBundle:
    """Return the coordinates that *path* names.

    Raises:
        FormatError: Not a tile path, or a second spelling of one.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise FormatError(f"{show(path)} is not a tile path such as tile/0/x001/234.p/17.")
    index = int(match["index"].replace("x", "").replace("/", ""))
    width = TILE_WIDTH if match["width"] is None else int(match["width"])
    try:
        place = (
            EntryBundle(index, width)
            if match["level"] == "entries"
            else Tile(int(match["level"]), index, width)
        )
    except ValueError as error:
        raise FormatError(f"{show(path)} is not a tile path: {error}") from error
    if place.path != path:  # x000/001, or .p/256 for a full tile
        raise FormatError(f"{show(path)} is spelled {place.path}.")
    return place


def tiles_for_growth(*, old: int, new: int) -> list[Tile]:
    """Return the tiles to write when the log grows from *old* to *new* entries.

    Every tile that gained a hash, at the width it has at *new*; full tiles that
    were filled on the way are there, partial ones that were overtaken are not.
    """
    _check_growth(old, new)
    tiles = []
    for level in range(MAX_TILE_LEVEL + 1):
        had, has = (size >> (TILE_HEIGHT * level) for size in (old, new))
        if had == has:
            break
        tiles += [Tile(level, index, width) for index, width in _grown(had, has)]
    return tiles


def bundles_for_growth(*, old: int, new: int) -> list[EntryBundle]:
    """Return the entry bundles to write when the log grows from *old* to *new* entries."""
    _check_growth(old, new)
    return [EntryBundle(index, width) for index, width in _grown(old, new)]


def tile_at(*, level: int, index: int, size: int) -> Tile:
    """Return the tile at these coordinates, as wide as it is in a log of *size*.

    Raises:
        ValueError: A log of that size has no such tile.
    """
    width = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH)
    if width < 1:
        raise ValueError(f"A log of size {size} has no tile {index} at level {level}.")
    return Tile(level, index, width)


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Return the octets of a tile of 1 to 256 hashes."""
    _check_place(0, len(hashes))
    if any(len(value) != HASH_OCTETS for value in hashes):
        raise ValueError(f"A hash in a tile has {HASH_OCTETS} octets.")
    return b"".join(hashes)


def parse_tile(octets: bytes, *, tile: Tile) -> list[bytes]:
    """Return the hashes of a tile.

    Raises:
        FormatError: The octets are not as many as *tile* is wide.
    """
    if len(octets) != tile.width * HASH_OCTETS:
        raise FormatError(
            f"{tile.path} has {len(octets)} octets; {tile.width} hashes have "
            f"{tile.width * HASH_OCTETS}."
        )
    return [octets[at : at + HASH_OCTETS] for at in range(0, len(octets), HASH_OCTETS)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the octets of a bundle of 1 to 256 entries.

    Raises:
        ValueError: Too many entries, or one longer than 65,535 octets.
    """
    _check_place(0, len(entries))
    for at, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY_OCTETS:
            raise ValueError(
                f"Entry {at} of the bundle has {len(entry)} octets; the limit is "
                f"{MAX_ENTRY_OCTETS}."
            )
    return b"".join(len(entry).to_bytes(_LENGTH_OCTETS, "big") + entry for entry in entries)


def parse_bundle(octets: bytes, *, bundle: EntryBundle) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        FormatError: An entry is cut off, or there are not as many entries as
            *bundle* is wide.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(octets):
        begin = at + _LENGTH_OCTETS
        end = begin + int.from_bytes(octets[at:begin], "big")
        if end > len(octets):
            raise FormatError(
                f"{bundle.path} ends at octet {len(octets)}, inside entry {len(entries)} of it."
            )
        entries.append(octets[begin:end])
        at = end
    if len(entries) != bundle.width:
        raise FormatError(f"{bundle.path} holds {len(entries)} entries, not {bundle.width}.")
    return entries


class TileNodes:
    """Reads nodes of a log of one size through its tiles.

    An instance is a ``NodeReader`` for ``tree``. It keeps every tile it has
    read, so make one for each request: a proof touches a handful.
    """

    def __init__(self, *, size: int, read_tile: TileReader) -> None:
        self._size = size
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Return the hash of node (*level*, *index*).

        Raises:
            ValueError: The node is not complete in a log of this size.
            FormatError: A stored tile has the wrong length.
        """
        if (index + 1) << level > self._size:
            raise ValueError(
                f"A log of size {self._size} has no complete node {index} at level {level}."
            )
        tile_level, inside = divmod(level, TILE_HEIGHT)
        first = index << inside  # the node's leftmost hash at the tile's own level
        tile_index, offset = divmod(first, TILE_WIDTH)
        hashes = self._hashes(tile_level, tile_index)[offset : offset + (1 << inside)]
        while len(hashes) > 1:
            hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def _hashes(self, level: int, index: int) -> list[bytes]:
        known = self._tiles.get((level, index))
        if known is None:
            tile = tile_at(level=level, index=index, size=self._size)
            known = self._tiles[level, index] = parse_tile(self._read_tile(tile), tile=tile)
        return known


def _grown(had: int, has: int) -> list[tuple[int, int]]:
    """Return (index, width) of the tiles of one level that gained a hash."""
    if had == has:
        return []
    return [
        (index, min(TILE_WIDTH, has - index * TILE_WIDTH))
        for index in range(had // TILE_WIDTH, (has - 1) // TILE_WIDTH + 1)
    ]


def _write_place(index: int, width: int) -> str:
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def _check_place(index: int, width: int) -> None:
    if not 0 <= index <= MAX_DECIMAL:
        raise ValueError(f"Tile index {index} is not from 0 to {MAX_DECIMAL}.")
    if not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"Tile width {width} is not from 1 to {TILE_WIDTH}.")


def _check_growth(old: int, new: int) -> None:
    if not 0 <= old <= new:
        raise ValueError(f"A log cannot grow from size {old} to size {new}.")
