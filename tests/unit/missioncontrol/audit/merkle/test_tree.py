from __future__ import annotations

import json
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.hashing import EMPTY_ROOT, leaf_hash
from missioncontrol.audit.merkle.tree import (
    TreeFrontier,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    root_at,
)
from tests.unit.missioncontrol.audit.merkle import rfc6962_reference as reference

logs = st.lists(st.binary(max_size=12), min_size=1, max_size=70)


class TestTreeFrontier:
    @given(entries=logs)
    def test_has_the_root_of_rfc_6962_after_every_append(self, entries):
        frontier = TreeFrontier()
        assert frontier.root() == EMPTY_ROOT
        for count, entry in enumerate(entries, start=1):
            frontier.append(leaf_hash(entry))
            assert frontier.root() == reference.mth(entries[:count])

    @given(entries=logs)
    def test_reports_each_node_when_it_is_complete_and_only_then(self, entries):
        frontier, read = TreeFrontier(), reference.node_reader(entries)
        nodes = [node for entry in entries for node in frontier.append(leaf_hash(entry))]
        assert len({(node.level, node.index) for node in nodes}) == len(nodes)
        assert len(nodes) == sum(len(entries) >> level for level in range(8))
        for node in nodes:
            assert node.hash == read(node.level, node.index)

    @given(entries=logs, cut=st.integers(0, 70))
    def test_goes_on_from_its_state_as_if_never_stopped(self, entries, cut):
        first, second = entries[:cut], entries[cut:]
        before = TreeFrontier()
        before.extend(leaf_hash(entry) for entry in first)
        after = TreeFrontier.from_state(json.loads(json.dumps(before.state())))
        after.extend(leaf_hash(entry) for entry in second)
        assert (after.size, after.root()) == (len(entries), reference.mth(entries))

    def test_agrees_with_the_published_roots(self, vectors):
        tree = vectors["tree8_published"]
        frontier = TreeFrontier()
        roots = [frontier.root().hex()]
        for leaf in tree["leaves_hex"]:
            frontier.append(leaf_hash(bytes.fromhex(leaf)))
            roots.append(frontier.root().hex())
        assert roots == tree["roots_by_size_hex"]

    @pytest.mark.parametrize(("size", "peaks"), [(3, [EMPTY_ROOT]), (-1, []), (0, [EMPTY_ROOT])])
    def test_refuses_peaks_that_do_not_belong_to_the_size(self, size, peaks):
        with pytest.raises(ValueError, match=f"tree of size {size} does not have"):
            TreeFrontier(size=size, peaks=peaks)

    def test_refuses_what_is_not_a_hash(self):
        with pytest.raises(ValueError, match="not 32 octets"):
            TreeFrontier(size=1, peaks=[b"short"])
        with pytest.raises(ValueError, match="32 octets, not 5"):
            TreeFrontier().append(b"entry")


class TestProofMaking:
    @given(entries=logs, data=st.data())
    def test_makes_the_inclusion_proof_of_rfc_6962(self, entries, data):
        size = data.draw(st.integers(1, len(entries)))
        index = data.draw(st.integers(0, size - 1))
        made = inclusion_proof(
            index=index, size=size, read_node=reference.node_reader(entries[:size])
        )
        assert made == reference.path(index, entries[:size])

    @given(entries=logs, data=st.data())
    def test_makes_the_consistency_proof_of_rfc_6962(self, entries, data):
        new = data.draw(st.integers(1, len(entries)))
        old = data.draw(st.integers(1, new))
        made = consistency_proof(old=old, new=new, read_node=reference.node_reader(entries[:new]))
        assert made == reference.proof(old, entries[:new])

    @given(entries=logs)
    def test_finds_root_and_frontier_from_nodes(self, entries):
        read = reference.node_reader(entries)
        for size in range(len(entries) + 1):
            root = reference.mth(entries[:size])
            assert root_at(size=size, read_node=read) == root
            assert frontier_at(size=size, read_node=read).root() == root

    def test_makes_the_derived_proofs_of_the_published_tree(self, vectors):
        entries = [bytes.fromhex(leaf) for leaf in vectors["tree8_published"]["leaves_hex"]]
        read = reference.node_reader(entries)
        for case in vectors["tree8_inclusion_derived"]:
            assert inclusion_proof(
                index=case["index"], size=case["size"], read_node=read
            ) == decoded(case)
        for case in vectors["tree8_consistency_derived"]:
            assert consistency_proof(old=case["old"], new=case["new"], read_node=read) == decoded(
                case
            )
        assert len(vectors["tree8_inclusion_derived"]) == 36

    def test_gives_no_hashes_for_a_witness_that_begins(self):
        assert consistency_proof(old=0, new=7, read_node=reference.node_reader([])) == []

    @pytest.mark.parametrize(("index", "size"), [(8, 8), (-1, 8), (0, 0)])
    def test_refuses_an_index_outside_the_log(self, index, size):
        with pytest.raises(ValueError, match=f"Entry {index} is not in a log of size {size}"):
            inclusion_proof(index=index, size=size, read_node=reference.node_reader([]))

    @pytest.mark.parametrize(("old", "new"), [(9, 8), (-1, 8)])
    def test_refuses_sizes_in_the_wrong_order(self, old, new):
        with pytest.raises(ValueError, match=f"no consistency proof from size {old}"):
            consistency_proof(old=old, new=new, read_node=reference.node_reader([]))


def decoded(case):
    return [b64decode(value) for value in case["proof_b64"]]
