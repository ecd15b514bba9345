"""Fifteen kinds of tampering, each at 200 random places of one log: all are refused.

And the other way round: ten thousand honest proofs, none of which is doubted.
"""

from __future__ import annotations

import random
from functools import lru_cache

import pytest

from missioncontrol.audit import selectors
from missioncontrol.audit.folder_verification import verify_folder
from missioncontrol.audit.log_folder import LogFolder, MissingFileError
from missioncontrol.audit.merkle.canonical import canonical_entry, read_entry
from missioncontrol.audit.merkle.checkpoint import open_checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.cosignature import cosign, require_quorum, verify_cosignatures
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.hashing import HASH_OCTETS, leaf_hash, node_hash
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.proofs import verify_consistency, verify_inclusion
from missioncontrol.audit.merkle.tiles import (
    TILE_WIDTH,
    EntryBundle,
    TileNodes,
    bundles_for_growth,
    encode_bundle,
    parse_bundle,
    tiles_for_growth,
)
from missioncontrol.audit.merkle.tree import consistency_proof, inclusion_proof, root_at
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.verification import verify_database
from tests.integration.missioncontrol.audit.grown_log import GrownLog
from tests.integration.missioncontrol.audit.log_entries import AT, publish
from tests.log_guards import changes_allowed

PLACES = 200


class FolderInMemory(LogFolder):
    """A copy of a log's public files, to be spoiled and put right again."""

    def __init__(self, folder, size):
        super().__init__(folder.path)
        # What a log of this size has: what older checkpoints needed is of no account.
        places = [*tiles_for_growth(old=0, new=size), *bundles_for_growth(old=0, new=size)]
        names = ["checkpoint", *(place.path for place in places)]
        self.files = {name: (folder.path / name).read_bytes() for name in names}

    def read_checkpoint(self):
        return self.files["checkpoint"]

    def read_tile(self, tile):
        return self._read(tile.path)

    def read_bundle(self, bundle):
        return self._read(bundle.path)

    def _read(self, path):
        if path not in self.files:
            raise MissingFileError(path)
        return self.files[path]

    def named(self, start):
        return sorted(name for name in self.files if name.startswith(start))


def flipped(octets, chance):
    at = chance.randrange(len(octets))
    return octets[:at] + bytes([octets[at] ^ 1 << chance.randrange(8)]) + octets[at + 1 :]


def two_of(count, chance):
    return sorted(chance.sample(range(count), 2))


def swapped(items, first, second):
    items = list(items)
    items[first], items[second] = items[second], items[first]
    return items


def spoil(path_start, change):
    """Return a tampering with one random file whose path starts so."""

    def tamper(folder, chance):
        name = chance.choice(folder.named(path_start))
        folder.files[name] = change(folder.files[name], name, chance)

    return tamper


def cut(octets, _name, chance):
    return octets[: chance.randrange(len(octets))]


def swap_hashes(octets, _name, chance):
    hashes = [octets[at : at + HASH_OCTETS] for at in range(0, len(octets), HASH_OCTETS)]
    return b"".join(swapped(hashes, *two_of(len(hashes), chance)))


def swap_entries(octets, name, chance):
    entries = bundle_entries(octets, name)
    return encode_bundle(swapped(entries, *two_of(len(entries), chance)))


def bundle_entries(octets, name):
    width = int(name.rpartition(".p/")[2]) if ".p/" in name else TILE_WIDTH
    return parse_bundle(octets, bundle=EntryBundle(0, width))


def replace_entry_and_hash(folder, chance):
    """What somebody does who knows how the files hang together, up to the root."""
    name = chance.choice(folder.named("tile/entries/"))
    entries = bundle_entries(folder.files[name], name)
    at = chance.randrange(len(entries))
    entries[at] = flipped(entries[at], chance)
    folder.files[name] = encode_bundle(entries)
    leaves = [leaf_hash(each) for each in entries]
    folder.files[name.replace("entries", "0")] = b"".join(leaves)
    if len(leaves) == TILE_WIDTH:
        while len(leaves) > 1:
            leaves = [node_hash(*leaves[at : at + 2]) for at in range(0, len(leaves), 2)]
        [upper] = folder.named("tile/1/")
        first = int(name[-3:]) * HASH_OCTETS
        octets = folder.files[upper]
        folder.files[upper] = octets[:first] + leaves[0] + octets[first + HASH_OCTETS :]


def remove_file(folder, chance):
    del folder.files[chance.choice(folder.named("tile/"))]


def sign_by_another(folder, chance):
    thief = SigningKey(name=selectors.origin(), type=KeyType.ED25519, seed=chance.randbytes(32))
    head = open_own(folder.files["checkpoint"]).checkpoint
    folder.files["checkpoint"] = sign_checkpoint(head, key=thief).note.format()


def open_own(octets):
    key = selectors.log_folder().read_verifier_key()
    return open_checkpoint(octets, origin=key.name, log_keys=[key])


FILES = {
    "a bit of a leaf tile": spoil("tile/0/", lambda octets, _, chance: flipped(octets, chance)),
    "a bit of an upper tile": spoil("tile/1/", lambda octets, _, chance: flipped(octets, chance)),
    "a tile cut": spoil("tile/0/", cut),
    "two hashes of a tile exchanged": spoil("tile/0/", swap_hashes),
    "a bit of a bundle": spoil("tile/ent", lambda octets, _, chance: flipped(octets, chance)),
    "a bundle cut": spoil("tile/entries/", cut),
    "two entries of a bundle exchanged": spoil("tile/entries/", swap_entries),
    "an entry replaced with all hashes above it": replace_entry_and_hash,
    "a file removed": remove_file,
    "a bit of the checkpoint": spoil("check", lambda octets, _, chance: flipped(octets, chance)),
    "the checkpoint signed by another key": sign_by_another,
}


def flip_row(rows, chance):
    row = chance.choice(rows)
    return {row.pk: {"entry": flipped(bytes(row.entry), chance)}}


def rewrite_row(rows, chance):
    """A row that agrees with itself in everything, but is not what was published."""
    row = chance.choice(rows)
    octets = canonical_entry({**read_entry(bytes(row.entry)), "actor": "operator:mallory"})
    return {row.pk: {"entry": octets, "leaf_hash": leaf_hash(octets), "actor": "operator:mallory"}}


def change_column(rows, chance):
    row = chance.choice(rows)
    column = chance.choice(["action", "subject", "actor", "organisation"])
    return {row.pk: {column: getattr(row, column) + "x"}}


ROWS = {
    "a bit of a row": flip_row,
    "a row rewritten with its hash": rewrite_row,
    "a column of a row": change_column,
}


@pytest.fixture(scope="class")
def chance():
    return random.Random(2026)


@pytest.mark.django_db
class TestFifteenKindsOfTampering:
    @pytest.fixture
    def log(self, size):
        """A log that crosses a tile or two, all of it in memory."""
        for number in range(size // 100):
            publish(100, subject=f"telecommand:{number}")
        return FolderInMemory(selectors.log_folder(), size)

    @pytest.fixture
    def size(self):
        return 700

    @pytest.fixture
    def key(self, log):
        return log.read_verifier_key()

    def test_are_fifteen(self):
        assert len(FILES) + len(ROWS) + 1 == 15

    @pytest.mark.once
    @pytest.mark.timeout(120)
    def test_of_files_are_refused(self, log, size, key, chance):
        verify_folder(log, key=key)
        honest = dict(log.files)
        for kind, tamper in FILES.items():
            for _place in range(PLACES):
                tamper(log, chance)
                assert log.files != honest, kind
                with pytest.raises(VerificationError):
                    verify_folder(log, key=key)
                log.files = dict(honest)
        assert verify_folder(log, key=key).checkpoint.size == size

    # Each place is judged by reading every row: of a log that crosses one tile.
    @pytest.mark.parametrize("size", [300])
    @pytest.mark.timeout(120)
    def test_of_rows_are_refused(self, log, size, key, chance):
        verify_database(log, key=key)
        rows = list(AuditEntry.objects.order_by("log_index"))
        honest = {row.pk: row for row in rows}
        with changes_allowed():
            for tamper in ROWS.values():
                for _place in range(PLACES):
                    for pk, columns in tamper(rows, chance).items():
                        AuditEntry.objects.filter(pk=pk).update(**columns)
                        with pytest.raises(VerificationError) as refusal:
                            verify_database(log, key=key)
                        assert refusal.value.index == honest[pk].log_index
                        kept = {name: getattr(honest[pk], name) for name in columns}
                        AuditEntry.objects.filter(pk=pk).update(**kept)
        assert verify_database(log, key=key).checkpoint.size == size

    @pytest.mark.once
    def test_of_cosignatures_are_refused(self, log, chance):
        signed = open_own(log.files["checkpoint"])
        keys = [
            SigningKey(name=f"w{n}", type=KeyType.COSIGNATURE_V1, seed=bytes([n]) * 32)
            for n in range(13)
        ]
        lines = [cosign(signed.checkpoint, key=key, at=AT) for key in keys]
        octets = signed.note.with_signatures(lines).format()
        trusted = [key.verifier for key in keys]

        def verify(note):
            opened = open_own(note).note
            require_quorum(verify_cosignatures(opened, witnesses=trusted), quorum=13)

        verify(octets)
        begin = octets.index(lines[0].format().encode())
        for _place in range(PLACES):
            with pytest.raises(VerificationError):
                verify(octets[:begin] + flipped(octets[begin:], chance))


@pytest.mark.once
class TestHonestProofs:
    @pytest.mark.timeout(120)
    def test_are_never_doubted_in_ten_thousand(self, tmp_path, chance):
        log = GrownLog(tmp_path / "log")
        while len(log.entries) < 3000:
            start = len(log.entries)
            log.append([b"%d" % (start + each) for each in range(chance.randint(1, 300))])
        last = len(log.entries)
        nodes = lru_cache(maxsize=None)(TileNodes(size=last, read_tile=log.folder.read_tile))
        root = lru_cache(maxsize=None)(lambda size: root_at(size=size, read_node=nodes))
        for _proof in range(5_000):
            size = chance.randint(1, last)
            index = chance.randrange(size)
            verify_inclusion(
                leaf=leaf_hash(log.entries[index]),
                index=index,
                size=size,
                proof=inclusion_proof(index=index, size=size, read_node=nodes),
                root=root(size),
            )
            old = chance.randint(1, size)
            verify_consistency(
                old=old,
                new=size,
                old_root=root(old),
                new_root=root(size),
                proof=consistency_proof(old=old, new=size, read_node=nodes),
            )
