"""Long work by the API: 202, an address to look at, and what comes of it."""

from __future__ import annotations

import pytest
from celery import current_app

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import sequence_entries
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.operations.models import Operation
from missioncontrol.operations.tasks import run_operation
from tests import factories
from tests.integration.missioncontrol.api.conftest import (
    AT,
    assert_problem,
    assert_wrong_field,
    token_of,
)

RECOMPUTE = "/contact-windows/recompute"


@pytest.fixture
def queued(monkeypatch, django_capture_on_commit_callbacks):
    """The tasks that were sent."""
    sent = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, kwargs, **_: sent.append((name, kwargs))
    )
    return sent


@pytest.fixture
def auditor(operating):
    person = factories.operator("audrey", Role.AUDITOR, member_of=operating)
    return token_of(person, operating)


class TestAskedFor:
    def test_is_taken_with_an_address_to_look_at(
        self, operator, queued, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            answer = operator.post(RECOMPUTE, {"spacecraft": "DD-1", "hours": 24})
        operation = answer.json()
        assert answer.status_code == 202
        assert answer["Location"] == f"/api/v1/operations/{operation['id']}"
        assert answer["Retry-After"] == "2"
        assert (operation["state"], operation["progress"]) == ("WAITING", 0.0)
        assert operation["parameters"] == {
            "spacecraft": ["DD-1"],
            "start": "2026-12-01T12:00:00Z",
            "hours": 24,
        }
        assert queued == [
            (
                "missioncontrol.operations.tasks.run_operation",
                {"operation_id": operation["id"]},
            )
        ]
        looked = operator.get(f"/operations/{operation['id']}")
        assert looked.json() == operation
        assert looked["Retry-After"] == "2"

    def test_is_taken_once_under_one_key(self, operator):
        answers = [operator.post(RECOMPUTE, {}, **{"Idempotency-Key": "once"}) for _ in range(2)]
        assert {each.status_code for each in answers} == {202}
        assert Operation.objects.count() == 1

    def test_is_for_whoever_may(self, operator, pipeline, approver, auditor):
        assert operator.post(RECOMPUTE, {}).status_code == 202
        for other in (pipeline, auditor):
            assert_problem(other.post(RECOMPUTE, {}), 403, "not-permitted", "contact_window")
        assert auditor.post("/log-verifications").status_code == 202
        assert_problem(pipeline.post("/log-verifications"), 403, "not-permitted", "log.verify")

    @pytest.mark.parametrize(
        ("fields", "field", "allowed"),
        [
            ({"spacecraft": "DD-9"}, "body.spacecraft", "DD-1"),
            ({"hours": 0}, "body.hours", "greater than or equal to 1"),
            ({"hours": 745}, "body.hours", "less than or equal to 744"),
            ({"start": "9999-12-31T00:00:00Z"}, "body.start", "1970 to 9998"),
            ({"station": "KASHI"}, "body.station", ""),
        ],
    )
    def test_with_wrong_fields_is_refused(self, operator, fields, field, allowed):
        assert_wrong_field(operator.post(RECOMPUTE, fields), field, allowed)
        assert not Operation.objects.exists()


class TestCarriedOut:
    def test_leads_to_its_result(self, operator):
        operation = operator.post(RECOMPUTE, {"hours": 24}).json()
        run_operation(operation_id=operation["id"])
        answer = operator.get(f"/operations/{operation['id']}")
        done = answer.json()
        assert "Retry-After" not in answer
        assert (done["state"], done["progress"], done["error"]) == ("SUCCEEDED", 1.0, "")
        assert done["result"] == {"windows": {"DD-1": ContactWindow.objects.count()}}
        windows = operator._client.get(done["result_url"], headers=operator._headers)
        assert len(windows.json()["items"]) == ContactWindow.objects.count() > 10

    def test_verifies_the_log(self, auditor):
        while sequence_entries(at=AT):
            pass
        operation = auditor.post("/log-verifications").json()
        run_operation(operation_id=operation["id"])
        done = auditor.get(f"/operations/{operation['id']}").json()
        assert done["state"] == "SUCCEEDED"
        # What was written since the checkpoint waits: the token, the operation.
        assert done["result"]["entries"] + done["result"]["waiting"] >= 3
        checkpoint = auditor._client.get(done["result_url"], headers=auditor._headers)
        assert done["result"]["root"] in checkpoint.content.decode()

    def test_that_failed_says_why(self, operator, dd1):
        dd1.ephemerides.all().delete()
        operation = operator.post(RECOMPUTE, {}).json()
        run_operation(operation_id=operation["id"])
        done = operator.get(f"/operations/{operation['id']}").json()
        assert (done["state"], done["result"], done["result_url"]) == ("FAILED", None, None)
        assert "has no enabled, unexpired orbital elements" in done["error"]


class TestSeen:
    def test_by_ones_own_organisation_only(self, operator, pipeline, approver):
        number = operator.post(RECOMPUTE, {}).json()["id"]
        for path in (f"/operations/{number}", "/operations/99"):
            assert_problem(pipeline.get(path), 404, "not-found")
        assert_problem(pipeline.post(f"/operations/{number}/cancel"), 404, "not-found")
        assert pipeline.get("/operations").json()["items"] == []
        assert approver.get(f"/operations/{number}").status_code == 200

    def test_by_kind_and_state_in_pages(self, operator, auditor):
        made = [operator.post(RECOMPUTE, {}).json()["id"] for _ in range(2)]
        made.append(operator.post("/log-verifications").json()["id"])
        run_operation(operation_id=made[0])

        def listed(api=operator, **asked):
            return [each["id"] for each in api.get("/operations", asked).json()["items"]]

        assert listed() == made[::-1]
        assert listed(limit=1) == [made[2]]
        assert listed(kind="contact_window.recompute") == [made[1], made[0]]
        assert listed(state="SUCCEEDED") == [made[0]]
        assert listed(auditor) == [made[2]]  # who may not ask for one does not see it


class TestCancelled:
    def test_while_it_waits(self, operator):
        number = operator.post(RECOMPUTE, {}).json()["id"]
        path = f"/operations/{number}"
        answer = operator.post(f"{path}/cancel", **operator.seen(path))
        assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
        run_operation(operation_id=number)
        assert operator.get(path).json()["state"] == "CANCELLED"
        assert AuditEntry.objects.get(action="operation.cancel").actor == "operator:alice"

    def test_not_when_it_is_over(self, operator):
        number = operator.post(RECOMPUTE, {}).json()["id"]
        run_operation(operation_id=number)
        response = operator.post(f"/operations/{number}/cancel")
        assert_problem(response, 409, "refused", "is done; only one that waits")
