from __future__ import annotations

import base64

import pytest

from missioncontrol.accounts.models import ApiToken, Membership, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.checkpoint import open_checkpoint, parse_checkpoint_body
from missioncontrol.audit.merkle.cosignature import cosign, verify_cosignatures
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import parse_note
from missioncontrol.audit.merkle.opening import parse_opening, verify_opening
from missioncontrol.audit.merkle.proofs import verify_consistency
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from missioncontrol.audit.merkle.tiles import TileNodes
from missioncontrol.audit.merkle.tree import root_at
from missioncontrol.audit.models import AuditEntry, Checkpoint, Cosignature, Witness
from missioncontrol.audit.services import (
    announce_log_key,
    erase_opening,
    register_witness,
    sequence_entries,
)
from missioncontrol.kernel.organisations import acting_for
from tests import factories
from tests.integration.missioncontrol.api.conftest import (
    AT,
    assert_problem,
    assert_wrong_field,
    token_of,
)
from tests.integration.missioncontrol.audit.log_entries import append


@pytest.fixture
def published(pipeline):
    """Three entries under a checkpoint, beside those of the mission's loading."""
    rows = append(3, subject="job:17", action="job.submit")
    while sequence_entries(at=AT):
        pass
    for row in rows:
        row.refresh_from_db()
    return rows


def key_of(api):
    return VerifierKey.from_vkey(api.get("/audit/log").json()["vkey"])


def test_the_log_tells_its_name_and_key(pipeline, published):
    log = pipeline.get("/audit/log").json()
    assert log["origin"] == "missioncontrol.local/log"
    assert log["vkey"].startswith("missioncontrol.local/log+")
    assert log["announced_vkey"] is None


def test_before_its_first_start_the_log_has_no_key_and_no_checkpoint(pipeline):
    assert_problem(pipeline.get("/audit/log"), 409, "refused", "no key yet")
    assert_problem(pipeline.get("/audit/checkpoint"), 409, "refused", "no checkpoint yet")


def test_the_checkpoint_is_signed_with_the_logs_key(pipeline, published):
    answer = pipeline.get("/audit/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    opened = open_checkpoint(
        answer.content, origin="missioncontrol.local/log", log_keys=[key_of(pipeline)]
    )
    assert opened.checkpoint.size == published[-1].log_index + 1


class TestEntries:
    def test_show_the_octets_that_are_hashed(self, pipeline, published):
        items = pipeline.get("/audit/entries", {"subject": "job:17"}).json()["items"]
        assert [item["log_index"] for item in items] == [row.log_index for row in published[::-1]]
        assert items[0] == {
            "log_index": published[-1].log_index,
            "action": "job.submit",
            "subject": "job:17",
            "actor": "operator:alice",
            "organisation": "",
            "at": "2026-12-01T00:12:34.500000Z",
            "entry": base64.b64encode(bytes(published[-1].entry)).decode(),
        }

    def test_have_no_index_while_they_wait(self, pipeline):
        append(1, subject="job:18")
        [item] = pipeline.get("/audit/entries", {"subject": "job:18"}).json()["items"]
        assert item["log_index"] is None

    def test_have_no_index_before_a_checkpoint_covers_it(self, pipeline, published):
        """Between numbering and publishing there is a moment; nothing can be proven in it."""
        [row] = append(1, subject="job:18")
        index = published[-1].log_index + 1
        AuditEntry.objects.filter(pk=row.pk).update(log_index=index)
        [item] = pipeline.get("/audit/entries", {"subject": "job:18"}).json()["items"]
        assert item["log_index"] is None
        response = pipeline.get(f"/audit/entries/{index}/receipt")
        assert_problem(response, 409, "refused", "no published checkpoint yet")

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"action": "job.submit"}, 3),
            ({"action": "job.submit", "actor": "operator:bob"}, 0),
            ({"subject": "job:17", "actor": "operator:alice"}, 3),
            ({"organisation": "ai-laboratory-1", "action": "token.create"}, 1),
        ],
    )
    def test_are_found_by_what_they_say(self, pipeline, published, query, count):
        assert len(pipeline.get("/audit/entries", query).json()["items"]) == count

    def test_come_page_by_page(self, pipeline, published):
        asked = {"subject": "job:17", "limit": 2}
        first = pipeline.get("/audit/entries", asked).json()
        second = pipeline.get("/audit/entries", asked | {"cursor": first["next"]}).json()
        indices = [item["log_index"] for item in first["items"] + second["items"]]
        assert indices == [row.log_index for row in published[::-1]]
        assert second["next"] is None

    def test_too_many_at_once_are_refused(self, pipeline):
        assert_wrong_field(pipeline.get("/audit/entries", {"limit": 501}), "query.limit", "500")


class TestReceipt:
    def test_proves_the_entry_offline(self, pipeline, published):
        index = published[1].log_index
        receipt = pipeline.get(f"/audit/entries/{index}/receipt").json()
        assert receipt["log_index"] == index
        verified = verify_receipt(
            parse_receipt(receipt["receipt"].encode()),
            entry=base64.b64decode(receipt["entry"]),
            origin="missioncontrol.local/log",
            log_keys=[key_of(pipeline)],
        )
        assert verified.checkpoint.size == published[-1].log_index + 1

    def test_of_an_entry_that_is_not_there_is_not_found(self, pipeline, published):
        response = pipeline.get("/audit/entries/99999/receipt")
        assert_problem(response, 404, "not-found", "no entry 99999")


class TestReceiptOfALeaf:
    def test_is_the_one_of_the_entry(self, pipeline, published):
        leaf_hash = bytes(published[1].leaf_hash).hex()
        answer = pipeline.get(f"/audit/receipts/{leaf_hash}")
        assert answer.json() == (
            pipeline.get(f"/audit/entries/{published[1].log_index}/receipt").json()
        )

    def test_is_refused_until_the_entry_is_published(self, pipeline, published):
        [row] = append(1)
        path = f"/audit/receipts/{bytes(row.leaf_hash).hex()}"
        assert_problem(pipeline.get(path), 409, "refused", "no published checkpoint yet")
        sequence_entries(at=AT)
        assert pipeline.get(path).status_code == 200

    def test_of_nothing_that_was_logged_is_not_found(self, pipeline, published):
        response = pipeline.get(f"/audit/receipts/{'00' * 32}")
        assert_problem(response, 404, "not-found", "no entry with the leaf hash 0000")

    @pytest.mark.parametrize("text", ["abc", "00" * 31, "00" * 33, "AB" * 32, "zz" * 32])
    def test_takes_64_hexadecimal_digits(self, pipeline, text):
        response = pipeline.get(f"/audit/receipts/{text}")
        assert_wrong_field(response, "path.leaf_hash", "pattern")


class TestOpening:
    @pytest.fixture
    def entry(self, laboratory, operating):
        [row] = append(
            1,
            organisation=laboratory.slug,
            private={"program": "SHA256"},
            readers=[operating.slug],
        )
        while sequence_entries(at=AT):
            pass
        row.refresh_from_db()
        return row

    def test_is_for_its_owner_and_for_whom_it_was_written(self, pipeline, operator, entry):
        for api in (pipeline, operator):
            given = api.get(f"/audit/entries/{entry.log_index}/opening").json()
            opened = verify_opening(
                parse_opening(given["opening"].encode()), entry=base64.b64decode(given["entry"])
            )
            assert (given["log_index"], opened) == (entry.log_index, {"program": "SHA256"})

    def test_is_for_nobody_else(self, rival, entry):
        response = rival.get(f"/audit/entries/{entry.log_index}/opening")
        assert_problem(response, 403, "not-permitted", "belongs to ai-laboratory-1")

    def test_acts_for_the_token_s_organisation_only(self, laboratory, entry):
        """Also where its operator has a role for the owner."""
        elsewhere = Organisation.objects.get(slug="ai-laboratory-2")
        account = factories.operator("both", Role.PAYLOAD_MEMBER, member_of=laboratory)
        Membership.objects.create(
            operator=account, organisation=elsewhere, role=Role.PAYLOAD_MEMBER
        )
        path = f"/audit/entries/{entry.log_index}/opening"
        assert token_of(account, laboratory).get(path).status_code == 200
        assert_problem(token_of(account, elsewhere).get(path), 403, "not-permitted")

    def test_takes_the_scope_for_it(self, pipeline, entry):
        ApiToken.objects.update(scopes=["audit.view"])
        answer = pipeline.get(f"/audit/entries/{entry.log_index}/opening")
        assert_problem(answer, 403, "not-permitted", "opening.view is none of them")

    def test_of_a_public_entry_is_not_found(self, pipeline, published):
        response = pipeline.get(f"/audit/entries/{published[0].log_index}/opening")
        assert_problem(response, 404, "not-found", "all of it is public")
        assert_problem(pipeline.get("/audit/entries/99999/opening"), 404, "not-found")

    def test_that_was_erased_is_gone(self, pipeline, laboratory, rival, entry):
        with acting_for([(laboratory.pk, laboratory.slug)]):
            erase_opening(entry=entry, reason="at its wish", actor="operator:carol", at=AT)
        path = f"/audit/entries/{entry.log_index}/opening"
        assert_problem(pipeline.get(path), 410, "erased", "by operator:carol at 2026-12-01")
        assert_problem(rival.get(path), 403, "not-permitted")


REASON = {"reason": "asked for by the person whom it is about"}


class TestErasure:
    @pytest.fixture
    def entry(self, laboratory):
        [row] = append(1, organisation=laboratory.slug, private={"program": "SHA256"})
        sequence_entries(at=AT)
        row.refresh_from_db()
        return row

    @pytest.fixture
    def lena(self, laboratory):
        account = factories.operator("lena", Role.ADMINISTRATOR, member_of=laboratory)
        return token_of(account, laboratory)

    def path(self, entry):
        return f"/audit/entries/{entry.log_index}/opening/erase"

    def test_is_done_once_by_its_owners_administrator(self, lena, entry):
        assert lena.post(self.path(entry), REASON).status_code == 204
        gone = assert_problem(lena.get(self.path(entry).removesuffix("/erase")), 410, "erased")
        assert "by operator:lena" in gone["detail"]
        assert gone["detail"].endswith(REASON["reason"])
        assert_problem(lena.post(self.path(entry), REASON), 410, "erased")
        assert AuditEntry.objects.filter(action="opening.erase").count() == 1

    def test_is_refused_to_others(self, administrator, pipeline, entry):
        for api in (administrator, pipeline):
            refused = api.post(self.path(entry), REASON)
            assert_problem(refused, 403, "not-permitted", "opening.erase")
        assert not AuditEntry.objects.filter(action="opening.erase").exists()

    def test_takes_a_fresh_token_and_a_reason(self, lena, entry, aging):
        assert_wrong_field(lena.post(self.path(entry), {"reason": ""}), "body.reason", "1")
        aging()
        assert_problem(lena.post(self.path(entry), REASON), 403, "confirmation-needed")

    def test_of_what_there_is_not_is_not_found(self, lena, published):
        refused = lena.post(self.path(published[0]), REASON)
        assert_problem(refused, 404, "not-found", "all of it is public")
        assert_problem(lena.post("/audit/entries/99999/opening/erase", REASON), 404, "not-found")


class TestConsistency:
    def test_proves_that_the_log_only_grew(self, pipeline, published):
        size = published[-1].log_index + 1
        nodes = TileNodes(size=size, read_tile=selectors.log_folder().read_tile)
        given = pipeline.get("/audit/consistency", {"old": 2}).json()
        assert (given["old"], given["new"]) == (2, size)
        verify_consistency(
            old=2,
            new=size,
            old_root=root_at(size=2, read_node=nodes),
            new_root=root_at(size=size, read_node=nodes),
            proof=[base64.b64decode(each) for each in given["hashes"]],
        )
        asked = {"old": 0, "new": 2}
        assert pipeline.get("/audit/consistency", asked).json() == asked | {"hashes": []}

    def test_is_refused_where_there_is_nothing_to_prove(self, pipeline, published):
        size = published[-1].log_index + 1
        for query, field, allowed in (
            ({"old": 1, "new": size + 1}, "query.new", f"at most {size}, which is"),
            ({"old": size + 1}, "query.old", f"at most {size}, the new size"),
            ({"old": 3, "new": 2}, "query.old", "at most 2"),
            ({}, "query.old", "required"),
            ({"old": -1}, "query.old", "greater than or equal to 0"),
        ):
            assert_wrong_field(pipeline.get("/audit/consistency", query), field, allowed)


class TestWitnesses:
    def test_are_shown_with_what_they_publish(self, pipeline, published, settings):
        settings.AUDIT_PUBLISHED_QUORUM = settings.AUDIT_SETTLED_QUORUM = 1
        size = published[-1].log_index + 1
        fields = {"published_quorum": 0, "settled_quorum": 0, "signed_size": size}
        board = pipeline.get("/audit/witnesses").json()
        assert board == {
            "witnesses": [],
            **fields,
            "published_size": size,
            "settled_size": size,
        }
        key = SigningKey(name="w.example", type=KeyType.COSIGNATURE_V1, seed=bytes(32)).verifier
        register_witness(
            name="Lab's",
            organisation="ai-laboratory-1",
            vkey=key.to_vkey(),
            url="https://w.example",
            actor="operator:root",
            at=AT,
        )
        board = pipeline.get("/audit/witnesses").json()
        assert (board["published_quorum"], board["published_size"]) == (1, 0)
        assert board["witnesses"] == [
            {
                "name": "Lab's",
                "organisation": "ai-laboratory-1",
                "size": 0,
                "behind": size,
                "last_seen_at": None,
                "fault": "",
            }
        ]


def test_the_checkpoint_carries_the_cosignatures(pipeline, published):
    newest = Checkpoint.objects.latest()
    key = SigningKey(name="w.example", type=KeyType.COSIGNATURE_V1, seed=bytes(32))
    witness = Witness.objects.create(
        name="w", organisation="m", vkey=key.verifier.to_vkey(), url="https://w.example"
    )
    head = parse_checkpoint_body(parse_note(newest.note.encode()).text)
    line = cosign(head, key=key, at=AT)
    Cosignature.objects.create(
        checkpoint=newest, witness=witness, line=line.format().strip(), timestamp_s=1
    )
    note = parse_note(pipeline.get("/audit/checkpoint").content)
    assert len(verify_cosignatures(note, witnesses=[key.verifier])) == 1


def test_the_log_tells_the_key_that_is_to_follow(pipeline, published):
    assert pipeline.get("/audit/log").json()["announced_vkey"] is None
    change = announce_log_key(actor="operator:root", at=AT)
    log = pipeline.get("/audit/log").json()
    assert (log["vkey"], log["announced_vkey"]) == (change.old.to_vkey(), change.new.to_vkey())


def test_who_holds_no_role_may_not_read_the_log(operator, operating, published):
    operating.memberships.all().delete()
    index = published[0].log_index
    for path in (
        *("log", "checkpoint", "entries", f"entries/{index}/receipt", f"entries/{index}/opening"),
        *("consistency?old=0", "witnesses", f"receipts/{'00' * 32}"),
    ):
        response = operator.get(f"/audit/{path}")
        action = "opening.view" if path.endswith("opening") else "audit.view"
        assert_problem(response, 403, "not-permitted", action)
