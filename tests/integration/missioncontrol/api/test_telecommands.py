from __future__ import annotations

from datetime import timedelta

import pytest

from missioncontrol.accounts.models import ApiToken
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from tests.integration.missioncontrol.api.conftest import assert_problem, assert_wrong_field
from uplink.commanding.models import Telecommand

POWER = {
    "spacecraft": "DD-1",
    "name": "PAYLOAD_POWER",
    "arguments": {"UNIT": "GPU1", "STATE": "ON"},
}


@pytest.fixture
def submitted(operator) -> int:
    return operator.post("/telecommands", POWER).json()["id"]


class TestSubmit:
    def test_takes_a_telecommand_and_says_where_it_is(self, operator):
        answer = operator.post("/telecommands", POWER)
        assert answer.status_code == 201
        telecommand = answer.json()
        assert answer["Location"] == f"/api/v1/telecommands/{telecommand['id']}"
        assert telecommand["state"] == "SUBMITTED"
        assert telecommand["arguments"] == POWER["arguments"]
        assert telecommand["hazardous"] is True
        assert telecommand["submitted_by"] == "alice"
        assert telecommand["submitted_at"] == "2026-12-01T12:00:00Z"
        assert telecommand["approved_by"] is None
        assert AuditEntry.objects.get(action="telecommand.submit").actor == "operator:alice"

    def test_names_every_wrong_argument(self, operator):
        body = POWER | {"arguments": {"UNIT": "GPU7", "POWER": 1}}
        document = assert_problem(operator.post("/telecommands", body), 422, "invalid-input")
        errors = {error["field"]: error for error in document["errors"]}
        assert set(errors) == {
            "body.arguments.UNIT",
            "body.arguments.STATE",
            "body.arguments.POWER",
        }
        assert "GPU7" in errors["body.arguments.UNIT"]["value"]
        assert "GPU0, GPU1" in errors["body.arguments.UNIT"]["allowed"]
        assert not Telecommand.objects.exists()

    def test_an_unknown_name_is_refused_with_the_known_ones(self, operator):
        response = operator.post("/telecommands", POWER | {"name": "SELF_DESTRUCT"})
        assert_wrong_field(response, "body.name", "PAYLOAD_POWER", "SELF_DESTRUCT")

    def test_an_unknown_spacecraft_is_refused_with_the_known_ones(self, operator):
        response = operator.post("/telecommands", POWER | {"spacecraft": "DD-9"})
        assert_wrong_field(response, "body.spacecraft", "DD-1", "DD-9")

    def test_a_retired_spacecraft_takes_none(self, operator, dd1):
        dd1.active = False
        dd1.save()
        response = operator.post("/telecommands", POWER)
        assert_problem(response, 409, "refused", "takes no telecommands")

    def test_a_member_may_not(self, pipeline):
        response = pipeline.post("/telecommands", POWER)
        assert_problem(response, 403, "not-permitted", "telecommand.submit")
        assert not Telecommand.objects.exists()


class TestApproval:
    def test_takes_a_second_person(self, operator, approver, submitted):
        own = operator.post(f"/telecommands/{submitted}/approve")
        assert_problem(own, 409, "refused", "A second operator must approve it")
        answer = approver.post(f"/telecommands/{submitted}/approve")
        assert answer.status_code == 200
        assert answer.json()["state"] == "APPROVED"
        assert answer.json()["approved_by"] == "bob"
        again = approver.post(f"/telecommands/{submitted}/approve")
        assert_problem(again, 409, "refused", "only SUBMITTED")

    def test_a_member_may_not(self, pipeline, submitted):
        response = pipeline.post(f"/telecommands/{submitted}/approve")
        assert_problem(response, 404, "not-found")  # it does not even exist for a member
        assert Telecommand.objects.get(pk=submitted).state == "SUBMITTED"

    def test_takes_a_token_of_the_last_minutes(self, approver, submitted):
        ApiToken.objects.update(created_at=clock.wall_now() - timedelta(minutes=6))
        response = approver.post(f"/telecommands/{submitted}/approve")
        assert_problem(response, 403, "confirmation-needed", "a token made within them")
        assert Telecommand.objects.get(pk=submitted).state == "SUBMITTED"

    def test_takes_a_token_with_that_scope(self, approver, submitted):
        ApiToken.objects.update(scopes=["telecommand.view"])
        response = approver.post(f"/telecommands/{submitted}/approve")
        assert_problem(response, 403, "not-permitted", "has the scopes telecommand.view")

    def test_of_an_unknown_one_is_not_found(self, approver):
        response = approver.post("/telecommands/99/approve")
        assert_problem(response, 404, "not-found", "no telecommand 99")


class TestRejection:
    def test_stops_it_with_a_reason(self, approver, submitted):
        answer = approver.post(f"/telecommands/{submitted}/reject", {"reason": "Not now."})
        assert answer.status_code == 200
        assert answer.json()["state"] == "REJECTED"
        assert answer.json()["rejected_by"] == "bob"
        assert answer.json()["rejection_reason"] == "Not now."

    @pytest.mark.parametrize("reason", ["", "x" * 161])
    def test_the_reason_has_a_length(self, approver, submitted, reason):
        response = approver.post(f"/telecommands/{submitted}/reject", {"reason": reason})
        assert_wrong_field(response, "body.reason", "")

    def test_a_member_may_not(self, pipeline, submitted):
        response = pipeline.post(f"/telecommands/{submitted}/reject", {"reason": "No."})
        assert_problem(response, 404, "not-found")

    def test_of_an_unknown_one_is_not_found(self, approver):
        response = approver.post("/telecommands/99/reject", {"reason": "No."})
        assert_problem(response, 404, "not-found", "no telecommand 99")


class TestReading:
    def test_one_comes_with_its_history(self, operator, approver, submitted):
        approver.post(f"/telecommands/{submitted}/approve")
        events = operator.get(f"/telecommands/{submitted}").json()["events"]
        assert [event["kind"] for event in events] == ["SUBMITTED", "APPROVED"]
        assert events[0]["at"] == "2026-12-01T12:00:00Z"

    def test_an_unknown_one_is_not_found(self, operator):
        assert_problem(operator.get("/telecommands/99"), 404, "not-found", "no telecommand 99")

    def test_a_member_may_not(self, pipeline, submitted):
        assert_problem(pipeline.get("/telecommands"), 403, "not-permitted")
        assert_problem(pipeline.get(f"/telecommands/{submitted}"), 404, "not-found")

    def test_lists_page_by_page_the_newest_first(self, operator, submitted):
        ping = {"spacecraft": "DD-1", "name": "PING"}
        made = [submitted] + [operator.post("/telecommands", ping).json()["id"] for _ in range(2)]
        first = operator.get("/telecommands", {"limit": 2}).json()
        second = operator.get("/telecommands", {"limit": 2, "cursor": first["next"]}).json()
        assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
        assert second["next"] is None

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"state": "SUBMITTED"}, 1),
            ({"state": "APPROVED"}, 0),
            ({"spacecraft": "DD-1"}, 1),
            ({"origin": "job:17"}, 0),
        ],
    )
    def test_lists_what_was_asked_for(self, operator, submitted, query, count):
        assert len(operator.get("/telecommands", query).json()["items"]) == count

    def test_an_unknown_state_is_refused(self, operator):
        response = operator.get("/telecommands", {"state": "LOST"})
        assert_wrong_field(response, "query.state", "SUBMITTED", "LOST")
