from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import EMPTY_ROOT, leaf_hash
from missioncontrol.audit.merkle.tiles import tiles_for_growth
from tests.unit.missioncontrol.audit.merkle import rfc6962_reference as reference
from tests.unit.missioncontrol.audit.merkle.stored_log import StoredLog


class TestGrow:
    @settings(max_examples=25, deadline=None)
    @given(steps=st.lists(st.integers(0, 300), min_size=1, max_size=6))
    def test_ends_in_the_same_tiles_and_root_however_it_grew(self, steps):
        log = StoredLog()
        for step in steps:
            log.append([b"entry-%d" % i for i in range(log.size, log.size + step)])
        entries = [b"entry-%d" % i for i in range(sum(steps))]
        at_once = StoredLog()
        grown = at_once.append(entries)
        assert log.roots[len(entries)] == grown.root == reference.mth(entries)
        for path, octets in at_once.tiles.items():
            assert log.tiles[path] == octets

    def test_writes_exactly_the_tiles_that_growth_calls_for(self, stored_log):
        stored_log.append([b"%d" % i for i in range(250)])
        grown = stored_log.append([b"%d" % i for i in range(250, 600)])
        assert [tile for tile, _ in grown.tiles] == tiles_for_growth(old=250, new=600)

    def test_of_nothing_changes_nothing(self, stored_log):
        grown = grow(old_size=0, leaves=[], read_tile=stored_log.read_tile)
        assert (grown.size, grown.root, grown.tiles) == (0, EMPTY_ROOT, ())

    def test_refuses_to_grow_on_a_damaged_tile(self, stored_log):
        stored_log.append([b"a", b"b", b"c"])
        stored_log.tiles["tile/0/000.p/3"] = bytes(64)
        with pytest.raises(FormatError, match="has 64 octets; 3 hashes have 96"):
            grow(old_size=3, leaves=[leaf_hash(b"d")], read_tile=stored_log.read_tile)
