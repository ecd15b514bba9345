"""The page of reservations at station providers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app

from missioncontrol.accounts.policy import Role
from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.services import note_fault, note_standing
from tests.integration.missioncontrol.console.conftest import AT

HOUR = timedelta(hours=1)
WALL = datetime(2026, 11, 26, 7, tzinfo=UTC)
STATE = Reservation.State


@pytest.fixture(autouse=True)
def _configured(mission, settings, monkeypatch):
    settings.STATION_PROVIDERS = {"station-provider-1": "", "station-provider-2": ""}
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)


@pytest.fixture
def operator(alice, browser_of):
    return browser_of(alice)


@pytest.fixture
def provider(person, browser_of):
    """A browser of somebody of station-provider-1."""
    return browser_of(person("sven", Role.STATION_PROVIDER, member_of="station-provider-1"))


def reserved(begins, *, provider="station-provider-1", state=STATE.SCHEDULED, antenna="TROLL-1"):
    return Reservation.objects.create(
        provider=provider,
        satellite="DD-1",
        antenna=antenna,
        begins=begins,
        ends=begins + HOUR / 6,
        state=state,
        made_at=AT,
        changed_at=AT,
        next_attempt_at=WALL,
    )


def shown(browser, query=""):
    page = browser.get(f"/reservations/{query}").content.decode()
    return page, [int(pk) for pk in re.findall(r'data-reservation="(\d+)"', page)]


def test_shows_first_what_nobody_asked_for_and_lets_it_be_given_back(operator):
    waits = reserved(AT + HOUR, state=STATE.SCHEDULING)
    unknown = reserved(AT + 5 * HOUR)
    over = reserved(AT - HOUR)
    page, rows = shown(operator)
    assert rows == [unknown.pk, waits.pk]
    assert re.findall(r'id="give-back-(\d+)"', page) == [str(unknown.pk)]
    assert "1 that nobody asked for" in page
    assert "1 that nobody asked for" in operator.get("/stations/").content.decode()
    past, rows = shown(operator, "?when=past")
    assert rows == [over.pk]
    assert "give-back" not in past

    path = f"/reservations/{unknown.pk}/give-back/"
    answer = operator.post(path, {"next": "/reservations/"}, follow=True).content.decode()
    assert f"Reservation {unknown.pk} is given back" in answer
    assert f'data-reservation="{unknown.pk}" data-state="CANCELLING"' in answer
    assert f'id="give-back-{unknown.pk}"' not in answer
    refused = operator.post(f"/reservations/{over.pk}/give-back/", follow=True)
    assert f"Reservation {over.pk} ended at 2026-12-01 11:10:00Z" in refused.content.decode()


def test_says_how_it_stands_with_each_provider(operator, monkeypatch):
    monkeypatch.setattr("missioncontrol.kernel.clock.wall_now", lambda: WALL)
    row = reserved(AT + HOUR, state=STATE.SCHEDULING)
    not_before = WALL + timedelta(minutes=15)
    said = {"fault": "It answers 503: closed", "not_before": not_before, "wall_at": WALL}
    note_standing(provider="station-provider-1", **said)
    row.attempts = 1
    note_fault(reservation=row, **said)
    page, _ = shown(operator)
    one, two = re.findall(r'<tr data-provider="(.*?)</tr>', page, re.DOTALL)
    assert "no answer" in one
    assert one.count("It answers 503: closed") == 2  # wide and narrow
    assert "2026-11-26 07:15:00Z" in one
    assert "as it asked" in one
    assert "1 asked for" in one
    assert "not asked yet" in two
    assert page.count("It answers 503: closed") == 4  # with the reservation too


def test_shows_a_provider_its_own_without_giving_back(provider):
    own = reserved(AT + HOUR)
    foreign = reserved(AT + HOUR, provider="station-provider-2", antenna="INUVIK-1")
    page, rows = shown(provider)
    assert rows == [own.pk]
    assert re.findall(r'data-provider="([^"]+)"', page) == ["station-provider-1"]
    assert "give-back" not in page
    assert provider.post(f"/reservations/{foreign.pk}/give-back/").status_code == 403
    assert shown(provider, "?when=past")[1] == []


def test_says_what_to_set_where_no_provider_is_configured(operator, settings):
    settings.STATION_PROVIDERS = {}
    page, _ = shown(operator)
    assert "STATION_PROVIDERS=SLUG=https://api.polar.example/v1" in page
