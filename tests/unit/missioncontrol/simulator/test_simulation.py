from __future__ import annotations

from datetime import timedelta

import pytest

from missioncontrol.simulator.simulation import Simulation, elements_of, setups_of
from missioncontrol.stationlink.messages import Bye, Hello, Service, TmFrameReceived
from tests.unit.missioncontrol.simulator.demo import (
    IN_PASS,
    OUT_OF_PASS,
    demo_mission,
    demo_spacecraft,
)
from tests.unit.missioncontrol.simulator.fakes import FakeConnection

HELLO = Hello(service=Service.RETURN, spacecraft="DD-1", antenna="KASHI-1", contact=1, epoch=1)


@pytest.fixture
def simulation(tmp_path):
    one = Simulation(mission=demo_mission(), folder=tmp_path, at=IN_PASS)
    yield one
    one.close()


def listen(simulation, at):
    connection = FakeConnection()
    assert simulation.open(HELLO, connection, at) is not None
    return connection


class TestSimulation:
    def test_brings_frames_to_who_listens(self, simulation):
        connection = listen(simulation, IN_PASS)
        simulation.advance(IN_PASS + timedelta(seconds=10))
        assert 9 <= len(connection.of_type(TmFrameReceived)) <= 12

    def test_waits_for_a_clock_that_was_set_back_a_little(self, simulation):
        connection = listen(simulation, IN_PASS)
        simulation.advance(IN_PASS + timedelta(seconds=10))
        before = len(connection.sent)
        simulation.advance(IN_PASS + timedelta(seconds=5))
        assert len(connection.sent) == before
        simulation.advance(IN_PASS + timedelta(seconds=12))
        assert len(connection.sent) == before + 2

    def test_begins_again_at_an_earlier_time_that_the_clock_was_set_to(self, simulation):
        connection = listen(simulation, IN_PASS)
        simulation.advance(IN_PASS + timedelta(seconds=10))
        simulation.advance(OUT_OF_PASS)
        assert connection.sent[-1] == Bye(reason="the mission clock was set back")
        simulation.advance(OUT_OF_PASS + timedelta(seconds=1))
        simulation.advance(IN_PASS)
        connection = listen(simulation, IN_PASS)
        simulation.advance(IN_PASS + timedelta(seconds=10))
        assert connection.of_type(TmFrameReceived)


class TestElementsOf:
    def with_ephemerides(self, *changes):
        [tle] = demo_spacecraft().ephemerides
        given = [
            tle.model_copy(update={"name": f"E{number}", "line1": tle.line1, **change})
            for number, change in enumerate(changes)
        ]
        return demo_spacecraft().model_copy(update={"ephemerides": given})

    def test_takes_the_highest_priority_and_of_equal_ones_the_last(self):
        entry = self.with_ephemerides({"priority": 5}, {"priority": 9}, {"priority": 9})
        assert elements_of(entry, IN_PASS).name == "E2"

    def test_passes_by_what_is_disabled_or_expired(self):
        entry = self.with_ephemerides(
            {}, {"enabled": False, "priority": 50}, {"expires_at": IN_PASS, "priority": 50}
        )
        assert elements_of(entry, IN_PASS).name == "E0"

    def test_says_when_none_is_left(self):
        with pytest.raises(ValueError, match="DD-1 has no elements that are enabled"):
            elements_of(self.with_ephemerides({"enabled": False}), IN_PASS)


class TestSetupsOf:
    def test_passes_by_a_source_of_recorded_packets(self, tmp_path):
        recorded = demo_spacecraft().model_copy(update={"name": "TAPE", "cfdp_profile": None})
        mission = demo_mission().model_copy(
            update={"spacecraft": [*demo_mission().spacecraft, recorded]}
        )
        assert [setup.name for setup in setups_of(mission, tmp_path, IN_PASS)] == ["DD-1"]
