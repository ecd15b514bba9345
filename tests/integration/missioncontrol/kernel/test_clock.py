from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, OperationalError, transaction

from missioncontrol.kernel import clock
from missioncontrol.kernel.models import ClockAnchor

pytestmark = pytest.mark.django_db

START = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Wall:
    """The machine's two clocks, which a test moves."""

    def __init__(self):
        self.utc = datetime(2026, 5, 1, tzinfo=UTC)
        self.monotonic_s = 1000.0

    def now(self, zone):
        assert zone is UTC
        return self.utc

    def monotonic(self):
        return self.monotonic_s

    def passes(self, seconds):
        self.utc += timedelta(seconds=seconds)
        self.monotonic_s += seconds


@pytest.fixture
def wall(monkeypatch):
    moved = Wall()

    class MovedDatetime(datetime):
        @classmethod
        def now(cls, tz=None):
            return moved.now(tz)

    monkeypatch.setattr(clock, "datetime", MovedDatetime)
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=moved.monotonic))
    return moved


class TestInFlight:
    def test_is_utc_without_an_anchor(self, wall):
        assert clock.now() == wall.utc
        assert clock.factor() == 1.0
        assert clock.wall_seconds(90.0) == 90.0
        assert not clock.state().frozen

    def test_cannot_be_stopped_or_set_back(self, wall):
        clock.freeze()
        clock.keep()
        clock.resume()
        wall.passes(10)
        assert clock.now() == wall.utc
        assert not ClockAnchor.objects.exists()


class TestRehearsal:
    def test_runs_from_the_anchor_at_its_factor(self, wall):
        clock.set_clock(mission_time=START, factor=30)
        assert clock.now() == START
        wall.passes(2)
        assert clock.now() == START + timedelta(seconds=60)
        assert clock.wall_seconds(60.0) == 2.0

    def test_goes_on_without_a_jump_when_the_factor_changes(self, wall):
        clock.set_clock(mission_time=START, factor=30)
        wall.passes(10)
        clock.set_clock(mission_time=clock.now(), factor=1)
        assert clock.now() == START + timedelta(seconds=300)
        wall.passes(10)
        assert clock.now() == START + timedelta(seconds=310)

    def test_a_change_reaches_other_processes_in_half_a_second(self, wall):
        clock.set_clock(mission_time=START, factor=1)
        assert clock.factor() == 1
        ClockAnchor.objects.update(factor=60)  # by another process
        wall.passes(0.4)
        assert clock.factor() == 1
        wall.passes(0.2)
        assert clock.factor() == 60

    @pytest.mark.parametrize("factor", [0, -1, 1000.1, math.inf, math.nan])
    def test_refuses_a_factor_outside_its_limits(self, factor):
        with pytest.raises(ValueError, match="give more than 0, at most 1000"):
            clock.set_clock(mission_time=START, factor=factor)
        assert not ClockAnchor.objects.exists()

    def test_the_database_keeps_one_anchor(self):
        clock.set_clock(mission_time=START, factor=2)
        clock.set_clock(mission_time=START, factor=3)
        assert ClockAnchor.objects.get().factor == 3
        anchor = ClockAnchor.objects.get()
        anchor.pk = 2
        with pytest.raises(IntegrityError, match="one_row"), transaction.atomic():
            anchor.save(force_insert=True)

    def test_goes_on_while_the_database_is_away(self, wall, monkeypatch):
        clock.set_clock(mission_time=START, factor=30)
        assert clock.factor() == 30

        def away():
            raise OperationalError("the server closed the connection")

        monkeypatch.setattr(clock, "_read_state", away)
        wall.passes(100)
        assert clock.now() == START + timedelta(seconds=3000)
        with pytest.raises(OperationalError):
            clock.keep()
        assert clock.now() == START + timedelta(seconds=3000)
        clock.forget()
        with pytest.raises(OperationalError):
            clock.now()


class TestFreezeAndResume:
    def test_stands_still_and_goes_on_from_there(self, wall):
        clock.set_clock(mission_time=START, factor=30)
        wall.passes(10)
        clock.freeze()
        wall.passes(3600)
        assert clock.now() == START + timedelta(seconds=300)
        assert clock.state().frozen
        clock.freeze()  # twice changes nothing
        clock.keep()
        clock.resume()
        wall.passes(1)
        assert clock.now() == START + timedelta(seconds=330)
        assert not clock.state().frozen

    def test_goes_on_after_a_kill_from_the_time_that_was_kept(self, wall):
        clock.set_clock(mission_time=START, factor=30)
        wall.passes(10)
        clock.keep()
        wall.passes(86_400)  # killed one second later, started again the next day
        clock.resume()
        assert clock.now() == START + timedelta(seconds=300)
        assert clock.factor() == 30

    def test_keeps_the_time_of_the_anchor_in_force(self, wall):
        clock.set_clock(mission_time=START, factor=1)
        clock.now()
        later = START + timedelta(days=1)
        ClockAnchor.objects.update(mission_time=later, wall_time=wall.utc)  # by another process
        clock.keep()
        assert ClockAnchor.objects.get().last_seen == later
