"""The fifteen mutations of the shared vectors that every verifier must refuse."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.audit.merkle.checkpoint import (
    Checkpoint,
    open_checkpoint,
    sign_checkpoint,
    verify_extension,
)
from missioncontrol.audit.merkle.cosignature import (
    cosign,
    require_fresh,
    require_quorum,
    verify_cosignatures,
)
from missioncontrol.audit.merkle.errors import (
    FormatError,
    FreshnessError,
    LogMismatchError,
    OriginError,
    ProofError,
    QuorumError,
    SignatureError,
    SplitViewError,
)
from missioncontrol.audit.merkle.hashing import leaf_hash, node_hash
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.log_verifier import verify_log
from missioncontrol.audit.merkle.note import Note, parse_note
from missioncontrol.audit.merkle.proofs import verify_inclusion
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from tests.unit.missioncontrol.audit.merkle import rfc6962_reference as reference


class Published:
    """The published tree, its checkpoint, and who may sign it."""

    def __init__(self, vectors):
        derived = vectors["notes"]["derived"]
        self.entries = [bytes.fromhex(leaf) for leaf in vectors["tree8_published"]["leaves_hex"]]
        self.pairs = [(entry, leaf_hash(entry)) for entry in self.entries]
        self.origin = derived["origin"]
        self.octets = derived["cosigned_checkpoint"].encode()
        self.log_key = VerifierKey.from_vkey(derived["log_vkey"])
        self.signer = SigningKey(
            name=self.origin,
            type=KeyType.ED25519,
            seed=bytes.fromhex(derived["log_seed_hex"]),
        )
        self.witnesses = [VerifierKey.from_vkey(each["vkey"]) for each in derived["witnesses"]]
        self.receipt = parse_receipt(vectors["tlog_proof_derived"].encode())
        self.checkpoint = self.open(self.octets).checkpoint

    def open(self, octets, *, origin=None, key=None):
        return open_checkpoint(
            octets, origin=origin or self.origin, log_keys=[key or self.log_key]
        )

    def of(self, entries):
        return Checkpoint(origin=self.origin, size=len(entries), root=reference.mth(entries))

    def signed(self, body):
        """Return a body signed by the log itself, whatever it says."""
        line = sign_checkpoint(self.checkpoint, key=self.signer).note.signatures[0]
        line = replace(line, payload=self.signer.sign(body.encode()))
        return (body + "\n" + line.format()).encode()


@pytest.fixture
def published(vectors):
    return Published(vectors)


class TestMustRefuse:
    def test_knows_every_mutation_of_the_list(self, vectors):
        tests = [name for name in dir(type(self)) if name.startswith("test_refuses_")]
        assert len(tests) == len(vectors["must_refuse"]) == 15

    def test_refuses_an_entry_with_one_octet_changed(self, published):
        published.pairs[3] = (published.entries[3] + b"\x01", published.pairs[3][1])
        with pytest.raises(LogMismatchError, match="Entry 3 was changed"):
            verify_log(published.pairs, checkpoint=published.checkpoint)

    def test_refuses_two_entries_swapped(self, published):
        entries = published.entries
        entries[2], entries[6] = entries[6], entries[2]
        hashes = [stored for _, stored in published.pairs]
        with pytest.raises(LogMismatchError, match="Entry 2 was changed"):
            verify_log(zip(entries, hashes, strict=True), checkpoint=published.checkpoint)
        with pytest.raises(LogMismatchError, match="reordered together with their hashes"):
            verify_log(
                [(entry, leaf_hash(entry)) for entry in entries], checkpoint=published.checkpoint
            )

    def test_refuses_an_entry_removed_and_the_tree_recomputed(self, published):
        self.refuse_history(
            published, [*published.entries[:3], *published.entries[4:], b"later", b"last"]
        )

    def test_refuses_an_entry_inserted(self, published):
        self.refuse_history(
            published, [*published.entries[:3], b"inserted", *published.entries[3:]]
        )

    def refuse_history(self, published, rewritten):
        with pytest.raises(ProofError, match="does not extend the log of size 8"):
            verify_extension(
                published.checkpoint,
                published.of(rewritten),
                proof=reference.proof(8, rewritten),
            )

    def test_refuses_a_changed_root_line(self, published):
        changed = published.octets.replace(b"\nXcna", b"\nYcna")
        with pytest.raises(SignatureError, match="is wrong"):
            published.open(changed)

    @pytest.mark.parametrize("size", ["08", "+8"])
    def test_refuses_a_size_with_a_leading_zero_or_a_sign(self, published, size):
        body = published.checkpoint.body().replace("\n8\n", f"\n{size}\n")
        with pytest.raises(FormatError, match="without sign or leading zero"):
            published.open(published.signed(body))  # although the log itself signed it

    def test_refuses_a_note_that_only_unknown_keys_signed(self, published):
        stranger = SigningKey(name=published.origin, type=KeyType.ED25519, seed=b"\x42" * 32)
        octets = sign_checkpoint(published.checkpoint, key=stranger).note.format()
        with pytest.raises(SignatureError, match="No trusted key signed"):
            published.open(octets)

    def test_refuses_the_whole_note_for_a_bad_signature_of_a_known_key(self, published):
        note = parse_note(published.octets)
        first = note.signatures[1]
        bad = replace(first, payload=first.payload[:-1] + bytes([first.payload[-1] ^ 1]))
        mixed = Note(text=note.text, signatures=(note.signatures[0], bad, *note.signatures[2:]))
        with pytest.raises(SignatureError, match="member01"):
            verify_cosignatures(mixed, witnesses=published.witnesses)

    def test_refuses_another_root_at_the_same_size(self, published):
        fork = published.of([*published.entries[:7], b"another"])
        with pytest.raises(SplitViewError, match="size 8 have different roots"):
            verify_extension(published.checkpoint, fork, proof=[])

    def test_refuses_an_older_checkpoint_replayed_as_the_latest(self, published):
        cosignatures = verify_cosignatures(
            parse_note(published.octets), witnesses=published.witnesses
        )
        signed_at = datetime.fromtimestamp(1790000000, UTC)
        window = timedelta(hours=1)
        require_fresh(cosignatures, at=signed_at, max_age=window, quorum=3)
        with pytest.raises(FreshnessError, match="0 witnesses cosigned the checkpoint within"):
            require_fresh(cosignatures, at=signed_at + 2 * window, max_age=window, quorum=3)
        longer = published.of([*published.entries, b"later"])
        with pytest.raises(FreshnessError, match="size 9 of this log was seen before"):
            verify_extension(longer, published.checkpoint, proof=[])

    def test_refuses_a_proof_longer_or_shorter_than_the_tree_is_deep(self, published):
        proof = published.receipt.proof
        for wrong in (proof[:-1], proof[1:], (*proof, published.checkpoint.root)):
            with pytest.raises(ProofError, match=f"has {len(wrong)} hashes, 3 are needed"):
                self.verify(published, replace(published.receipt, proof=wrong))

    def test_refuses_a_node_fed_as_a_leaf(self, published):
        left, right = (stored for _, stored in published.pairs[4:6])
        way = reference.path(5, published.entries)[1:]
        pair = {"index": 2, "size": 4, "proof": way, "root": published.checkpoint.root}
        # Without prefixes the octets of a pair would hash like an entry of a smaller tree.
        verify_inclusion(leaf=node_hash(left, right), **pair)
        with pytest.raises(ProofError, match="Entry 2 is not in the log of size 4"):
            verify_inclusion(leaf=leaf_hash(left + right), **pair)

    def test_refuses_base64_with_a_second_spelling(self, published):
        body = published.checkpoint.body()
        assert body.endswith("gQyg=\n")
        second = body.replace("gQyg=", "gQyh=")  # decodes to the same octets
        with pytest.raises(FormatError, match="not canonical base64"):
            published.open(published.signed(second))

    def test_refuses_a_checkpoint_of_another_log(self, published):
        elsewhere = replace(published.checkpoint, origin="elsewhere.example.org/v1")
        octets = sign_checkpoint(elsewhere, key=published.signer).note.format()
        with pytest.raises(OriginError, match=re.escape("'elsewhere.example.org/v1'")):
            published.open(octets)

    def test_refuses_fewer_than_a_quorum_of_distinct_witnesses(self, published):
        with pytest.raises(QuorumError, match="3 distinct witnesses cosigned, 4 are needed"):
            self.verify(published, published.receipt, quorum=4)
        one = SigningKey(name="one", type=KeyType.COSIGNATURE_V1, seed=b"\x01" * 32)
        at = datetime(2026, 12, 1, tzinfo=UTC)
        lines = [
            cosign(published.checkpoint, key=one, at=at + timedelta(seconds=s)) for s in range(3)
        ]
        note = Note(text=published.checkpoint.body(), signatures=tuple(lines))
        with pytest.raises(QuorumError, match="1 distinct witnesses cosigned, 2 are needed"):
            require_quorum(verify_cosignatures(note, witnesses=[one.verifier]), quorum=2)

    def verify(self, published, receipt, *, quorum=0):
        return verify_receipt(
            receipt,
            entry=published.entries[5],
            origin=published.origin,
            log_keys=[published.log_key],
            witnesses=published.witnesses,
            quorum=quorum,
        )
