"""Who answers, who does not, and who asked to be left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from missioncontrol.reservations.models import ProviderStanding, Reservation
from tests import factories, planned
from tests.factories import AT

pytestmark = pytest.mark.django_db


def book(mission, *, hours):
    craft = mission.crafts[0]
    profile = craft.mission_profiles.get()
    return factories.contact(craft, mission.antenna, profile, aos=AT + hours * planned.HOUR)


def standing():
    return ProviderStanding.objects.get(provider="polar")


def states():
    return set(Reservation.objects.values_list("state", flat=True))


def test_tells_since_when_a_provider_is_silent_and_when_it_answered_last(
    mission, provider, worker
):
    answered_at = worker.wall_at
    worker.compare()
    provider.simulate(away=True)
    silent_since = worker.later(minutes=5).wall_at
    worker.compare()
    worker.later(minutes=5).compare()
    now = standing()
    assert (now.answered_at, now.silent_since) == (answered_at, silent_since)
    assert (now.asked_at, now.fault) == (worker.wall_at, 'It answers 503: {"reason": "closed"}')
    provider.simulate()
    worker.later(minutes=5).compare()
    now = standing()
    assert (now.answered_at, now.silent_since, now.fault) == (worker.wall_at, None, "")


def test_a_refusal_is_an_answer(mission, provider, worker):
    book(mission, hours=1)
    provider.simulate(refuse={"Svalbard-1": "maintenance"})
    worker.keep()
    assert (standing().answered_at, standing().fault) == (worker.wall_at, "")


def test_a_provider_that_is_not_asked_has_none(mission, settings, worker):
    settings.STATION_PROVIDERS = {}
    book(mission, hours=1)
    worker.keep()
    assert not ProviderStanding.objects.exists()


def test_a_provider_is_left_alone_for_as_long_as_it_asks(mission, provider, worker):
    book(mission, hours=1)
    provider.simulate(away=True, retry_after_s=120)
    worker.keep()
    again_at = worker.wall_at + timedelta(seconds=120)
    assert Reservation.objects.get().next_attempt_at == standing().not_before == again_at
    provider.simulate()
    book(mission, hours=2)  # also with what is new
    worker.later(seconds=119)
    assert (worker.keep(), worker.compare()) == (0, 0)
    assert states() == {Reservation.State.SCHEDULING}
    worker.later(seconds=1).ask()
    assert states() == {Reservation.State.SCHEDULED}
    assert standing().not_before is None
