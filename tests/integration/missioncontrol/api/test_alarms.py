from __future__ import annotations

import pytest

from missioncontrol.audit.models import AuditEntry
from telemetry.models import Alarm
from tests.integration.missioncontrol.api.conftest import AT, assert_problem, assert_wrong_field


@pytest.fixture
def alarm(dd1):
    return Alarm.objects.create(
        spacecraft=dd1,
        parameter="PWR_BATT_V",
        severity="serious",
        value="44.1",
        limit="below 45",
        raised_at=AT,
    )


class TestAlarms:
    def test_are_listed(self, operator, alarm):
        for query in ({}, {"spacecraft": "DD-1"}):
            assert operator.get("/alarms", query).json() == {
                "items": [
                    {
                        "id": alarm.pk,
                        "spacecraft": "DD-1",
                        "parameter": "PWR_BATT_V",
                        "severity": "serious",
                        "value": "44.1",
                        "limit": "below 45",
                        "raised_at": "2026-12-01T12:00:00Z",
                        "cleared_at": None,
                        "acknowledged_at": None,
                        "acknowledged_by": None,
                    }
                ],
                "next": None,
            }

    def test_are_not_for_members(self, pipeline, alarm):
        for query in ({}, {"spacecraft": "DD-1"}):
            assert_problem(pipeline.get("/alarms", query), 403, "not-permitted")

    def test_of_an_unknown_spacecraft_are_refused(self, operator):
        response = operator.get("/alarms", {"spacecraft": "DD-9"})
        assert_wrong_field(response, "query.spacecraft", "DD-1", "DD-9")

    def test_are_acknowledged_once(self, operator, alarm):
        answer = operator.post(f"/alarms/{alarm.pk}/acknowledge")
        assert answer.status_code == 200
        assert answer.json()["acknowledged_by"] == "alice"
        assert answer.json()["acknowledged_at"] == "2026-12-01T12:00:00Z"
        assert AuditEntry.objects.get(action="alarm.acknowledge").actor == "operator:alice"
        again = operator.post(f"/alarms/{alarm.pk}/acknowledge")
        assert_problem(again, 409, "refused", "acknowledged by alice")

    def test_are_not_acknowledged_by_members(self, pipeline, alarm):
        response = pipeline.post(f"/alarms/{alarm.pk}/acknowledge")
        assert_problem(response, 404, "not-found")
        alarm.refresh_from_db()
        assert alarm.acknowledged_at is None

    def test_that_do_not_exist_are_not_found(self, operator):
        assert_problem(operator.post("/alarms/99/acknowledge"), 404, "not-found", "alarm 99")

    def test_are_read_one_by_one(self, operator, pipeline, alarm):
        assert operator.get(f"/alarms/{alarm.pk}").json()["parameter"] == "PWR_BATT_V"
        assert_problem(pipeline.get(f"/alarms/{alarm.pk}"), 404, "not-found")

    def test_that_got_worse_since_they_were_read_are_not_acknowledged(self, operator, alarm):
        seen = operator.seen(f"/alarms/{alarm.pk}")
        Alarm.objects.update(severity="critical", value="41.0")
        response = operator.post(f"/alarms/{alarm.pk}/acknowledge", **seen)
        assert_problem(response, 412, "precondition-failed", "has changed since you read it")
        alarm.refresh_from_db()
        assert alarm.acknowledged_at is None

    def test_come_newest_first_and_in_pages(self, operator, dd1, alice):
        made = [
            Alarm.objects.create(
                spacecraft=dd1,
                parameter=f"P{number}",
                severity="caution",
                value="1",
                limit="",
                raised_at=AT,
                cleared_at=AT if number else None,
                acknowledged_at=AT if number == 2 else None,
                acknowledged_by=alice if number == 2 else None,
            )
            for number in range(3)
        ]

        def listed(**asked):
            return [each["parameter"] for each in operator.get("/alarms", asked).json()["items"]]

        assert listed() == ["P1", "P0"]
        assert listed(state="ended") == ["P2"]
        assert listed(state="all") == ["P2", "P1", "P0"]
        assert listed(state="all", limit=1) == ["P2"]
        assert listed(state="all", limit=2, cursor=made[2].pk) == ["P1", "P0"]
