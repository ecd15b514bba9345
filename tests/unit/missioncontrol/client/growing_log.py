"""A log for tests that grows step by step, or forks."""

from __future__ import annotations

import shutil

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.canonical import canonical_entry
from missioncontrol.audit.merkle.checkpoint import Checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.receipt import Receipt, format_receipt
from missioncontrol.audit.merkle.succession import (
    ANNOUNCE,
    KeyChange,
    LogHead,
    announcement_details,
    write_announcement,
)
from missioncontrol.audit.merkle.tiles import (
    TILE_WIDTH,
    TileNodes,
    bundles_for_growth,
    encode_bundle,
)
from missioncontrol.audit.merkle.tree import consistency_proof, inclusion_proof
from missioncontrol.client.witness.add_checkpoint import format_add_checkpoint

KEY = SigningKey(name="log.example/ops", type=KeyType.ED25519, seed=b"o" * 32)
VKEY = KEY.verifier.to_vkey()
NEXT = SigningKey(name=KEY.name, type=KeyType.ED25519, seed=b"n" * 32)
THIRD = SigningKey(name=KEY.name, type=KeyType.ED25519, seed=b"t" * 32)


def entry(number, mark=""):
    return b'{"mark":"%s","n":%d}' % (mark.encode(), number)


def announcing(old, new):
    """Return the entry that announces a key."""
    change = KeyChange(old=old.verifier, new=new.verifier)
    return canonical_entry({"action": ANNOUNCE, "details": announcement_details(change)})


class GrowingLog:
    """A log in a folder, its entries and the checkpoints it signed, by size."""

    def __init__(self, path, key=KEY):
        self.path = path
        self.key = key
        self.successor = None
        self.folder = LogFolder(path)
        self.entries = []
        self.checkpoints = {}
        path.mkdir(parents=True)
        self.grow_to(0)

    def grow_to(self, size, mark=""):
        return self.append([entry(number, mark) for number in range(len(self.entries), size)])

    def append(self, entries):
        old, size = len(self.entries), len(self.entries) + len(entries)
        self.entries += entries
        leaves = [leaf_hash(each) for each in entries]
        growth = grow(old_size=old, leaves=leaves, read_tile=self.folder.read_tile)
        bundles = [
            (bundle, encode_bundle(self.entries[bundle.index * TILE_WIDTH :][: bundle.width]))
            for bundle in bundles_for_growth(old=old, new=size)
        ]
        self.folder.write_places([*growth.tiles, *bundles])
        head = Checkpoint(origin=self.key.name, size=size, root=growth.root)
        self.checkpoints[size] = sign_checkpoint(head, key=self.key, successor=self.successor)
        self.folder.publish(self.checkpoints[size])
        self.folder.drop_partials([place for place, _ in [*growth.tiles, *bundles]])
        return self

    def announce(self, successor):
        """Announce the next key; from the next entry on both sign."""
        self.append([announcing(self.key, successor)])
        self.folder.write_announcement(self.key.verifier, self.announcement())
        self.successor = successor
        return self

    def announcement(self):
        """Return the announcement that the last entry is, under the newest checkpoint."""
        size, octets = len(self.entries), self.entries[-1]
        nodes = TileNodes(size=size, read_tile=self.folder.read_tile)
        proof = inclusion_proof(index=size - 1, size=size, read_node=nodes)
        note = self.checkpoints[size].note.format()
        receipt = format_receipt(Receipt(index=size - 1, proof=tuple(proof), checkpoint=note))
        return write_announcement(receipt, entry=octets)

    def retire(self):
        """Let the announced key alone sign from the next entry on."""
        self.key, self.successor = self.successor, None
        return self

    def head(self, size):
        """Return a checkpoint as a verifier has it who was given the key."""
        signed = self.checkpoints[size]
        return LogHead(signed=signed, keys=(self.key.verifier,), earlier=())

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
