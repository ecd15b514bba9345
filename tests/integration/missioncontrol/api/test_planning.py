"""Contact requests, outages, plans, prices and calendars by the API."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from celery import current_app
from django.core.management import call_command
from django.test import Client

from missioncontrol.accounts.policy import Role
from missioncontrol.contacts.models import WindowHorizon
from missioncontrol.contacts.services import recompute_group
from missioncontrol.fleet.models import Antenna
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.operations.tasks import run_operation
from missioncontrol.scheduling.interchange.simple_schedule import read_simple_schedule
from missioncontrol.scheduling.models import Contact, Outage, Plan
from missioncontrol.scheduling.plan_verifier import verify_plan
from tests import factories
from tests.integration.missioncontrol.api.conftest import (
    AT,
    assert_problem,
    assert_wrong_field,
    token_of,
)

ASKED = {
    "spacecraft": "DD-1",
    "kind": "DATA",
    "earliest": "2026-12-01T12:00:00Z",
    "deadline": "2026-12-02T12:00:00Z",
    "minimum_duration_s": 240,
    "minimum_count": 2,
}


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch):
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)


@pytest.fixture
def windows(dd1):
    recompute_group(spacecraft_ids=[dd1.pk], start=AT, horizon=timedelta(hours=48), at=AT)


@pytest.fixture
def auditor(operating):
    return token_of(factories.operator("audrey", Role.AUDITOR, member_of=operating), operating)


@pytest.fixture
def plan(windows, operator):
    """A plan that a worker has made better."""
    operation = operator.post("/plans", {"hours": 24, "limit_s": 1}).json()
    with acting_for_everybody():
        run_operation(operation_id=operation["id"])
    return f"/plans/{operation['parameters']['plan']}"


class TestContactRequests:
    def test_are_made_and_seen_by_their_member_and_by_who_operates_the_spacecraft(
        self, pipeline, rival, operator
    ):
        answer = pipeline.post("/contact-requests", ASKED)
        made = answer.json()
        assert answer.status_code == 201
        assert answer["Location"] == f"/api/v1/contact-requests/{made['id']}"
        assert (made["organisation"], made["priority"], made["state"]) == (
            "ai-laboratory-1",
            3,
            "OPEN",
        )
        path = f"/contact-requests/{made['id']}"
        assert pipeline.get(path).json() == made
        assert operator.get(path).json() == made
        assert_problem(rival.get(path), 404, "not-found", "or it is another's")
        assert rival.get("/contact-requests").json()["items"] == []

    def test_a_deadline_before_the_begin_is_refused_with_the_reason(self, pipeline):
        answer = pipeline.post("/contact-requests", {**ASKED, "deadline": ASKED["earliest"]})
        assert_problem(answer, 409, "refused", "must be after the earliest begin")

    def test_an_unknown_spacecraft_is_a_wrong_field(self, pipeline):
        answer = pipeline.post("/contact-requests", {**ASKED, "spacecraft": "DD-9"})
        assert_wrong_field(answer, "body.spacecraft", "DD-1", "DD-9")

    def test_withdrawn_by_their_member_only(self, pipeline, operator):
        made = pipeline.post("/contact-requests", ASKED).json()
        path = f"/contact-requests/{made['id']}"
        assert_problem(operator.post(f"{path}/withdraw"), 403, "not-permitted")
        assert pipeline.post(f"{path}/withdraw").json()["state"] == "WITHDRAWN"
        assert_problem(pipeline.post(f"{path}/withdraw"), 409, "refused", "already")

    def test_a_plan_serves_them_and_they_name_their_contacts(self, pipeline, operator, windows):
        made = pipeline.post("/contact-requests", ASKED).json()
        plan = operator.post("/plans", {"hours": 24}).json()["parameters"]["plan"]
        for step in ("approve", "publish"):
            path = f"/plans/{plan}"
            operator.post(f"{path}/{step}", **operator.seen(path))
        contacts = pipeline.get(f"/contact-requests/{made['id']}").json()["contacts"]
        assert len(contacts) >= 2


class TestOutages:
    def declared(self, api, **fields):
        body = {
            "antenna": "KASHI-1",
            "begins": "2026-12-01T13:00:00Z",
            "ends": "2026-12-02T01:00:00Z",
            "reason": "drive fault",
            **fields,
        }
        return api.post("/outages", body)

    def test_are_declared_and_lifted(self, operator, pipeline):
        answer = self.declared(operator)
        assert answer.status_code == 201
        made = answer.json()
        assert (made["antenna"], made["spacecraft"], made["lifted_at"]) == ("KASHI-1", None, None)
        path = f"/outages/{made['id']}"
        assert pipeline.get(path).json() == made
        lifted = operator.post(f"{path}/lift", **operator.seen(path))
        assert lifted.json()["lifted_at"] == "2026-12-01T12:00:00Z"

    def test_are_none_of_a_payload_members_business(self, pipeline):
        assert_problem(self.declared(pipeline), 403, "not-permitted", "outage.declare")

    def test_by_who_owns_the_station(self, pipeline):
        owner = Antenna.objects.get(name="KASHI-1").station.owner
        person = factories.operator("stan", Role.STATION_PROVIDER, member_of=owner)
        assert self.declared(token_of(person, owner)).status_code == 201

    def test_of_one_thing(self, operator):
        assert_wrong_field(
            self.declared(operator, spacecraft="DD-1"), "body.antenna", "one of the two"
        )
        assert_wrong_field(
            self.declared(operator, antenna="NO-1"), "body.antenna", "GET /stations"
        )

    def test_select_by_what_touches_an_interval(self, operator):
        made = self.declared(operator).json()["id"]
        found = operator.get("/outages", {"start": "2026-12-02T00:00:00Z"}).json()["items"]
        assert [one["id"] for one in found] == [made]
        assert operator.get("/outages", {"start": "2026-12-02T02:00:00Z"}).json()["items"] == []


class TestProposing:
    def test_is_taken_with_the_plan_there_already(self, operator, windows):
        answer = operator.post("/plans", {"hours": 24})
        operation = answer.json()
        assert answer.status_code == 202
        assert answer["Location"] == f"/api/v1/operations/{operation['id']}"
        plan = operator.get(f"/plans/{operation['parameters']['plan']}").json()
        assert (plan["state"], plan["method"], plan["bound"]) == ("PROPOSED", "GREEDY", None)
        assert plan["contacts"] > 3

    def test_a_worker_adds_bound_and_gap_and_the_operation_leads_to_the_plan(self, operator, plan):
        shown = operator.get(plan).json()
        assert shown["method"] == "OPTIMISED"
        assert 0 <= shown["gap"] < 0.001
        [operation] = operator.get("/operations").json()["items"]
        assert operation["result"]["gap"] == shown["gap"]
        assert operation["result_url"] == f"/api/v1{plan}"

    def test_refuses_without_windows(self, operator):
        WindowHorizon.objects.all().delete()
        assert_problem(operator.post("/plans", {}), 409, "refused", "no contact windows")

    @pytest.mark.parametrize("who", ["pipeline", "auditor"])
    def test_takes_the_right(self, who, windows, request):
        api = request.getfixturevalue(who)
        assert_problem(api.post("/plans", {}), 403, "not-permitted", "plan.propose")

    def test_plans_are_no_payload_members_business(self, pipeline, plan):
        assert_problem(pipeline.get(plan), 403, "not-permitted", "plan.view")

    def test_books_and_frees_the_windows_asked_for(self, operator, plan):
        contacts = operator.get(f"{plan}/contacts").json()["items"]
        free = contacts[2]["window"]
        wish = {"repairs": True, "exclude": [free]}
        made = operator.post("/plans", wish).json()["parameters"]["plan"]
        found = operator.get(f"/plans/{made}/contacts").json()["items"]
        assert free not in {one["window"] for one in found}
        assert operator.get(f"/plans/{made}").json()["pins"] == [{"window": free, "request": None}]
        answer = operator.post("/plans", {"include": [free], "exclude": [free]})
        assert_problem(answer, 409, "refused", "asked for twice")


class TestDeciding:
    def test_demands_the_state_that_was_seen(self, operator, plan):
        for step in ("approve", "publish", "refuse"):
            assert_problem(operator.post(f"{plan}/{step}"), 428, "precondition-required")
        assert_problem(
            operator.post(f"{plan}/approve", **{"If-Match": '"another"'}),
            412,
            "precondition-failed",
        )

    def test_books_the_contacts(self, operator, plan):
        approved = operator.post(f"{plan}/approve", **operator.seen(plan)).json()
        assert (approved["state"], approved["decided_by"]) == ("APPROVED", "alice")
        published = operator.post(f"{plan}/publish", **operator.seen(plan)).json()
        assert (published["state"], published["left_out"]) == ("PUBLISHED", [])
        number = int(plan.rpartition("/")[2])
        assert Contact.objects.filter(plan=number).count() == published["contacts"]

    def test_a_refused_plan_cannot_be_published(self, operator, plan):
        operator.post(f"{plan}/refuse", **operator.seen(plan))
        answer = operator.post(f"{plan}/publish", **operator.seen(plan))
        assert_problem(answer, 409, "refused", "was refused")

    def test_is_read_again_only_when_it_changed(self, operator, plan):
        etag = operator.get(plan)["ETag"]
        assert operator.get(plan, **{"If-None-Match": etag}).status_code == 304


class TestParts:
    def test_the_difference_after_an_outage_names_what_it_hits(self, operator, windows):
        Contact.objects.all().delete()
        first = operator.post("/plans", {"hours": 24}).json()["parameters"]["plan"]
        for step in ("approve", "publish"):
            path = f"/plans/{first}"
            operator.post(f"{path}/{step}", **operator.seen(path))
        hit = Contact.objects.filter(aos__gt=AT + timedelta(hours=2)).first()
        operator.post(
            "/outages",
            {
                "antenna": hit.antenna.name,
                "begins": hit.aos.isoformat(),
                "ends": hit.los.isoformat(),
                "reason": "wind",
            },
        )
        second = operator.post("/plans", {"hours": 24, "repairs": True}).json()
        changes = operator.get(f"/plans/{second['parameters']['plan']}/difference").json()
        [dropped] = [one for one in changes["items"] if one["outage"]]
        assert dropped["before"]["antenna"] == hit.antenna.name
        assert "wind" in dropped["why"]

    def test_the_document_verifies_also_by_the_command(self, operator, plan, tmp_path):
        document = operator.get(f"{plan}/document").json()
        verify_plan(document)
        file = tmp_path / "plan.json"
        file.write_text(json.dumps(document))
        out = StringIO()
        call_command("verify_plan", str(file), stdout=out)
        assert "verified" in out.getvalue()

    def test_contacts_come_in_pages(self, operator, plan):
        whole = operator.get(f"{plan}/contacts").json()["items"]
        first = operator.get(f"{plan}/contacts", {"limit": 2}).json()
        second = operator.get(f"{plan}/contacts", {"limit": 2, "cursor": first["next"]}).json()
        assert first["items"] + second["items"] == whole[:4]

    def test_the_simple_schedule_has_every_contact(self, operator, plan):
        answer = operator.get(f"{plan}/simple-schedule")
        assert answer["Content-Type"] == "application/xml"
        schedule = read_simple_schedule(answer.content)
        activities = [one for package in schedule.packages for one in package.activities]
        assert len(activities) == operator.get(plan).json()["contacts"]
        assert {one.status for one in activities} == {"TENTATIVE"}

    def test_prices_of_the_plan_in_force_are_for_everybody(self, operator, pipeline, plan):
        for step in ("approve", "publish"):
            operator.post(f"{plan}/{step}", **operator.seen(plan))
        of_plan = operator.get(f"{plan}/prices").json()["items"]
        in_force = pipeline.get("/congestion-prices", {"end": "2026-12-03T12:00:00Z"}).json()
        assert len(in_force["items"]) == len(of_plan)


class TestProvidersSchedule:
    def test_what_is_others_becomes_an_outage_once(self, operator, plan):
        xml = operator.get(f"{plan}/simple-schedule").content.decode()
        xml = xml.replace("TENTATIVE", "UNAVAILABLE", 1)
        answer = operator.post("/simple-schedules", {"xml": xml}).json()
        [outage] = answer["outages"]
        assert answer["passed_over"] == operator.get(plan).json()["contacts"] - 1
        assert Outage.objects.get(pk=outage).planned
        again = operator.post("/simple-schedules", {"xml": xml}).json()
        assert again["outages"] == []

    def test_what_is_no_schedule_is_refused(self, operator):
        answer = operator.post("/simple-schedules", {"xml": "<no/>"})
        assert_wrong_field(answer, "body.xml", "a simple schedule")

    def test_unknown_apertures_are_refused(self, operator, plan):
        xml = operator.get(f"{plan}/simple-schedule").content.decode()
        xml = xml.replace("TENTATIVE", "UNAVAILABLE").replace('apertureRef="', 'apertureRef="X')
        answer = operator.post("/simple-schedules", {"xml": xml})
        assert_problem(answer, 409, "refused", "no antennas")


class TestCalendars:
    def made(self, api, **body):
        return api.post("/calendar-feeds", body).json()

    def read(self, url, **headers):
        path = url.partition("testserver")[2]
        return Client().get(path, headers=headers)

    @pytest.fixture
    def contact(self, dd1):
        Contact.objects.all().delete()
        antenna = Antenna.objects.get(name="KASHI-1")
        return factories.contact(dd1, antenna, dd1.mission_profiles.first(), aos=AT)

    def test_are_read_by_whoever_has_the_address(self, pipeline, contact):
        made = self.made(pipeline, spacecraft="DD-1")
        answer = self.read(made["url"])
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        text = answer.content.decode()
        assert f"UID:contact-{contact.pk}@orbital-mission-control" in text
        assert "SEQUENCE:0" in text
        assert "url" not in pipeline.get(f"/calendar-feeds/{made['id']}").json()

    def test_keep_what_was_cancelled_with_the_next_sequence(self, pipeline, operator, contact):
        made = self.made(pipeline, station="KASHI")
        operator.post(f"/contacts/{contact.pk}/cancel")
        text = self.read(made["url"]).content.decode()
        assert "STATUS:CANCELLED" in text
        assert "SEQUENCE:1" in text

    def test_answer_304_to_who_has_it(self, pipeline, contact):
        url = self.made(pipeline)["url"]
        etag = self.read(url)["ETag"]
        assert self.read(url, **{"If-None-Match": etag}).status_code == 304

    def test_of_an_organisation_have_only_what_concerns_it(self, pipeline, operator, contact):
        assert "VEVENT" not in self.read(self.made(pipeline)["url"]).content.decode()
        assert "VEVENT" in self.read(self.made(operator)["url"]).content.decode()

    def test_lead_nowhere_once_revoked(self, pipeline, contact):
        made = self.made(pipeline)
        assert pipeline.post(f"/calendar-feeds/{made['id']}/revoke").json()["revoked_at"]
        answer = self.read(made["url"])
        assert answer.status_code == 404
        assert "revoked" in answer.content.decode()
        assert_problem(
            pipeline.post(f"/calendar-feeds/{made['id']}/revoke"), 409, "refused", "already"
        )

    def test_are_their_organisations_own(self, pipeline, rival, contact):
        made = self.made(pipeline)
        assert_problem(rival.get(f"/calendar-feeds/{made['id']}"), 404, "not-found")
        assert rival.get("/calendar-feeds").json()["items"] == []


def test_nothing_of_a_plan_is_stored_twice_by_a_repeated_request(operator, windows):
    key = {"Idempotency-Key": "plan-2026-12-01"}
    one = operator.post("/plans", {"hours": 12}, **key).json()
    other = operator.post("/plans", {"hours": 12}, **key).json()
    assert one == other
    assert Plan.objects.count() == 1


def test_a_token_takes_over_schedules_of_its_own_organisations_antennas_only(operator, plan):
    xml = operator.get(f"{plan}/simple-schedule").content.decode()
    owners = {antenna.station.owner for antenna in Antenna.objects.all()}
    [provider] = [one for one in owners if one.slug == "station-provider-1"]
    stan = factories.operator("stan", Role.STATION_PROVIDER, member_of=provider)
    answer = token_of(stan, provider).post("/simple-schedules", {"xml": xml})
    assert_problem(answer, 403, "not-permitted", "outage.declare")
