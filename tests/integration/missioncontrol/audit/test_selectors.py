from __future__ import annotations

from datetime import timedelta

import pytest

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.checkpoint import parse_checkpoint_body
from missioncontrol.audit.merkle.cosignature import cosign
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import parse_note
from missioncontrol.audit.merkle.proofs import verify_consistency, verify_inclusion
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from missioncontrol.audit.merkle.tiles import TileNodes
from missioncontrol.audit.merkle.tree import root_at
from missioncontrol.audit.models import AuditEntry, Checkpoint, Cosignature, Witness
from missioncontrol.audit.selectors import log_entries
from missioncontrol.audit.services import sequence_entries
from tests.integration.missioncontrol.audit.log_entries import AT, append, publish

pytestmark = pytest.mark.django_db


class TestIsPublished:
    def test_waits_for_the_checkpoint_and_not_for_the_index(self):
        publish()
        [row] = append()
        assert not selectors.is_published(row.pk)
        AuditEntry.objects.filter(pk=row.pk).update(log_index=1)
        assert not selectors.is_published(row.pk)
        sequence_entries(at=AT)
        assert selectors.is_published(row.pk)

    def test_knows_no_entry_that_does_not_exist(self):
        assert not selectors.is_published(1)


class TestNewLog:
    def test_has_a_name_but_no_key_and_no_checkpoint(self):
        assert selectors.origin() == "missioncontrol.local/log"
        assert selectors.latest_checkpoint() is None
        assert (selectors.published_size(), selectors.assigned_size()) == (0, 0)
        with pytest.raises(selectors.NotPublishedError, match="The log has no key yet"):
            selectors.verification_key()


class TestReceipt:
    @pytest.mark.parametrize("index", [0, 254, 255, 256, 299])
    def test_proves_an_entry_offline_with_the_public_key_alone(self, index):
        publish(280)
        publish(20)
        row = selectors.get_entry(index)
        verified = verify_receipt(
            parse_receipt(selectors.receipt(row).encode()),
            entry=bytes(row.entry),
            origin=selectors.origin(),
            log_keys=[VerifierKey.from_vkey(selectors.verification_key())],
        )
        assert (verified.index, verified.checkpoint.size) == (index, 300)

    def test_comes_from_the_same_proof_that_is_shown(self):
        row = publish(5)[2]
        proof = selectors.inclusion_proof(row)
        assert (proof.index, proof.size, len(proof.hashes)) == (2, 5, 3)
        verify_inclusion(
            leaf=bytes(row.leaf_hash),
            index=2,
            size=5,
            proof=proof.hashes,
            root=proof.root,
        )

    def test_is_refused_before_the_entry_is_published(self):
        publish()
        [row] = append()
        for ask in (selectors.receipt, selectors.inclusion_proof):
            with pytest.raises(selectors.NotPublishedError, match="no published checkpoint yet"):
                ask(row)


class TestEntries:
    @pytest.fixture(autouse=True)
    def log(self):
        append(subject="job:1", action="job.submit", organisation="kashi")
        append(subject="job:1", action="job.complete", actor="process:jobs", organisation="kashi")
        append(subject="job:12", action="job.submit", actor="operator:bob")
        publish()
        append(subject="waiting:1")

    def subjects(self, **asked):
        return [row.subject for row in selectors.entries(selectors.EntryFilter(**asked)).entries]

    def test_come_newest_first_and_with_those_that_wait(self):
        page = selectors.entries()
        assert [row.subject for row in page.entries] == [
            *["waiting:1", "telecommand:17", "job:12", "job:1", "job:1"]
        ]
        assert [row.log_index for row in page.entries] == [None, 3, 2, 1, 0]
        assert page.next_cursor is None
        assert selectors.waiting_count() == 1

    @pytest.mark.parametrize(
        ("asked", "subjects"),
        [
            ({"subject": "job:1"}, ["job:1", "job:1"]),
            ({"subject": "job:1", "action": "job.submit"}, ["job:1"]),
            ({"actor": "operator:bob"}, ["job:12"]),
            ({"organisation": "kashi"}, ["job:1", "job:1"]),
            ({"text": "JOB:1"}, ["job:12", "job:1", "job:1"]),
            ({"text": "process:"}, ["job:1"]),
            ({"text": "Kash", "action": "job.complete"}, ["job:1"]),
            ({"text": "%"}, []),
            ({"since": AT + timedelta(days=2), "subject": "job:1"}, []),
            ({"until": AT, "subject": "job:1"}, []),
            ({"since": AT, "until": AT + timedelta(days=1), "subject": "job:12"}, ["job:12"]),
            ({"subject": "job:3"}, []),
        ],
    )
    def test_are_found_by_what_is_asked(self, asked, subjects):
        assert self.subjects(**asked) == subjects

    def test_come_in_pages_that_neither_overlap_nor_shift_when_the_log_grows(self):
        first = selectors.entries(limit=2)
        append(subject="later:1")
        second = selectors.entries(limit=2, cursor=first.next_cursor)
        third = selectors.entries(limit=2, cursor=second.next_cursor)
        pages = [[row.subject for row in page.entries] for page in (first, second, third)]
        assert pages == [["waiting:1", "telecommand:17"], ["job:12", "job:1"], ["job:1"]]
        assert third.next_cursor is None

    def test_are_limited_to_a_page(self, monkeypatch):
        monkeypatch.setattr(log_entries, "MAX_PAGE", 3)
        assert len(selectors.entries(limit=1000).entries) == 3

    def test_show_what_was_logged(self):
        [row] = append(details={"limit": 7})
        row.refresh_from_db()
        assert selectors.entry_content(row)["details"] == {"limit": 7}

    def test_have_one_at_an_index_or_none(self):
        assert selectors.get_entry(2).subject == "job:12"
        with pytest.raises(AuditEntry.DoesNotExist):
            selectors.get_entry(4)


class TestEntryByLeafHash:
    def test_finds_an_entry_whether_it_has_an_index_or_not(self):
        [published] = publish()
        [waiting] = append()
        for row in (published, waiting):
            assert selectors.entry_by_leaf_hash(bytes(row.leaf_hash)) == row

    def test_finds_nothing_else(self):
        [row] = append()
        for digest in (bytes(32), b"", bytes(row.leaf_hash)[:31]):
            with pytest.raises(AuditEntry.DoesNotExist):
                selectors.entry_by_leaf_hash(digest)


class TestConsistencyProof:
    @pytest.mark.parametrize(
        ("old", "new"), [(1, 2), (255, 257), (256, 300), (7, 300), (300, 300)]
    )
    def test_proves_that_the_log_only_grew(self, old, new):
        publish(300)
        nodes = TileNodes(size=300, read_tile=selectors.log_folder().read_tile)
        verify_consistency(
            old=old,
            new=new,
            old_root=root_at(size=old, read_node=nodes),
            new_root=root_at(size=new, read_node=nodes),
            proof=selectors.consistency_proof(old=old, new=new),
        )

    def test_is_empty_from_the_empty_log(self):
        publish(3)
        assert selectors.consistency_proof(old=0, new=3) == ()

    @pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 4), (-1, 2), (4, 4)])
    def test_is_refused_where_nothing_can_be_proved(self, old, new):
        publish(3)
        with pytest.raises(selectors.SizesRefusedError, match="3 entries are published"):
            selectors.consistency_proof(old=old, new=new)


class TestCountEntries:
    def test_counts_what_fits_and_no_further_than_asked(self):
        append(4, subject="job:1")
        append(2, subject="job:2")
        asked = selectors.EntryFilter(subject="job:1")
        assert [selectors.count_entries(asked, most=most) for most in (3, 4, 9)] == [3, 4, 4]


class TestExplainedProof:
    def test_leads_step_by_step_to_the_root_that_was_signed(self):
        row = publish(5)[4]
        found = selectors.explained_proof(row)
        assert found.leaf_hash == leaf_hash(bytes(row.entry))
        # The last of five stands alone at the right edge: one step joins it with the other four.
        [step] = found.steps
        assert step.is_left
        assert step.joined == found.proof.root == bytes(Checkpoint.objects.latest().root)

    def test_names_who_signed(self):
        [row] = publish()
        key = SigningKey(name="w.example", type=KeyType.COSIGNATURE_V1, seed=bytes(32))
        newest = Checkpoint.objects.latest()
        line = cosign(parse_checkpoint_body(parse_note(newest.note.encode()).text), key=key, at=AT)
        witness = Witness.objects.create(
            name="w", organisation="member", vkey=key.verifier.to_vkey(), url="https://w.example"
        )
        Cosignature.objects.create(
            checkpoint=newest, witness=witness, line=line.format().strip(), timestamp_s=1
        )
        log, cosigned = selectors.explained_proof(row).lines
        assert (log.kind, log.name, log.signed_at) == ("log", "missioncontrol.local/log", None)
        assert (cosigned.kind, cosigned.organisation) == ("witness", "member")
        assert (cosigned.key_id, cosigned.signed_at) == (
            key.verifier.key_id.hex(),
            AT.replace(microsecond=0),
        )

    def test_is_refused_before_the_entry_is_published(self):
        publish()
        [row] = append()
        with pytest.raises(selectors.NotPublishedError):
            selectors.explained_proof(row)


class TestReceiptOfAnEarlierTree:
    def test_proves_the_entry_under_that_checkpoint(self):
        [row] = publish()
        publish(6)
        octets = selectors.receipt(row, size=1).encode()
        verified = verify_receipt(
            parse_receipt(octets),
            entry=bytes(row.entry),
            origin=selectors.origin(),
            log_keys=[VerifierKey.from_vkey(selectors.verification_key())],
        )
        assert verified.checkpoint.size == 1

    @pytest.mark.parametrize("size", [0, 2, 8, 2**63])
    def test_is_refused_without_such_a_checkpoint(self, size):
        [row] = publish()
        publish(6)
        with pytest.raises(selectors.NotPublishedError, match=f"checkpoint of size {size}"):
            selectors.receipt(row, size=size)
