from __future__ import annotations

import base64

import pytest

from missioncontrol.audit.merkle.checkpoint import open_checkpoint
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import sequence_entries
from tests.integration.missioncontrol.api.conftest import AT, assert_problem, assert_wrong_field
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


def test_who_holds_no_role_may_not_read_the_log(operator, operating, published):
    operating.memberships.all().delete()
    index = published[0].log_index
    for path in ("log", "checkpoint", "entries", f"entries/{index}/receipt"):
        response = operator.get(f"/audit/{path}")
        assert_problem(response, 403, "not-permitted", "audit.view")
