"""Reads of what is new, changes of what was seen."""

from __future__ import annotations

import pytest

from missioncontrol.scheduling.models import Contact
from tests.integration.missioncontrol.api.conftest import assert_problem
from uplink.commanding.models import Telecommand

PING = {"spacecraft": "DD-1", "name": "PING"}


@pytest.fixture
def path(book):
    return f"/contacts/{book().pk}"


class TestRead:
    def test_has_a_strong_etag_that_stays_while_nothing_changes(self, operator, path):
        first, second = operator.get(path), operator.get(path)
        assert first["ETag"] == second["ETag"]
        assert first["ETag"].startswith('"')
        assert first["Cache-Control"] == "private, no-cache"

    def test_has_another_after_a_change(self, operator, path):
        before = operator.get(path)["ETag"]
        Contact.objects.update(drift_s=2.5)
        assert operator.get(path)["ETag"] != before

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
    def test_sends_nothing_that_is_known(self, operator, path, form):
        etag = operator.get(path)["ETag"]
        answer = operator.get(path, **{"If-None-Match": form.format(etag)})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"] == etag
        assert "Content-Type" not in answer

    @pytest.mark.parametrize("header", ['"x"', "x", "", '"'])
    def test_sends_what_is_not_known(self, operator, path, header):
        assert operator.get(path, **{"If-None-Match": header}).status_code == 200

    def test_of_a_state_that_is_gone_is_refused(self, operator, path):
        assert operator.get(path, **operator.seen(path)).status_code == 200
        answer = operator.get(path, **{"If-Match": '"x"'})
        assert_problem(answer, 412, "precondition-failed")

    def test_differs_by_what_one_may_see(self, operator, pipeline, book):
        """Its report is for those who may see telemetry."""
        contact = book(state="COMPLETED")
        contact.pass_report = None
        path = f"/contacts/{contact.pk}"
        assert operator.get(path)["ETag"] == pipeline.get(path)["ETag"]


class TestChange:
    def test_of_what_was_seen_is_made(self, operator, path):
        answer = operator.post(f"{path}/cancel", **operator.seen(path))
        assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
        assert answer["ETag"] == operator.get(path)["ETag"]

    @pytest.mark.parametrize("header", ['"x"', "", "x", 'W/"x"'])
    def test_of_something_else_is_not(self, operator, path, header):
        answer = operator.post(f"{path}/cancel", **{"If-Match": header})
        assert_problem(answer, 412, "precondition-failed", "Read it again, and decide anew")
        assert Contact.objects.get().state == "SCHEDULED"

    def test_by_a_weak_tag_is_not(self, operator, path):
        """RFC 9110 section 13.1.1: If-Match compares strongly."""
        weak = f"W/{operator.get(path)['ETag']}"
        assert operator.post(f"{path}/cancel", **{"If-Match": weak}).status_code == 412

    def test_of_whatever_there_is_is_made(self, operator, path):
        assert operator.post(f"{path}/cancel", **{"If-Match": "*"}).status_code == 200

    def test_is_refused_by_its_own_rules_first(self, pipeline, path):
        answer = pipeline.post(f"{path}/cancel", **{"If-Match": '"x"'})
        assert_problem(answer, 403, "not-permitted")

    def test_approves_the_telecommand_that_was_read_and_no_other(self, operator, approver):
        number = operator.post("/telecommands", PING).json()["id"]
        path = f"/telecommands/{number}"
        seen = approver.seen(path)
        Telecommand.objects.update(arguments={"CHANGED": 1})
        assert_problem(approver.post(f"{path}/approve", **seen), 412, "precondition-failed")
        seen = approver.seen(path)
        assert approver.post(f"{path}/approve", **seen).json()["state"] == "APPROVED"
