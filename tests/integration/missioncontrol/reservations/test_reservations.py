"""Contacts on leased stations, and a provider that is a process behind a real socket."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta

import pytest

from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.reservations import services
from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.providers.configuration import ConfiguredProviders
from missioncontrol.reservations.rounds import _wanted
from missioncontrol.scheduling import services as scheduling
from missioncontrol.scheduling.models import Contact, Outage
from tests import factories, planned
from tests.factories import AT
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
STATE = Reservation.State


def states():
    return list(Reservation.objects.order_by("begins").values_list("state", flat=True))


def first():
    return Reservation.objects.order_by("begins").first()


def logged(action):
    return AuditEntry.objects.filter(action=action).count()


def one_booked(mission):
    """A single contact on the leased station, an hour from now."""
    craft = mission.crafts[0]
    profile = craft.mission_profiles.get()
    return factories.contact(
        craft, mission.antenna, profile, aos=AT + planned.HOUR, state=Contact.State.SCHEDULED
    )


@pytest.fixture
def polar(provider):
    """The product's client of the provider."""
    with closing(ConfiguredProviders()) as providers:
        yield providers.of("polar")


class TestReserving:
    def test_reserves_each_contact_of_a_published_plan_once(self, mission, provider, worker):
        planned.published(planned.planner())
        worker.keep()
        assert states() == [STATE.SCHEDULED] * 6
        given = {one["contact_id"]: one["begins"] for one in provider.held()}
        assert given == {
            row.provider_contact_id: row.contact.aos.isoformat()
            for row in Reservation.objects.select_related("contact")
        }
        assert logged("reservation.schedule") == 6
        assert worker.later(minutes=5).keep() == 0

    def test_says_how_long_the_antenna_is_occupied(self, mission, provider, worker):
        contact = one_booked(mission)
        worker.keep()
        [given] = provider.held()
        assert (given["pre_pass_s"], given["post_pass_s"]) == (120, 60)
        assert (given["satellite"], given["antenna"]) == ("DD-1", contact.antenna.name)
        assert given["ground_station"] == "Svalbard"

    def test_reserves_for_the_relay_that_the_antenna_looks_at(self, mission, provider, worker):
        contact = one_booked(mission)
        contact.relay = factories.spacecraft("RELAY-1", ccsds_id=0x50)
        contact.save()
        worker.keep()
        assert [one["satellite"] for one in provider.held()] == ["RELAY-1"]

    def test_leaves_own_stations_alone(self, provider, worker):
        planned.Mission()
        planned.published(planned.planner())
        assert worker.keep() == 0
        assert not Reservation.objects.exists()

    def test_takes_leased_stations_without_a_provider_as_ours(self, mission, settings, worker):
        settings.STATION_PROVIDERS = {}
        one_booked(mission)
        worker.keep()
        assert states() == [STATE.SCHEDULED]

    def test_asks_until_the_provider_has_decided(self, mission, polar, worker):
        one_booked(mission)
        worker.keep()
        row = first()
        found = polar.reserve(_wanted(row))
        Reservation.objects.update(state=STATE.SCHEDULING)
        undecided = type(found)(**{**_fields(found), "status": "SCHEDULING"})
        answer = services.note_answer(
            reservation_id=row.pk, found=undecided, at=AT, wall_at=worker.wall_at
        )
        assert answer.state == STATE.SCHEDULING
        assert worker.ask() == 0
        worker.later(seconds=6).ask()
        assert states() == [STATE.SCHEDULED]


def _fields(found):
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


class TestLostAnswers:
    def test_reserves_once_although_the_answer_was_lost(self, mission, provider, worker):
        one_booked(mission)
        provider.simulate(lose_answers=1)
        worker.keep()
        assert (states(), len(provider.held())) == ([STATE.SCHEDULING], 1)
        assert "cannot be reached" in first().fault
        worker.later(seconds=6).ask()
        assert states() == [STATE.SCHEDULED]
        assert [one["contact_id"] for one in provider.contacts()] == [first().provider_contact_id]

    def test_reserves_once_although_the_worker_died_after_asking(
        self, mission, provider, polar, worker
    ):
        one_booked(mission)
        worker.follow()
        [claimed] = services.claim_reservations(wall_at=worker.wall_at, limit=9)
        given = polar.reserve(_wanted(claimed))  # and nobody notes it
        assert worker.ask() == 0, "another worker asks while the first may be asking"
        worker.later(minutes=2).ask()
        assert first().provider_contact_id == given.contact_id
        assert len(provider.contacts()) == 1

    def test_waits_for_a_provider_that_is_away_and_bothers_it_once_a_round(
        self, mission, provider, worker
    ):
        planned.published(planned.planner())
        provider.simulate(away=True)
        worker.keep()
        assert states() == [STATE.SCHEDULING] * 6
        assert Reservation.objects.filter(fault__startswith="It answers 503").count() == 6
        provider.simulate()
        worker.later(seconds=6).ask()
        assert states() == [STATE.SCHEDULED] * 6

    def test_goes_on_after_the_provider_was_started_anew(self, mission, provider, worker):
        one_booked(mission)
        provider.simulate(lose_answers=1)
        worker.keep()
        provider.stop()
        worker.later(seconds=6).ask()
        assert states() == [STATE.SCHEDULING]
        provider.start()
        worker.later(seconds=11).ask()
        assert states() == [STATE.SCHEDULED]
        assert len(provider.contacts()) == 1

    def test_lets_a_pass_be_tried_about_which_no_answer_came(self, mission, provider, worker):
        contact = one_booked(mission)
        provider.simulate(away=True)
        worker.keep()
        worker.at = contact.aos
        worker.follow()
        assert states() == [STATE.FAILED_TO_SCHEDULE]
        assert first().reason.startswith("No answer in time. It answers 503")
        contact.refresh_from_db()
        assert contact.state == Contact.State.SCHEDULED
        assert logged("reservation.unanswered") == 1


class TestRefusals:
    def test_cancel_the_contact_and_keep_the_reason(self, mission, provider, worker):
        contact = one_booked(mission)
        provider.simulate(away=True)
        worker.keep()
        provider.simulate(refuse={"Svalbard-1": "a launch has the antenna"})
        worker.later(seconds=6).keep()
        contact.refresh_from_db()
        assert contact.state == Contact.State.CANCELLED
        assert contact.failure == "polar refused the reservation: a launch has the antenna"
        assert (first().state, first().reason, first().fault) == (
            STATE.FAILED_TO_SCHEDULE,
            "a launch has the antenna",
            "",
        )
        assert logged("reservation.refuse") == logged("contact.cancelled") == 1
        outage = Outage.objects.get()
        assert (outage.antenna, outage.declared_by) == (mission.antenna, None)
        assert outage.begins == contact.aos - timedelta(seconds=120)
        assert "a launch has the antenna" in outage.reason
        assert worker.later(minutes=9).keep() == 0, "it is asked for again"

    def test_are_planned_around_by_a_repair(self, mission, provider, worker):
        pia = planned.planner()
        planned.published(pia)
        lost = Contact.objects.order_by("aos").first()
        provider.simulate(refuse={"Svalbard-1": "maintenance"})
        worker.follow()
        Reservation.objects.exclude(contact=lost).update(state=STATE.SCHEDULED)
        worker.ask()
        repaired = planned.published(pia, repairs=True)
        booked = Contact.objects.filter(state=Contact.State.SCHEDULED)
        assert repaired.contact_count == booked.count()
        assert not booked.filter(aos__lt=lost.los, los__gt=lost.aos, antenna=lost.antenna)
        assert not any(one["before"] for one in repaired.changes), "it moves what it need not"

    def test_are_not_what_a_provider_says_that_does_not_know_us(
        self, mission, provider, worker, settings
    ):
        contact = one_booked(mission)
        settings.STATION_PROVIDER_TOKENS = {"polar": "an old one"}
        worker.keep()
        contact.refresh_from_db()
        assert contact.state == Contact.State.SCHEDULED
        assert "STATION_PROVIDER_TOKENS" in first().fault


class TestCancelling:
    def cancelled(self, contact):
        scheduling.cancel_contact(contact_id=contact.pk, actor=planned.planner(), at=AT)

    def test_gives_back_what_is_cancelled_here(self, mission, provider, worker):
        contact = one_booked(mission)
        worker.keep()
        self.cancelled(contact)
        worker.keep()
        assert (states(), provider.held()) == ([STATE.CANCELLED], [])
        assert logged("reservation.give_back") == logged("reservation.cancel") == 1

    def test_asks_nothing_about_what_was_never_asked_for(self, mission, provider, worker):
        contact = one_booked(mission)
        worker.follow()
        self.cancelled(contact)
        assert worker.keep() == 0
        assert (states(), provider.contacts()) == ([STATE.CANCELLED], [])

    def test_finds_by_its_token_what_was_given_without_an_answer(self, mission, provider, worker):
        contact = one_booked(mission)
        provider.simulate(lose_answers=1)
        worker.keep()
        self.cancelled(contact)
        worker.keep()
        assert (states(), provider.held()) == ([STATE.CANCELLED], [])

    def test_gives_back_what_is_given_after_it_was_cancelled(
        self, mission, provider, polar, worker
    ):
        contact = one_booked(mission)
        worker.follow()
        [claimed] = services.claim_reservations(wall_at=worker.wall_at, limit=9)
        given = polar.reserve(_wanted(claimed))
        self.cancelled(contact)
        worker.follow()
        services.note_answer(reservation_id=claimed.pk, found=given, at=AT, wall_at=worker.wall_at)
        worker.ask()
        assert (states(), provider.held()) == ([STATE.CANCELLED], [])

    def test_asks_again_until_the_provider_has_it_back(self, mission, provider, worker):
        contact = one_booked(mission)
        worker.keep()
        self.cancelled(contact)
        provider.simulate(away=True)
        worker.keep()
        assert states() == [STATE.CANCELLING]
        provider.simulate()
        worker.later(seconds=6).ask()
        assert (states(), provider.held()) == ([STATE.CANCELLED], [])


class TestComparing:
    @pytest.fixture(autouse=True)
    def _reserved(self, mission, provider, worker):
        self.contact = one_booked(mission)
        worker.keep()
        worker.later(minutes=5)
        assert states() == [STATE.SCHEDULED]

    def test_finds_nothing_where_both_say_the_same(self, worker):
        assert worker.compare() == 0

    def test_cancels_the_contact_that_the_provider_took_back(self, provider, worker):
        provider.simulate(take_back={first().provider_contact_id: "storm"})
        assert worker.compare() == 1
        self.contact.refresh_from_db()
        assert self.contact.failure == "polar took the reservation back: storm"
        assert states() == [STATE.PROVIDER_CANCELLED]
        assert Outage.objects.count() == logged("reservation.withdraw") == 1
        assert worker.compare() == 0

    def test_asks_again_for_what_the_provider_lost(self, provider, worker):
        provider.simulate(forget=[first().provider_contact_id])
        assert worker.compare() == 1
        worker.ask()
        assert (states(), len(provider.held())) == ([STATE.SCHEDULED], 1)
        assert logged("reservation.lose") == 1

    def test_does_not_take_for_lost_what_was_given_after_the_list(self, worker):
        wall_at = worker.wall_at - timedelta(hours=1)
        changed = services.compare_list(
            provider="polar",
            listed=[],
            until=AT + timedelta(days=14),
            asked_at=wall_at,
            at=AT,
            wall_at=worker.wall_at,
        )
        assert changed == 0

    def given_elsewhere(self, provider, token):
        times = {"begins": "2026-12-01T05:00:00+00:00", "ends": "2026-12-01T05:10:00+00:00"}
        what = {"client_token": token, "satellite": "DD-2", "ground_station": "Svalbard"}
        around = {"pre_pass_s": 0, "post_pass_s": 0}
        return provider.give(**what, antenna="Svalbard-1", **times, **around)

    def test_notes_what_nobody_here_asked_for_once(self, provider, worker):
        given = self.given_elsewhere(provider, "by telephone")
        assert [worker.compare(), worker.compare()] == [1, 0]
        found = Reservation.objects.get(contact=None)
        assert (found.provider_contact_id, found.satellite) == (given["contact_id"], "DD-2")
        assert logged("reservation.find") == 1
        worker.ask()
        assert len(provider.held()) == 2, "it was cancelled, and may be somebody's"

    def test_gives_back_what_was_given_twice_for_one_token(self, provider, polar, worker):
        kept = first().provider_contact_id
        # As if the provider had forgotten the token between two questions.
        other = self.given_elsewhere(provider, "x")
        listed = polar.contacts(AT, AT + timedelta(days=1))
        listed = [
            type(one)(**{**_fields(one), "token": first().token}) if one.token == "x" else one
            for one in listed
        ]
        services.compare_list(
            provider="polar",
            listed=listed,
            until=AT + timedelta(days=14),
            asked_at=worker.wall_at,
            at=AT,
            wall_at=worker.wall_at,
        )
        worker.ask()
        assert [one["contact_id"] for one in provider.held()] == [kept]
        assert Reservation.objects.get(contact=None).provider_contact_id == other["contact_id"]

    def test_gives_back_what_is_still_there_of_a_cancelled_contact(self, provider, worker):
        Reservation.objects.update(state=STATE.CANCELLED)
        Contact.objects.update(state=Contact.State.CANCELLED)
        assert worker.compare() == 1
        worker.ask()
        assert (states(), provider.held()) == ([STATE.CANCELLED], [])

    def test_changes_nothing_where_the_list_is_not_complete(self, provider, worker):
        provider.simulate(away=True)
        assert worker.compare() == 0
        assert states() == [STATE.SCHEDULED]


def test_is_shown_with_its_pass(mission, provider, worker):
    contact = one_booked(mission)
    clock.set_clock(mission_time=AT, factor=1.0)
    provider.simulate(away=True)
    worker.keep()
    browser = signed_in(planned.planner())
    page = browser.get(f"/passes/{contact.pk}/").content.decode()
    [shown] = re.findall(r'<dd id="reservation">(.*?)</dd>', page)
    assert shown.startswith("asked for: It answers 503")
    told = browser.get(f"/api/v1/contacts/{contact.pk}").json()["reservation"]
    assert (told["provider"], told["state"], told["reason"]) == ("polar", "SCHEDULING", "")
    assert told["fault"].startswith("It answers 503")
