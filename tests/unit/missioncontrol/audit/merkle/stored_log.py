from __future__ import annotations

from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import leaf_hash


class StoredLog:
    """A log's tiles in memory, as a folder would hold them."""

    def __init__(self):
        self.size = 0
        self.tiles = {}
        self.roots = {}

    def read_tile(self, tile):
        return self.tiles[tile.path]

    def append(self, entries):
        grown = grow(
            old_size=self.size,
            leaves=[leaf_hash(entry) for entry in entries],
            read_tile=self.read_tile,
        )
        for tile, octets in grown.tiles:
            self.tiles[tile.path] = octets
        self.size = grown.size
        self.roots[grown.size] = grown.root
        return grown
