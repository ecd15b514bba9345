from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.tiles import (
    EntryBundle,
    Tile,
    TileNodes,
    bundles_for_growth,
    encode_bundle,
    encode_tile,
    parse_bundle,
    parse_tile,
    parse_tile_path,
    tile_at,
    tiles_for_growth,
)
from missioncontrol.audit.merkle.tree import consistency_proof, inclusion_proof, root_at


class TestTilePath:
    def test_groups_digits_by_three(self, vectors):
        published = vectors["tiles_size_70000_derived"]["path_example_published"]
        assert Tile(1, published["index"]).path == f"tile/1/{published['path']}"

    @pytest.mark.parametrize(
        ("place", "path"),
        [
            (Tile(0, 0), "tile/0/000"),
            (Tile(0, 999), "tile/0/999"),
            (Tile(0, 1000), "tile/0/x001/000"),
            (Tile(63, 12, 1), "tile/63/012.p/1"),
            (EntryBundle(273, 112), "tile/entries/273.p/112"),
            (EntryBundle(1234067), "tile/entries/x001/x234/067"),
        ],
    )
    def test_writes_and_reads_the_same_path(self, place, path):
        assert place.path == path
        assert parse_tile_path(path) == place

    @given(level=st.integers(0, 63), index=st.integers(0, 2**63 - 1), width=st.integers(1, 256))
    def test_reads_back_every_path(self, level, index, width):
        assert parse_tile_path(Tile(level, index, width).path) == Tile(level, index, width)
        assert parse_tile_path(EntryBundle(index, width).path) == EntryBundle(index, width)

    @pytest.mark.parametrize(
        "path",
        [
            "tile/0/00",
            "tile/0/0000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/999",
            "tile/0/x000/001",
            "tile/0/001/000",
            "tile/0/x001/x000",
            "tile/0/../checkpoint",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/entries/000\n",
            "/tile/0/000",
            "tile/0/\u0660\u0660\u0660",
            "checkpoint",
            "",
        ],
    )
    def test_refuses_what_names_no_tile_or_names_one_in_a_second_way(self, path):
        with pytest.raises(FormatError, match=r"is not a tile path|is spelled tile/"):
            parse_tile_path(path)


class TestGrowth:
    def test_writes_the_tiles_of_the_worked_example(self):
        tiles = tiles_for_growth(old=0, new=70000)
        kinds = {
            (level, full): sum(1 for t in tiles if (t.level, t.width == 256) == (level, full))
            for level in range(3)
            for full in (True, False)
        }
        assert kinds == {
            (0, True): 273,
            (0, False): 1,
            (1, True): 1,
            (1, False): 1,
            (2, True): 0,
            (2, False): 1,
        }
        assert len(tiles) == 277

    def test_makes_a_partial_tile_above_at_exactly_256(self):
        assert tiles_for_growth(old=0, new=256) == [Tile(0, 0), Tile(1, 0, 1)]

    def test_writes_only_what_changed(self):
        assert tiles_for_growth(old=69999, new=70000) == [Tile(0, 273, 112)]
        assert tiles_for_growth(old=70000, new=70000) == []
        assert bundles_for_growth(old=255, new=513) == [
            EntryBundle(0),
            EntryBundle(1),
            EntryBundle(2, 1),
        ]
        assert bundles_for_growth(old=256, new=257) == [EntryBundle(1, 1)]
        assert bundles_for_growth(old=9, new=9) == []

    @given(old=st.integers(0, 200_000), more=st.integers(0, 2_000))
    def test_leaves_no_tile_unwritten_that_the_new_size_has(self, old, more):
        new = old + more
        written = set(tiles_for_growth(old=old, new=new))
        for level in range(3):
            had, has = old >> 8 * level, new >> 8 * level
            for index in range(-(-has // 256)):
                tile = tile_at(level=level, index=index, size=new)
                grew = index * 256 + tile.width > had
                assert (tile in written) == grew

    @pytest.mark.parametrize("growth", [tiles_for_growth, bundles_for_growth])
    def test_refuses_to_shrink(self, growth):
        with pytest.raises(ValueError, match="cannot grow from size 5 to size 4"):
            growth(old=5, new=4)


class TestTileOctets:
    def test_has_the_tiles_of_the_vectors(self, vectors, log_of_70000):
        expected = vectors["tiles_size_70000_derived"]["tiles"]
        for tile in expected:
            octets = log_of_70000.tiles[tile["path"]]
            assert (len(octets), sha256(octets).hexdigest()) == (tile["bytes"], tile["sha256"])
        assert len(expected) == 6

    def test_has_the_entry_bundles_of_the_vectors(self, vectors):
        expected = vectors["tiles_size_70000_derived"]["entry_bundles"]
        for wanted in expected:
            bundle = parse_tile_path(wanted["path"])
            first = bundle.index * 256
            entries = [b"entry-%d" % i for i in range(first, first + bundle.width)]
            octets = encode_bundle(entries)
            assert (len(octets), sha256(octets).hexdigest()) == (
                wanted["bytes"],
                wanted["sha256"],
            )
            assert parse_bundle(octets, bundle=bundle) == entries
        assert len(expected) == 2

    @given(entries=st.lists(st.binary(max_size=300), min_size=1, max_size=256))
    def test_reads_back_what_it_wrote(self, entries):
        hashes = [leaf_hash(entry) for entry in entries]
        assert parse_tile(encode_tile(hashes), tile=Tile(0, 0, len(hashes))) == hashes
        bundle = EntryBundle(0, len(entries))
        assert parse_bundle(encode_bundle(entries), bundle=bundle) == entries

    @given(octets=st.binary(max_size=200), width=st.integers(1, 256))
    def test_refuses_noise_or_reads_it_exactly(self, octets, width):
        try:
            entries = parse_bundle(octets, bundle=EntryBundle(0, width))
        except FormatError:
            return
        assert encode_bundle(entries) == octets

    def test_says_what_is_wrong_with_a_bundle(self):
        with pytest.raises(FormatError, match="ends at octet 4, inside entry 0"):
            parse_bundle(b"\x00\x05ab", bundle=EntryBundle(0, 1))
        with pytest.raises(FormatError, match="ends at octet 4, inside entry 1"):
            parse_bundle(b"\x00\x01a\x00", bundle=EntryBundle(0, 1))
        with pytest.raises(FormatError, match="holds 1 entries, not 2"):
            parse_bundle(b"\x00\x01a", bundle=EntryBundle(0, 2))

    def test_takes_the_longest_entry_and_refuses_one_octet_more(self):
        assert len(encode_bundle([bytes(65535)])) == 65537
        with pytest.raises(ValueError, match="has 65536 octets; the limit is 65535"):
            encode_bundle([bytes(65536)])

    def test_refuses_a_tile_of_the_wrong_width(self):
        with pytest.raises(FormatError, match=r"tile/0/000\.p/2 has 32 octets; 2 hashes have 64"):
            parse_tile(bytes(32), tile=Tile(0, 0, 2))
        with pytest.raises(ValueError, match="width 257"):
            encode_tile([bytes(32)] * 257)
        with pytest.raises(ValueError, match="width 0"):
            encode_bundle([])
        with pytest.raises(ValueError, match="32 octets"):
            encode_tile([bytes(31)])

    def test_refuses_a_tile_that_the_log_does_not_have(self):
        with pytest.raises(ValueError, match="size 256 has no tile 1 at level 0"):
            tile_at(level=0, index=1, size=256)


class TestTileNodes:
    def test_gives_the_roots_of_the_vectors(self, vectors, log_of_70000):
        roots = {
            int(size): root
            for size, root in vectors["tree_entry_i_derived"]["roots_by_size_hex"].items()
        }
        nodes = TileNodes(size=70000, read_tile=log_of_70000.read_tile)
        found = {size: root_at(size=size, read_node=nodes).hex() for size in roots}
        assert found == roots
        assert {size: log_of_70000.roots[size].hex() for size in roots} == roots

    def test_gives_the_proofs_of_the_vectors(self, vectors, log_of_70000):
        tree = vectors["tree_entry_i_derived"]
        nodes = TileNodes(size=70000, read_tile=log_of_70000.read_tile)
        for case in tree["inclusion"]:
            made = inclusion_proof(index=case["index"], size=case["size"], read_node=nodes)
            assert made == [b64decode(value) for value in case["proof_b64"]]
        for case in tree["consistency"]:
            made = consistency_proof(old=case["old"], new=case["new"], read_node=nodes)
            assert made == [b64decode(value) for value in case["proof_b64"]]
        assert (len(tree["inclusion"]), len(tree["consistency"])) == (7, 7)

    def test_reads_each_tile_once(self, log_of_70000):
        read = []

        def read_tile(tile):
            read.append(tile.path)
            return log_of_70000.read_tile(tile)

        nodes = TileNodes(size=70000, read_tile=read_tile)
        inclusion_proof(index=12345, size=70000, read_node=nodes)
        assert sorted(read) == sorted(set(read))
        assert set(read) == {
            "tile/0/048",
            "tile/0/273.p/112",
            "tile/1/000",
            "tile/1/001.p/17",
        }

    @pytest.mark.parametrize(("level", "index"), [(0, 3), (1, 1), (2, 0), (70, 0)])
    def test_refuses_a_node_that_is_not_complete(self, level, index):
        nodes = TileNodes(size=3, read_tile=lambda tile: bytes(32 * tile.width))
        with pytest.raises(ValueError, match=f"no complete node {index} at level {level}"):
            nodes(level, index)

    def test_refuses_a_stored_tile_that_was_cut(self):
        nodes = TileNodes(size=3, read_tile=lambda tile: bytes(95))
        with pytest.raises(FormatError, match=r"tile/0/000\.p/3 has 95 octets"):
            nodes(0, 0)
