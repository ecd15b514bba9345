"""A log folder that grows step by step without a database, as the sequencer grows one."""

from __future__ import annotations

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import Checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.tiles import TILE_WIDTH, bundles_for_growth, encode_bundle

KEY = SigningKey(name="log.example/grown", type=KeyType.ED25519, seed=b"g" * 32)


class GrownLog:
    """Signed with KEY, whatever it holds: two of them can be two histories of one log."""

    def __init__(self, path):
        self.folder = LogFolder(path)
        self.entries = []
        self.heads = {}  # signed checkpoints by size
        with self.folder.locked():
            self.folder.write_keys(KEY)

    def append(self, entries):
        """Publish one more checkpoint and return it."""
        grown = grow(
            old_size=len(self.entries),
            leaves=[leaf_hash(each) for each in entries],
            read_tile=self.folder.read_tile,
        )
        bundles = bundles_for_growth(old=len(self.entries), new=grown.size)
        self.entries += entries
        self.folder.write_places(grown.tiles)
        self.folder.write_places(
            (bundle, encode_bundle(self.entries[bundle.index * TILE_WIDTH :][: bundle.width]))
            for bundle in bundles
        )
        head = Checkpoint(origin=KEY.name, size=grown.size, root=grown.root)
        self.heads[grown.size] = sign_checkpoint(head, key=KEY)
        self.folder.publish(self.heads[grown.size])
        return self.heads[grown.size]
