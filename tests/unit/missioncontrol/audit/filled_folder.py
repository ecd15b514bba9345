from __future__ import annotations

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import Checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.tiles import TILE_WIDTH, bundles_for_growth, encode_bundle

KEY = SigningKey(name="log.example/test", type=KeyType.ED25519, seed=b"s" * 32)


def entry(number):
    return b'{"n":%d}' % number


def filled_folder(path, *, size):
    """Write a whole log of *size* entries in one step."""
    folder = LogFolder(path)
    with folder.locked():
        folder.write_keys(KEY)
    entries = [entry(number) for number in range(size)]
    growth = grow(old_size=0, leaves=[leaf_hash(each) for each in entries], read_tile=None)
    folder.write_places(growth.tiles)
    folder.write_places(
        (bundle, encode_bundle(entries[bundle.index * TILE_WIDTH :][: bundle.width]))
        for bundle in bundles_for_growth(old=0, new=size)
    )
    head = Checkpoint(origin=KEY.name, size=size, root=growth.root)
    folder.publish(sign_checkpoint(head, key=KEY))
    return folder
