from __future__ import annotations

import base64
import hashlib

import pytest

from missioncontrol.audit.models import AuditEntry
from tests.integration.missioncontrol.api.conftest import (
    assert_problem,
    assert_wrong_field,
    complete,
)
from uplink.jobs.models import Job
from uplink.jobs.programs import MAX_INPUT_OCTETS

INPUT = b"an input of any octets"
OUTPUT = hashlib.sha256(INPUT).digest()


def body(octets=INPUT, **fields):
    return {
        "spacecraft": "DD-1",
        "program": "SHA256",
        "input": base64.b64encode(octets).decode(),
        **fields,
    }


@pytest.fixture
def submitted(pipeline) -> int:
    return pipeline.post("/jobs", body()).json()["number"]


@pytest.fixture
def completed(submitted) -> int:
    """The job as it is after its result came down."""
    complete(Job.objects.get(pk=submitted), output=OUTPUT)
    return submitted


class TestSubmit:
    def test_takes_the_job_for_the_members_organisation(self, pipeline):
        answer = pipeline.post("/jobs", body())
        assert answer.status_code == 201
        job = answer.json()
        assert answer["Location"] == f"/api/v1/jobs/{job['number']}"
        assert job == pipeline.get(f"/jobs/{job['number']}").json()
        assert job | {"number": 0} == {
            "number": 0,
            "state": "SUBMITTED",
            "spacecraft": "DD-1",
            "program": "SHA256",
            "organisation": "ai-laboratory-1",
            "submitted_by": "pipeline",
            "input_sha256": hashlib.sha256(INPUT).hexdigest(),
            "input_octets": len(INPUT),
            "output_sha256": None,
            "output_octets": None,
            "uplink_octets": 0,
            "downlink_octets": 0,
            "failure": "",
            "telecommand": None,
            "submitted_at": "2026-12-01T12:00:00Z",
            "uplinked_at": None,
            "started_at": None,
            "finished_at": None,
            "completed_at": None,
        }
        entry = AuditEntry.objects.get(action="job.submit")
        assert (entry.actor, entry.organisation) == ("operator:pipeline", "ai-laboratory-1")

    def test_the_largest_input_is_taken(self, pipeline):
        job = pipeline.post("/jobs", body(bytes(MAX_INPUT_OCTETS))).json()
        assert job["input_octets"] == MAX_INPUT_OCTETS

    @pytest.mark.parametrize(
        ("fields", "field", "allowed"),
        [
            ({"spacecraft": "DD-9"}, "body.spacecraft", "DD-1"),
            ({"program": "FOLD"}, "body.program", "'MATRIX_PRODUCT', 'SHA256'"),
            ({"input": "no base64!"}, "body.input", "RFC 4648"),
            ({"input": 5}, "body.input", "base64"),
            ({"input": ""}, "body.input", "is empty"),
            ({"program": "IMAGE_STATISTICS"}, "body.input", "PGM"),
            ({"program": "MATRIX_PRODUCT", "input": "AAAA"}, "body.input", "hold no shape"),
            ({"organisation": "ai-laboratory-2"}, "body.organisation", ""),
        ],
    )
    def test_what_is_wrong_is_refused_with_what_is_allowed(self, pipeline, fields, field, allowed):
        assert_wrong_field(pipeline.post("/jobs", body(**fields)), field, allowed)
        assert not Job.objects.exists()

    def test_an_input_over_the_limit_is_refused(self, pipeline):
        response = pipeline.post("/jobs", body(bytes(MAX_INPUT_OCTETS + 1)))
        assert_wrong_field(response, "body.input", str(MAX_INPUT_OCTETS))

    def test_whose_role_does_not_say_so_may_not(self, approver, operating):
        operating.memberships.filter(role="operator").delete()
        response = approver.post("/jobs", body())
        assert_problem(response, 403, "not-permitted", "job.submit")


class TestIsolation:
    @pytest.mark.parametrize("path", ["/jobs/{}", "/jobs/{}/result"])
    def test_another_members_job_does_not_exist(self, rival, completed, path):
        response = rival.get(path.format(completed))
        unknown = rival.get(path.format(99))
        detail = assert_problem(response, 404, "not-found")["detail"]
        assert assert_problem(unknown, 404, "not-found")["detail"] == detail.replace(
            str(completed), "99"
        )

    def test_another_members_job_cannot_be_cancelled(self, rival, submitted):
        assert_problem(rival.post(f"/jobs/{submitted}/cancel"), 404, "not-found")
        assert Job.objects.get(pk=submitted).state == "SUBMITTED"

    def test_a_list_holds_the_members_own(self, pipeline, rival, submitted):
        theirs = rival.post("/jobs", body()).json()["number"]
        assert [job["number"] for job in pipeline.get("/jobs").json()["items"]] == [submitted]
        assert [job["number"] for job in rival.get("/jobs").json()["items"]] == [theirs]

    def test_who_operates_the_spacecraft_sees_the_job_but_not_its_result(
        self, operator, completed
    ):
        assert operator.get(f"/jobs/{completed}").json()["state"] == "COMPLETED"
        assert len(operator.get("/jobs").json()["items"]) == 1
        response = operator.get(f"/jobs/{completed}/result")
        assert_problem(response, 403, "not-permitted", "AI Laboratory One")
        assert_problem(operator.post(f"/jobs/{completed}/cancel"), 403, "not-permitted")


class TestList:
    def test_comes_page_by_page_the_newest_first(self, pipeline):
        made = [pipeline.post("/jobs", body()).json()["number"] for _ in range(3)]
        first = pipeline.get("/jobs", {"limit": 2}).json()
        second = pipeline.get("/jobs", {"limit": 2, "cursor": first["next"]}).json()
        assert [job["number"] for job in first["items"] + second["items"]] == made[::-1]
        assert second["next"] is None

    def test_by_state(self, pipeline, submitted):
        assert len(pipeline.get("/jobs", {"state": "SUBMITTED"}).json()["items"]) == 1
        assert pipeline.get("/jobs", {"state": "COMPLETED"}).json()["items"] == []

    def test_by_organisation(self, operator, submitted):
        def listed(slug):
            return operator.get("/jobs", {"organisation": slug}).json()["items"]

        assert [len(listed(slug)) for slug in ("ai-laboratory-1", "ai-laboratory-2")] == [1, 0]

    def test_is_not_for_who_has_no_role_for_jobs(self, operator, operating):
        operating.memberships.update(role="flight_dynamics")
        assert_problem(operator.get("/jobs"), 403, "not-permitted", "job.view")


class TestResult:
    def test_is_refused_while_there_is_none(self, pipeline, submitted):
        response = pipeline.get(f"/jobs/{submitted}/result")
        assert_problem(response, 409, "refused", "when it is COMPLETED")

    def test_comes_as_octets_with_the_digest_of_the_job(self, pipeline, completed):
        answer = pipeline.get(f"/jobs/{completed}/result")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer.content == OUTPUT
        job = pipeline.get(f"/jobs/{completed}").json()
        assert (job["state"], job["output_octets"]) == ("COMPLETED", 32)
        assert job["finished_at"] == "2026-12-01T11:00:30Z"
        assert hashlib.sha256(answer.content).hexdigest() == job["output_sha256"]
        assert answer["ETag"] == f'"{job["output_sha256"]}"'

    def test_comes_once(self, pipeline, completed):
        path = f"/jobs/{completed}/result"
        known = {"If-None-Match": pipeline.get(path)["ETag"]}
        answer = pipeline.get(path, **known)
        assert (answer.status_code, answer.content) == (304, b"")


class TestCancel:
    def test_gives_up_a_job_that_waits(self, pipeline, submitted):
        answer = pipeline.post(f"/jobs/{submitted}/cancel")
        assert answer.status_code == 200
        assert answer.json()["state"] == "CANCELLED"
        assert AuditEntry.objects.get(action="job.cancel").actor == "operator:pipeline"

    def test_one_that_is_over_is_refused(self, pipeline, completed):
        response = pipeline.post(f"/jobs/{completed}/cancel")
        assert_problem(response, 409, "refused", "COMPLETED")

    def test_an_unknown_one_is_not_found(self, pipeline):
        assert_problem(pipeline.post("/jobs/99/cancel"), 404, "not-found", "no job 99")
