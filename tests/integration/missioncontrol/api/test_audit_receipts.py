"""The header Audit-Receipt: what a call wrote into the log, and nothing that it did not."""

from __future__ import annotations

import base64

import pytest
from django.db import transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.receipt_header import MAX_NAMED, AuditReceipts
from missioncontrol.audit.services import append_entry, sequence_entries
from tests import factories
from tests.integration.missioncontrol.api.conftest import AT, assert_problem
from tests.integration.missioncontrol.audit.log_entries import append
from tests.signing_in import signed_in
from uplink.jobs import services as job_services

# An entry is named when it is committed, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "Audit-Receipt"
JOB = {
    "spacecraft": "DD-1",
    "program": "SHA256",
    "input": base64.b64encode(b"an input").decode(),
}


@pytest.fixture(autouse=True)
def mission(transactional_db, mission):
    """The mission of the other tests, committed."""


def written(**fields):
    rows = AuditEntry.objects.filter(**fields).order_by("pk")
    return [bytes(row.leaf_hash).hex() for row in rows]


def named(response):
    return response[HEADER].split(", ")


class TestAChange:
    def test_names_the_entries_that_it_wrote_in_their_order(self, pipeline):
        before = AuditEntry.objects.count()
        response = pipeline.post("/jobs", JOB)
        assert response.status_code == 201
        assert named(response) == written()[before:]
        assert set(written(action="job.submit")) <= set(named(response))

    def test_leads_to_the_receipt_of_each(self, pipeline):
        [leaf, *_] = named(pipeline.post("/jobs", JOB))
        assert_problem(pipeline.get(f"/audit/receipts/{leaf}"), 409, "refused")
        while sequence_entries(at=AT):
            pass
        answer = pipeline.get(f"/audit/receipts/{leaf}").json()
        assert answer["receipt"].startswith("c2sp.org/tlog-proof@v1")

    def test_that_is_refused_names_none(self, pipeline):
        response = pipeline.post("/jobs", JOB | {"program": "NO_SUCH"})
        assert response.status_code >= 400
        assert HEADER not in response

    def test_that_only_reads_names_none(self, pipeline):
        assert HEADER not in pipeline.get("/jobs")

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "run-1"}])
    def test_that_breaks_after_writing_names_none(self, pipeline, monkeypatch, headers):
        def write_and_break(**_fields):
            with transaction.atomic():
                append_entry(action="test.write", subject="n:1", actor="process:t", at=AT)
                raise RuntimeError("a fault of ours")

        monkeypatch.setattr(job_services, "submit_job", write_and_break)
        response = pipeline.post("/jobs", JOB, **headers)
        assert response.status_code == 500
        assert HEADER not in response
        assert written(action="test.write") == []


class TestARepetition:
    def test_names_the_same_entries_again(self, pipeline):
        first = pipeline.post("/jobs", JOB, **{"Idempotency-Key": "run-1"})
        before = AuditEntry.objects.count()
        second = pipeline.post("/jobs", JOB, **{"Idempotency-Key": "run-1"})
        assert second["Idempotent-Replayed"] == "true"
        assert second[HEADER] == first[HEADER]
        assert set(named(first)) <= set(written())
        assert AuditEntry.objects.count() == before

    def test_without_the_key_names_new_ones(self, pipeline):
        first, second = (pipeline.post("/jobs", JOB) for _ in range(2))
        assert not set(named(first)) & set(named(second))


class TestTheConsole:
    def test_names_what_a_press_wrote(self, operating, transactional_db):
        alice = factories.operator("alice", Role.OPERATOR, member_of=operating)
        browser = signed_in(alice)
        form = {"spacecraft": "DD-1", "telecommand": "PING"}
        response = browser.post("/commands/submit/", form)
        assert response.status_code == 302
        assert named(response) == written(action="telecommand.submit")


class TestTheMiddleware:
    def test_names_no_more_than_fit_into_a_header(self):
        from django.http import HttpResponse

        def answer(_request):
            append(MAX_NAMED + 3)
            return HttpResponse()

        response = AuditReceipts(answer)(None)
        assert named(response) == written()[-MAX_NAMED - 3 : -3]
