from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import ProofError, SplitViewError
from missioncontrol.audit.merkle.hashing import leaf_hash, node_hash
from missioncontrol.audit.merkle.proofs import (
    inclusion_steps,
    verify_consistency,
    verify_inclusion,
)
from tests.unit.missioncontrol.audit.merkle import rfc6962_reference as reference

logs = st.lists(st.binary(max_size=12), min_size=1, max_size=70)

# Cases whose "hashes" are not 32 octets long; this log refuses them for that
# alone (see harness_note in the vectors).
NOT_HASHES = {
    "testdata/inclusion/single-entry/empty-root-and-leaf.json",
    "testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
}


def refusal(check, **arguments):
    try:
        check(**arguments)
    except ProofError as error:
        return str(error)
    return None


class TestInclusionSteps:
    @given(entries=logs, data=st.data())
    def test_lead_from_the_leaf_to_the_root_by_the_siblings(self, entries, data):
        index = data.draw(st.integers(0, len(entries) - 1))
        leaf, path = leaf_hash(entries[index]), reference.path(index, entries)
        steps = inclusion_steps(leaf=leaf, index=index, size=len(entries), proof=path)
        assert [step.sibling for step in steps] == list(path)
        reached = leaf
        for step in steps:
            pair = (step.sibling, reached) if step.is_left else (reached, step.sibling)
            reached = node_hash(*pair)
            assert step.joined == reached
        assert reached == reference.mth(entries)


class TestVerifyInclusion:
    def test_decides_every_published_case(self, vectors):
        cases = vectors["inclusion_cases_published"]
        wrong = [case["file"] for case in cases if not decided(case, inclusion_refusal(case))]
        assert wrong == []
        assert len(cases) == 98

    @given(entries=logs, data=st.data())
    def test_accepts_the_proofs_of_rfc_6962(self, entries, data):
        index = data.draw(st.integers(0, len(entries) - 1))
        verify_inclusion(
            leaf=leaf_hash(entries[index]),
            index=index,
            size=len(entries),
            proof=reference.path(index, entries),
            root=reference.mth(entries),
        )

    @given(entries=logs, data=st.data())
    def test_refuses_any_one_changed_bit(self, entries, data):
        index = data.draw(st.integers(0, len(entries) - 1))
        root = reference.mth(entries)
        parts = [leaf_hash(entries[index]), root, *reference.path(index, entries)]
        which = data.draw(st.integers(0, len(parts) - 1))
        parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
        leaf, root, *proof = parts
        with pytest.raises(ProofError, match="leads to root"):
            verify_inclusion(leaf=leaf, index=index, size=len(entries), proof=proof, root=root)

    def test_says_which_entry_where_it_leads_and_what_the_checkpoint_says(self):
        entries = [b"entry-%d" % i for i in range(900)]
        with pytest.raises(ProofError) as refused:
            verify_inclusion(
                leaf=leaf_hash(b"forged"),
                index=412,
                size=900,
                proof=reference.path(412, entries),
                root=reference.mth(entries),
            )
        changed = [*entries[:412], b"forged", *entries[413:]]
        assert str(refused.value) == (
            "Entry 412 is not in the log of size 900: the proof leads to root "
            f"{reference.mth(changed).hex()[:8]}…, the checkpoint says "
            f"{reference.mth(entries).hex()[:8]}…."
        )

    def test_says_how_long_the_proof_must_be(self):
        entries = [b"%d" % i for i in range(8)]
        with pytest.raises(ProofError, match="the proof has 2 hashes, 3 are needed"):
            verify_inclusion(
                leaf=leaf_hash(b"5"),
                index=5,
                size=8,
                proof=reference.path(5, entries)[:2],
                root=reference.mth(entries),
            )


class TestVerifyConsistency:
    def test_decides_every_published_case(self, vectors):
        cases = vectors["consistency_cases_published"]
        wrong = [case["file"] for case in cases if not decided(case, consistency_refusal(case))]
        assert wrong == []
        assert len(cases) == 98

    @given(entries=logs, data=st.data())
    def test_accepts_the_proofs_of_rfc_6962(self, entries, data):
        old = data.draw(st.integers(1, len(entries)))
        verify_consistency(
            old=old,
            new=len(entries),
            old_root=reference.mth(entries[:old]),
            new_root=reference.mth(entries),
            proof=reference.proof(old, entries),
        )

    @given(entries=logs, data=st.data())
    def test_refuses_a_rewritten_past(self, entries, data):
        old = data.draw(st.integers(1, len(entries)))
        index = data.draw(st.integers(0, old - 1))
        rewritten = [*entries[:index], entries[index] + b"!", *entries[index + 1 :]]
        with pytest.raises(ProofError):
            verify_consistency(
                old=old,
                new=len(rewritten),
                old_root=reference.mth(entries[:old]),
                new_root=reference.mth(rewritten),
                proof=reference.proof(old, rewritten),
            )

    @given(entries=logs, data=st.data())
    def test_refuses_a_proof_of_another_length(self, entries, data):
        old = data.draw(st.integers(1, len(entries)))
        proof = reference.proof(old, entries)
        longer = data.draw(st.booleans()) or not proof
        with pytest.raises(ProofError, match=f"{len(proof)} are needed"):
            verify_consistency(
                old=old,
                new=len(entries),
                old_root=reference.mth(entries[:old]),
                new_root=reference.mth(entries),
                proof=[*proof, reference.mth(entries)] if longer else proof[:-1],
            )

    def test_calls_two_roots_at_one_size_a_split_view(self):
        with pytest.raises(SplitViewError, match="size 2 have different roots"):
            verify_consistency(
                old=2,
                new=2,
                old_root=reference.mth([b"a", b"b"]),
                new_root=reference.mth([b"a", b"c"]),
                proof=[],
            )

    def test_says_which_of_the_two_roots_it_missed(self):
        entries = [b"%d" % i for i in range(7)]
        with pytest.raises(ProofError, match="for size 3 the proof leads to root"):
            verify_consistency(
                old=3,
                new=7,
                old_root=reference.mth(entries[:2]),
                new_root=reference.mth(entries),
                proof=reference.proof(3, entries),
            )


def decided(case, refused):
    return (refused is not None) == (case["wantErr"] or case["file"] in NOT_HASHES)


def inclusion_refusal(case):
    return refusal(
        verify_inclusion,
        leaf=b64decode(case["leafHash"] or ""),
        index=case["leafIdx"],
        size=case["treeSize"],
        proof=[b64decode(value) for value in case["proof"] or []],
        root=b64decode(case["root"] or ""),
    )


def consistency_refusal(case):
    return refusal(
        verify_consistency,
        old=case["size1"],
        new=case["size2"],
        old_root=b64decode(case["root1"] or ""),
        new_root=b64decode(case["root2"] or ""),
        proof=[b64decode(value) for value in case["proof"] or []],
    )


def flipped(value, bit):
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
