from __future__ import annotations

import logging
import time

import pytest

from missioncontrol.kernel import broker
from telemetry import streams
from telemetry.streams import ClcwReader, StreamedClcw
from tests.integration.telemetry.craft import after, clcw

pytestmark = pytest.mark.once


def words(*values):
    return [StreamedClcw(word=clcw(value), received_at=after(value)) for value in values]


class TestClcwReader:
    def test_begins_when_it_is_made(self):
        streams.publish_clcws(7, words(1, 2))
        reader = ClcwReader(7)
        streams.publish_clcws(7, words(3, 4))
        assert reader.read(block_ms=200) == words(3, 4)
        streams.publish_clcws(7, words(5))
        assert reader.read(block_ms=200) == words(5)

    def test_hears_its_own_spacecraft_only(self):
        reader = ClcwReader(7)
        streams.publish_clcws(8, words(1))
        assert reader.read(block_ms=10) == []

    def test_waits_no_longer_than_asked(self):
        reader = ClcwReader(7)
        for block_ms in (0, 30):
            begun = time.monotonic()
            assert reader.read(block_ms=block_ms) == []
            assert time.monotonic() - begun < 1.0

    def test_waits_as_long_without_a_broker_and_complains_once(self, away, caplog):
        reader = ClcwReader(7)
        begun = time.monotonic()
        with caplog.at_level(logging.WARNING):
            assert [reader.read(block_ms=40) for _ in range(3)] == [[], [], []]
        assert time.monotonic() - begun >= 0.12
        assert len([one for one in caplog.records if one.name == "telemetry.streams"]) == 1

    def test_goes_on_when_the_broker_is_back(self, settings):
        url = settings.REDIS_URL
        reader = ClcwReader(7)
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        broker.connection.cache_clear()
        assert reader.read(block_ms=1) == []
        settings.REDIS_URL = url
        broker.connection.cache_clear()
        streams.publish_clcws(7, words(1))
        assert reader.read(block_ms=200) == words(1)


def test_the_stream_does_not_grow_for_ever():
    for _ in range(30):
        streams.publish_clcws(7, words(*range(60)))
    assert broker.connection().xlen("clcw:7") < 1000
