from __future__ import annotations

import json

import pytest

from missioncontrol.kernel import broker, live
from telemetry.services import TelemetryReception, open_session
from tests import factories
from tests.integration.telemetry import craft


@pytest.fixture(autouse=True)
def _own_archive(settings, tmp_path):
    settings.ARCHIVE_DIR = tmp_path / "archive"


@pytest.fixture
def dd1(db):
    return craft.spacecraft()


@pytest.fixture
def reception(dd1):
    with TelemetryReception(dd1) as opened:
        yield opened


@pytest.fixture
def contact(dd1):
    """A contact that begins at AT and takes ten minutes."""
    antenna = factories.antenna(factories.ground_station("KASHI"))
    return factories.contact(dd1, antenna, factories.mission_profile(dd1), aos=craft.AT)


@pytest.fixture
def session(contact):
    return open_session(contact=contact, at=craft.AT)


@pytest.fixture
def told():
    """What the consoles were told since the fixture was made, by call."""
    subscriber = broker.connection().pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe(live.LIVE_CHANNEL)
    subscriber.get_message(timeout=1.0)

    def messages(kind: str) -> list[dict]:
        found = []
        while (message := subscriber.get_message(timeout=0.2)) is not None:
            found.append(json.loads(message["data"]))
        return [one for one in found if one["type"] == kind]

    yield messages
    subscriber.close()


@pytest.fixture
def away(settings):
    """The broker is away: nobody listens where it was."""
    broker.connection.cache_clear()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    yield
    broker.connection.cache_clear()
