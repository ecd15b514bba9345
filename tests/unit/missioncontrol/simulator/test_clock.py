from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.simulator.clock import (
    ClockFollower,
    ClockReading,
    FollowedClock,
    SteadyClock,
    parse_reading,
)

T0 = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Wall:
    def __init__(self):
        self.s = 100.0

    def __call__(self):
        return self.s


def reading(seconds=0.0, *, factor=30.0, frozen=False):
    return ClockReading(mission_time=T0 + timedelta(seconds=seconds), factor=factor, frozen=frozen)


class TestSteadyClock:
    def test_runs_at_its_factor(self):
        wall = Wall()
        clock = SteadyClock(T0, 50.0, monotonic=wall)
        wall.s += 2.0
        assert clock.now() == T0 + timedelta(seconds=100)


class TestFollowedClock:
    def test_knows_no_time_before_the_first_reading(self):
        assert FollowedClock(monotonic=Wall()).now() is None

    def test_goes_on_between_readings(self):
        wall = Wall()
        clock = FollowedClock(monotonic=wall)
        clock.observe(reading(), at_s=wall.s)
        wall.s += 0.5
        assert clock.now() == T0 + timedelta(seconds=15)

    def test_smooths_what_is_jitter(self):
        wall = Wall()
        clock = FollowedClock(monotonic=wall)
        clock.observe(reading(), at_s=wall.s)
        wall.s += 1.0
        clock.observe(reading(31.0), at_s=wall.s)  # a thirtieth of a wall second ahead
        assert clock.now() == T0 + timedelta(seconds=30.3)

    def test_jumps_where_the_clock_was_set(self):
        wall = Wall()
        clock = FollowedClock(monotonic=wall)
        clock.observe(reading(), at_s=wall.s)
        wall.s += 1.0
        clock.observe(reading(3600.0), at_s=wall.s)
        assert clock.now() == T0 + timedelta(hours=1)

    def test_stands_still_while_frozen_and_takes_up_a_new_factor(self):
        wall = Wall()
        clock = FollowedClock(monotonic=wall)
        clock.observe(reading(frozen=True), at_s=wall.s)
        wall.s += 10.0
        assert clock.now() == T0
        clock.observe(reading(1.0, factor=60.0), at_s=wall.s)
        wall.s += 1.0
        assert clock.now() == T0 + timedelta(seconds=61)


class TestParseReading:
    def test_reads_a_health_document(self):
        document = (
            b'{"status":"ok","clock":{"mission_time":"2026-12-01T12:00:00Z",'
            b'"factor":30.0,"frozen":false}}'
        )
        assert parse_reading(document) == reading()

    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"<html>",
            b"[]",
            b'{"clock":{}}',
            b'{"clock":{"mission_time":"2026-12-01T12:00:00","factor":1,"frozen":false}}',
            b'{"clock":{"mission_time":"2026-12-01T12:00:00Z","factor":0,"frozen":false}}',
        ],
    )
    def test_refuses_another(self, document):
        with pytest.raises(ValueError, match="clock"):
            parse_reading(document)


class TestClockFollower:
    def test_refuses_a_url_that_is_no_web_address(self):
        with pytest.raises(ValueError, match="is not http"):
            ClockFollower("file:///etc/passwd", FollowedClock())
