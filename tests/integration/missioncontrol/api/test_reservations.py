"""Reservations at station providers by the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.fleet.models import Antenna, MissionProfile
from missioncontrol.reservations.models import Reservation
from tests import factories
from tests.integration.missioncontrol.api.conftest import (
    AT,
    assert_problem,
    assert_wrong_field,
    token_of,
)

HOUR = timedelta(hours=1)
WALL = datetime(2026, 11, 1, tzinfo=UTC)
STATE = Reservation.State


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch):
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)


def reserved(provider, begins, **fields):
    values = {
        "token": "secret",
        "provider_contact_id": f"c-{Reservation.objects.count()}",
        "satellite": "DD-1",
        "antenna": "SVALBARD-1",
        "state": STATE.SCHEDULED,
        **fields,
    }
    times = {"ends": begins + HOUR / 6, "made_at": AT, "changed_at": AT, "next_attempt_at": WALL}
    return Reservation.objects.create(provider=provider, begins=begins, **times, **values)


@pytest.fixture
def reservations(dd1):
    """By their begin: one of a pass, one that nobody asked for, one of another provider."""
    profile = MissionProfile.objects.get(spacecraft=dd1)
    contact = factories.contact(
        dd1, Antenna.objects.get(name="SVALBARD-1"), profile, aos=AT + HOUR
    )
    return [
        reserved("station-provider-1", AT + HOUR, contact=contact, state=STATE.SCHEDULING),
        reserved("station-provider-1", AT + 2 * HOUR),
        reserved("station-provider-2", AT + 3 * HOUR),
    ]


def provider_of(slug):
    organisation = Organisation.objects.get(slug=slug)
    person = factories.operator(slug, Role.STATION_PROVIDER, member_of=organisation)
    return token_of(person, organisation)


def listed(api, **query):
    return [one["id"] for one in api.get("/reservations", query).json()["items"]]


class TestReservations:
    def test_are_shown_as_they_stand_without_their_token(self, reservations, operator):
        row = reservations[0]
        answer = operator.get(f"/reservations/{row.pk}")
        assert answer.json() == {
            "id": row.pk,
            "contact": row.contact_id,
            "provider": "station-provider-1",
            "provider_contact_id": "c-0",
            "satellite": "DD-1",
            "antenna": "SVALBARD-1",
            "begins": "2026-12-01T13:00:00Z",
            "ends": "2026-12-01T13:10:00Z",
            "state": "SCHEDULING",
            "reason": "",
            "fault": "",
            "made_at": "2026-12-01T12:00:00Z",
            "changed_at": "2026-12-01T12:00:00Z",
        }
        assert operator.get(f"/contacts/{row.contact_id}").json()["reservation"]["id"] == row.pk

    def test_are_all_for_the_mission_and_for_a_provider_its_own(
        self, reservations, operator, rival
    ):
        one, two, other = (row.pk for row in reservations)
        assert listed(operator) == [one, two, other]
        theirs = provider_of("station-provider-1")
        assert listed(theirs) == [one, two]
        assert listed(theirs, provider="station-provider-2") == []
        assert_problem(theirs.get(f"/reservations/{other}"), 404, "not-found", "another's")
        assert_problem(rival.get("/reservations"), 403, "not-permitted", "reservation.view")
        abroad = Organisation.objects.get(slug="ai-laboratory-1")
        member = token_of(factories.operator("ola", Role.OPERATOR, member_of=abroad), abroad)
        assert listed(member) == []

    def test_are_found_by_provider_state_interval_and_what_is_unknown(
        self, reservations, operator
    ):
        one, two, other = (row.pk for row in reservations)
        assert listed(operator, provider="station-provider-2") == [other]
        assert listed(operator, state="SCHEDULING") == [one]
        assert listed(operator, unknown="true") == [two, other]
        middle = {"begins": "2026-12-01T13:10:00Z", "ends": "2026-12-01T14:00:01Z"}
        assert listed(operator, **middle) == [two]
        backwards = {"begins": middle["ends"], "ends": middle["begins"]}
        assert_wrong_field(
            operator.get("/reservations", backwards), "query.ends", "after the begin"
        )

    def test_come_a_page_at_a_time(self, reservations, operator):
        first = operator.get("/reservations", {"limit": 2}).json()
        rest = operator.get("/reservations", {"limit": 2, "cursor": first["next"]}).json()
        ids = [one["id"] for one in first["items"] + rest["items"]]
        assert (ids, rest["next"]) == ([row.pk for row in reservations], None)


class TestGivingBack:
    def test_is_done_once_under_one_key_and_only_as_it_was_seen(self, reservations, operator):
        path = f"/reservations/{reservations[1].pk}"
        seen = operator.seen(path)
        Reservation.objects.filter(pk=reservations[1].pk).update(reason="changed meanwhile")
        stale = operator.post(f"{path}/give-back", **seen)
        assert_problem(stale, 412, "precondition-failed")
        headers = {**operator.seen(path), "Idempotency-Key": "k"}
        given, again = (operator.post(f"{path}/give-back", **headers) for _ in range(2))
        assert (given.status_code, given.json()["state"]) == (200, "CANCELLING")
        assert (again.json(), again["Idempotent-Replayed"]) == (given.json(), "true")
        assert given["ETag"] == operator.get(path)["ETag"]
        assert operator.post(f"{path}/give-back").json()["state"] == "CANCELLING"
        assert AuditEntry.objects.filter(action="reservation.give_back").count() == 1

    def test_is_refused_for_that_of_a_pass_and_where_there_is_none(self, reservations, operator):
        refused = operator.post(f"/reservations/{reservations[0].pk}/give-back")
        assert_problem(refused, 409, "refused", "Cancel the pass")
        assert_problem(operator.post("/reservations/999/give-back"), 404, "not-found")

    def test_is_not_for_the_provider_itself(self, reservations):
        theirs = provider_of("station-provider-1")
        refused = theirs.post(f"/reservations/{reservations[1].pk}/give-back")
        assert_problem(refused, 403, "not-permitted", "reservation.give_back")
        reservations[1].refresh_from_db()
        assert reservations[1].state == STATE.SCHEDULED
