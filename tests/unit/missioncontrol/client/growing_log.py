"""A log for tests that grows step by step, or forks."""

from __future__ import annotations

import shutil

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import Checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.tiles import (
    TILE_WIDTH,
    TileNodes,
    bundles_for_growth,
    encode_bundle,
)
from missioncontrol.audit.merkle.tree import consistency_proof
from missioncontrol.client.witness.add_checkpoint import format_add_checkpoint

KEY = SigningKey(name="log.example/ops", type=KeyType.ED25519, seed=b"o" * 32)
VKEY = KEY.verifier.to_vkey()


def entry(number, mark=""):
    return b'{"mark":"%s","n":%d}' % (mark.encode(), number)


class GrowingLog:
    """A log in a folder, its entries and the checkpoints it signed, by size."""

    def __init__(self, path, key=KEY):
        self.path = path
        self.key = key
        self.folder = LogFolder(path)
        self.entries = []
        self.checkpoints = {}
        path.mkdir(parents=True)
        self.grow_to(0)

    def grow_to(self, size, mark=""):
        old = len(self.entries)
        self.entries += [entry(number, mark) for number in range(old, size)]
        leaves = [leaf_hash(each) for each in self.entries[old:]]
        growth = grow(old_size=old, leaves=leaves, read_tile=self.folder.read_tile)
        bundles = [
            (bundle, encode_bundle(self.entries[bundle.index * TILE_WIDTH :][: bundle.width]))
            for bundle in bundles_for_growth(old=old, new=size)
        ]
        self.folder.write_places([*growth.tiles, *bundles])
        head = Checkpoint(origin=self.key.name, size=size, root=growth.root)
        self.checkpoints[size] = sign_checkpoint(head, key=self.key)
        self.folder.publish(self.checkpoints[size])
        self.folder.drop_partials([place for place, _ in [*growth.tiles, *bundles]])
        return self

    def forked(self, path, *, size):
        """Return the same operator's other log: the first *size* entries are these."""
        other = GrowingLog(path, self.key)
        other.grow_to(size)
        return other

    def copied(self, path):
        shutil.copytree(self.path, path)
        return path

    def proof(self, old, new):
        nodes = TileNodes(size=new, read_tile=self.folder.read_tile)
        return consistency_proof(old=old, new=new, read_node=nodes)

    def request(self, old, new):
        """Return the body that asks a witness to go from *old* to *new*."""
        return format_add_checkpoint(
            old_size=old,
            proof=self.proof(old, new),
            checkpoint=self.checkpoints[new].note.format(),
        )


def flip(file, at=-1):
    """Change one octet of a file."""
    octets = bytearray(file.read_bytes())
    octets[at] ^= 1
    file.write_bytes(octets)
