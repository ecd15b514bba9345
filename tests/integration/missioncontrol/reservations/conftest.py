from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.reservations import rounds, services
from tests import factories, planned
from tests.factories import AT
from tests.integration.missioncontrol.reservations.provider import TOKEN, ProviderProcess


@pytest.fixture(scope="module")
def provider_process(tmp_path_factory):
    process = ProviderProcess(tmp_path_factory.mktemp("provider"))
    yield process
    process.stop()


@pytest.fixture
def provider(provider_process, settings):
    """The provider of Polar's stations, with nothing given and no faults."""
    settings.STATION_PROVIDERS = {"polar": provider_process.url}
    settings.STATION_PROVIDER_TOKENS = {"polar": TOKEN}
    provider_process.empty()
    return provider_process


@pytest.fixture
def mission():
    """Two spacecraft over a station that is leased from Polar."""
    made = planned.Mission()
    made.station.leased = True
    made.station.owner = factories.organisation("polar")
    made.station.save()
    return made


class Worker:
    """The tasks, with clocks that a test moves."""

    def __init__(self):
        self.at = AT
        self.wall_at = datetime(2026, 11, 1, tzinfo=UTC)

    def later(self, **time):
        self.wall_at += timedelta(**time)
        return self

    def follow(self):
        return services.follow_contacts(at=self.at, wall_at=self.wall_at)

    def ask(self):
        return rounds.ask_providers(now=lambda: self.at, wall_now=lambda: self.wall_at)

    def keep(self):
        self.follow()
        return self.ask()

    def compare(self):
        return rounds.compare_with_providers(now=lambda: self.at, wall_now=lambda: self.wall_at)


@pytest.fixture
def worker():
    return Worker()
