from __future__ import annotations

from missioncontrol.audit.merkle.hashing import EMPTY_ROOT, abbreviate, leaf_hash, node_hash


class TestHashing:
    def test_agrees_with_the_published_values(self, vectors):
        published = [value["hex"] for value in vectors["primitive_hashes_published"]]
        assert published == [
            EMPTY_ROOT.hex(),
            leaf_hash(b"").hex(),
            leaf_hash(b"L123456").hex(),
            node_hash(b"N123", b"N456").hex(),
        ]

    def test_hashes_the_published_leaves(self, vectors):
        tree = vectors["tree8_published"]
        hashes = [leaf_hash(bytes.fromhex(leaf)).hex() for leaf in tree["leaves_hex"]]
        assert hashes == tree["leaf_hashes_hex"]

    def test_never_hashes_a_leaf_as_a_node(self):
        left, right = leaf_hash(b"a"), leaf_hash(b"b")
        assert leaf_hash(left + right) != node_hash(left, right)

    def test_abbreviates_for_people(self):
        assert abbreviate(EMPTY_ROOT) == "e3b0c442…"
        assert abbreviate(b"") == "(empty)"
