"""What a provider holds for us and nobody here asked for, given back by a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.reservations import services
from missioncontrol.reservations.models import Reservation
from tests import factories, planned
from tests.factories import AT

pytestmark = pytest.mark.django_db
STATE = Reservation.State


@pytest.fixture
def found(mission, provider, worker):
    """A reservation that somebody made by telephone."""
    provider.give(
        client_token="by telephone",
        satellite="DD-2",
        ground_station="Svalbard",
        antenna="Svalbard-1",
        begins="2026-12-01T05:00:00+00:00",
        ends="2026-12-01T05:10:00+00:00",
        pre_pass_s=0,
        post_pass_s=0,
    )
    assert worker.compare() == 1
    return Reservation.objects.get()


@pytest.fixture
def give_back(found, worker):
    def call(actor=None):
        return services.give_back_reservation(
            reservation_id=found.pk,
            actor=actor or planned.planner(),
            at=worker.at,
            wall_at=worker.wall_at,
        )

    return call


def test_reaches_the_provider_in_the_next_round_and_stands_in_the_log(
    give_back, found, provider, worker, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: sent.append(name))
    pia = planned.planner()
    with django_capture_on_commit_callbacks(execute=True):
        assert give_back(pia).state == STATE.CANCELLING
    assert "missioncontrol.reservations.tasks.keep_reservations" in sent
    worker.ask()
    found.refresh_from_db()
    assert (found.state, provider.held()) == (STATE.CANCELLED, [])
    entry = AuditEntry.objects.get(action="reservation.give_back")
    assert (entry.actor, entry.subject) == (pia.audit_name, f"reservation:{found.pk}")


def test_waits_for_a_provider_that_the_settings_name_no_more(
    give_back, found, provider, worker, settings
):
    named = settings.STATION_PROVIDERS
    settings.STATION_PROVIDERS = {}
    give_back()
    worker.ask()
    found.refresh_from_db()
    assert (found.state, len(provider.held())) == (STATE.CANCELLING, 1)
    assert "STATION_PROVIDERS does not name" in found.fault
    settings.STATION_PROVIDERS = named
    worker.later(minutes=1).ask()
    found.refresh_from_db()
    assert (found.state, provider.held()) == (STATE.CANCELLED, [])


def test_is_done_once_however_often_it_is_asked_for(give_back, worker):
    pia = planned.planner()
    give_back(pia)
    assert give_back(pia).state == STATE.CANCELLING
    worker.ask()
    assert give_back(pia).state == STATE.CANCELLED
    assert AuditEntry.objects.filter(action="reservation.give_back").count() == 1


def test_is_done_again_where_the_provider_still_has_it(give_back, found, provider, worker):
    give_back()
    Reservation.objects.update(state=STATE.CANCELLED)  # as if it had only said so
    worker.later(minutes=5).compare()
    worker.ask()
    found.refresh_from_db()
    assert (found.state, provider.held()) == (STATE.CANCELLED, [])


def test_is_not_what_becomes_of_one_that_the_provider_dropped_and_has_again(
    found, provider, worker
):
    Reservation.objects.update(state=STATE.PROVIDER_CANCELLED)
    worker.later(minutes=5).compare()
    worker.ask()
    found.refresh_from_db()
    assert (found.state, len(provider.held())) == (STATE.SCHEDULED, 1)


def test_is_refused_for_that_of_a_pass(give_back, found, mission):
    craft = mission.crafts[0]
    contact = factories.contact(craft, mission.antenna, craft.mission_profiles.get(), aos=AT)
    Reservation.objects.update(contact=contact)
    with pytest.raises(services.GiveBackRefusedError, match="Cancel the pass") as refusal:
        give_back()
    assert f"is that of pass {contact.pk}" in str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": STATE.PROVIDER_CANCELLED}, "is withdrawn by the provider; only one that polar"),
        ({"ends": AT, "begins": AT - timedelta(minutes=9)}, "ended at 2026-12-01 00:00:00Z"),
    ],
)
def test_is_refused_for_what_is_not_held_any_more(give_back, fields, said):
    Reservation.objects.update(**fields)
    with pytest.raises(services.GiveBackRefusedError, match=said):
        give_back()
    assert not AuditEntry.objects.filter(action="reservation.give_back").exists()


def test_takes_somebody_who_acts_for_the_mission(give_back, found, mission):
    theirs = factories.operator("petra", Role.STATION_PROVIDER, member_of=mission.station.owner)
    with pytest.raises(
        NotPermittedError, match=r"reservation\.give_back for an organisation that"
    ):
        give_back(theirs)
    found.refresh_from_db()
    assert found.state == STATE.SCHEDULED
