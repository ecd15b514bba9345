"""A request under a key is done once, whatever happens to the answer on its way."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest

from missioncontrol.accounts.models import ApiToken
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.services import create_token
from missioncontrol.api.idempotency import KEPT_FOR
from missioncontrol.api.models import KeptAnswer
from missioncontrol.api.tasks import forget_answers
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from tests.integration.missioncontrol.api.conftest import (
    AT,
    Api,
    assert_problem,
    assert_wrong_field,
    token_of,
)
from tests.integration.missioncontrol.audit.installation import installation
from uplink.jobs import services as job_services
from uplink.jobs.models import Job

JOB = {
    "spacecraft": "DD-1",
    "program": "SHA256",
    "input": base64.b64encode(b"an input").decode(),
}


def key(text="run-1"):
    return {"Idempotency-Key": text}


@pytest.fixture
def account(pipeline):
    return ApiToken.objects.get().operator


class TestRepetition:
    def test_is_answered_as_the_first_time_and_does_nothing(self, pipeline):
        first = pipeline.post("/jobs", JOB, **key())
        second = pipeline.post("/jobs", JOB, **key())
        assert "Idempotent-Replayed" not in first
        assert second["Idempotent-Replayed"] == "true"
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.content == second.content
        for name in ("Location", "ETag", "Content-Type", "Cache-Control"):
            assert first[name] == second[name]
        assert Job.objects.count() == 1
        assert AuditEntry.objects.filter(action="job.submit").count() == 1

    def test_of_a_change_that_could_not_be_done_twice(self, pipeline):
        number = pipeline.post("/jobs", JOB).json()["number"]
        answers = [pipeline.post(f"/jobs/{number}/cancel", **key()) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 200]
        assert_problem(pipeline.post(f"/jobs/{number}/cancel"), 409, "refused")

    def test_of_an_answer_without_a_body(self, administrator, operating):
        path = f"/organisations/{operating.slug}/accounts/ada/roles/auditor"
        administrator.put(path, **{"If-Match": "*"})
        for _ in range(2):
            answer = administrator.delete(path, **{"If-Match": "*"}, **key())
            assert (answer.status_code, answer.content) == (204, b"")

    def test_gives_a_secret_again_that_nobody_can_read_in_the_database(
        self, administrator, operating
    ):
        path = f"/organisations/{operating.slug}/tokens"
        asked = {"account": "ada", "name": "x", "scopes": ["audit.view"]}
        secrets = {administrator.post(path, asked, **key()).json()["secret"] for _ in range(2)}
        assert len(secrets) == 1
        [secret] = secrets
        assert secret not in str(KeptAnswer.objects.values_list()[0])
        assert Api(secret).get("/audit/entries").status_code == 200

    def test_goes_on_where_the_token_was_replaced(self, pipeline, account, laboratory):
        first = pipeline.post("/jobs", JOB, **key())
        second = token_of(account, laboratory).post("/jobs", JOB, **key())
        assert second.json() == first.json()

    def test_tells_a_token_nothing_that_lacks_the_scopes_of_the_first(
        self, pipeline, account, laboratory
    ):
        pipeline.post("/jobs", JOB, **key())
        _, secret = create_token(
            operator=account,
            organisation=laboratory,
            name="less",
            at=AT,
            wall_at=clock.wall_now(),
            scopes=[Action.JOB_SUBMIT],
        )
        response = Api(secret).post("/jobs", JOB, **key())
        assert_problem(response, 403, "not-permitted", "scopes that this one lacks: audit.view")


class TestKey:
    @pytest.mark.parametrize(
        "other",
        [
            lambda api: api.post("/jobs", JOB | {"spacecraft": "DD-2"}, **key()),
            lambda api: api.post("/jobs?x=1", JOB, **key()),
            lambda api: api.post("/telecommands", JOB, **key()),
        ],
        ids=["body", "query", "path"],
    )
    def test_belongs_to_one_request(self, pipeline, other):
        pipeline.post("/jobs", JOB, **key())
        response = other(pipeline)
        assert_problem(response, 422, "idempotency-key-reused", "Send a new key")
        assert Job.objects.count() == 1

    def test_is_ones_own(self, pipeline, rival):
        numbers = {api.post("/jobs", JOB, **key()).json()["number"] for api in (pipeline, rival)}
        assert len(numbers) == 2

    def test_is_not_needed(self, pipeline):
        numbers = {pipeline.post("/jobs", JOB).json()["number"] for _ in range(2)}
        assert len(numbers) == 2
        assert not KeptAnswer.objects.exists()

    @pytest.mark.parametrize("text", ["", "x" * 81, "tab\there", "a key", "schlüssel"])
    def test_that_cannot_be_is_refused(self, pipeline, text):
        response = pipeline.post("/jobs", JOB, **key(text))
        assert_wrong_field(response, "header.Idempotency-Key", "visible ASCII")

    def test_of_a_read_means_nothing(self, pipeline):
        assert pipeline.get("/jobs", **key("x" * 100)).status_code == 200
        assert not KeptAnswer.objects.exists()


class TestRefusal:
    def test_leaves_the_key_free(self, pipeline):
        wrong = pipeline.post("/jobs", JOB | {"spacecraft": "DD-9"}, **key())
        assert_wrong_field(wrong, "body.spacecraft", "DD-1")
        assert pipeline.post("/jobs", JOB, **key()).status_code == 201

    def test_of_a_fault_leaves_nothing_behind(self, pipeline, monkeypatch):
        """What the operation changed before the fault goes with it."""
        whole = job_services.submit_job

        def break_down(**fields):
            whole(**fields)
            raise ZeroDivisionError

        monkeypatch.setattr(job_services, "submit_job", break_down)
        assert_problem(pipeline.post("/jobs", JOB, **key()), 500, "failed")
        assert not Job.objects.exists()
        assert not KeptAnswer.objects.exists()
        monkeypatch.undo()
        assert pipeline.post("/jobs", JOB, **key()).status_code == 201


class TestSweep:
    def test_forgets_what_is_older_than_two_days(self, pipeline):
        pipeline.post("/jobs", JOB, **key("young"))
        pipeline.post("/jobs", JOB, **key("old"))
        old = clock.wall_now() - KEPT_FOR - timedelta(seconds=1)
        KeptAnswer.objects.filter(key="old").update(asked_at=old)
        assert timedelta(hours=48) == KEPT_FOR
        assert forget_answers() == 1
        assert KeptAnswer.objects.get().key == "young"
        assert pipeline.post("/jobs", JOB, **key("old")).json()["number"] != 1


class TestAtOnce:
    def test_many_are_done_once_and_all_answered_alike(self, tmp_path, migrated):
        with installation(tmp_path / "installation", migrated) as made:
            status, output, errors = made.run(Path(__file__).parent / "repeaters.py")
        assert status == 0, errors
        found = json.loads(output.splitlines()[-1])
        assert found["same"] == {"statuses": {"201": 8}, "replayed": 7, "bodies": 1}
        # Of two different requests under one key one is done; the other is told so.
        assert found["apart"] == {"statuses": {"201": 4, "422": 4}, "replayed": 3, "bodies": 1}
        assert found["rows"] == [2, 2, 2]
