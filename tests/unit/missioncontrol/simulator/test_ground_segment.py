from __future__ import annotations

import random
from datetime import timedelta

import pytest

from missioncontrol.simulator.ground_segment import GroundSegment
from missioncontrol.simulator.journal import RadiationJournal
from missioncontrol.simulator.link_faults import FaultRates, LinkFaults
from missioncontrol.simulator.simulation import antennas_of
from missioncontrol.stationlink.messages import (
    Bye,
    Cltu,
    CltuReport,
    CltuState,
    Hello,
    Journal,
    Refused,
    Service,
    Status,
    TmFrameReceived,
    Welcome,
)
from tests.unit.missioncontrol.simulator.demo import (
    IN_PASS,
    OUT_OF_PASS,
    demo_mission,
    demo_spacecraft,
)
from tests.unit.missioncontrol.simulator.fakes import FakeConnection

AFTER_LOS = IN_PASS.replace(minute=33, second=8)


class Station:
    """The ground segment of the demo mission with one radio receiver behind it."""

    def __init__(self, folder, **rates):
        self.received = []
        elements = {"DD-1": demo_spacecraft().ephemerides[0].mean_elements()}
        self.ground = GroundSegment(
            antennas=antennas_of(demo_mission(), elements),
            uplink_rates_bps={"DD-1": 64_000},
            journal=RadiationJournal(folder),
            faults=LinkFaults(FaultRates(**rates), random.Random(1)),
            receive_cltu=lambda name, octets, at: self.received.append((name, octets, at)),
        )

    def hello(self, service="forward", *, at=IN_PASS, contact=1, epoch=1, **changes):
        fields = {"spacecraft": "DD-1", "antenna": "KASHI-1", **changes}
        connection = FakeConnection()
        hello = Hello(service=Service(service), contact=contact, epoch=epoch, **fields)
        return self.ground.open(hello, connection, at), connection

    def send(self, session, item, *, epoch=1, at=IN_PASS, octets=bytes(800)):
        self.ground.take_cltu(session, Cltu(item=item, epoch=epoch, octets=octets), at)


@pytest.fixture
def station(tmp_path):
    return Station(tmp_path)


def refusal(connection):
    assert connection.is_closed
    [refused] = connection.sent
    assert isinstance(refused, Refused)
    return refused.reason


class TestHello:
    def test_is_welcomed_in_a_pass_and_told_where_the_antenna_points(self, station):
        session, connection = station.hello()
        welcome, status = connection.sent
        assert session is not None
        assert welcome == Welcome(station="KASHI", antenna="KASHI-1", mission_time=IN_PASS)
        assert isinstance(status, Status)
        assert status.carrier_lock
        assert 5 < status.elevation_deg < 20
        assert status.range_rate_m_s < -5000

    @pytest.mark.parametrize("service", ["return", "forward"])
    def test_is_refused_over_a_relay(self, station, service):
        session, connection = station.hello(service, at=IN_PASS, relay="RELAY-1")
        assert session is None
        assert "reaches nobody over RELAY-1" in refusal(connection)

    @pytest.mark.parametrize("service", ["return", "forward"])
    def test_is_refused_below_the_mask(self, station, service):
        session, connection = station.hello(service, at=OUT_OF_PASS)
        assert session is None
        assert "DD-1 is " in refusal(connection)
        assert " deg below the mask of KASHI-1" in connection.sent[0].reason

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"antenna": "MARS-1"}, "no antenna 'MARS-1' here; there are KASHI-1, MIYUN-1"),
            ({"spacecraft": "DD-9"}, "no spacecraft 'DD-9' here; there is DD-1"),
            ({"version": 2}, "version 2 of the station link; this station speaks 1"),
        ],
    )
    def test_is_refused_for_what_is_not_here(self, station, changes, reason):
        assert reason in refusal(station.hello(**changes)[1])

    def test_of_a_lower_epoch_is_refused(self, station):
        station.hello(epoch=4)
        _, connection = station.hello(epoch=3)
        assert refusal(connection) == "epoch 3 of contact 1 is over: 4 was seen"
        assert station.hello(epoch=3, contact=2, antenna="KASHI-1")[0] is None
        assert station.hello("return", epoch=0)[0] is not None

    def test_of_a_higher_epoch_ends_the_service_of_the_lower(self, station):
        first, connection = station.hello(epoch=1)
        station.send(first, 5)
        second, _ = station.hello(epoch=2)
        assert second is not None
        assert connection.sent[-1] == Bye(reason="epoch 2 has taken over")
        [report] = connection.of_type(CltuReport)
        assert (report.item, report.state) == (5, CltuState.REFUSED)

    def test_of_another_contact_is_refused_while_the_antenna_radiates(self, station):
        station.hello(contact=1)
        assert refusal(station.hello(contact=2)[1]) == "KASHI-1 radiates for contact 1"


class TestRadiation:
    def test_takes_as_long_as_the_bits_take(self, station):
        session, connection = station.hello()
        station.send(session, 1)  # 800 octets at 64 kbit/s: 0.1 s
        station.send(session, 2)
        station.ground.advance(IN_PASS + timedelta(seconds=0.15))
        assert [report.item for report in connection.of_type(CltuReport)] == [1]
        station.ground.advance(IN_PASS + timedelta(seconds=0.2))
        first, second = connection.of_type(CltuReport)
        assert (first.state, first.at) == (
            CltuState.RADIATED,
            IN_PASS + timedelta(seconds=0.1),
        )
        assert (second.item, second.at) == (2, IN_PASS + timedelta(seconds=0.2))
        assert [name for name, _, _ in station.received] == ["DD-1", "DD-1"]

    def test_happens_once_for_an_item(self, station):
        session, connection = station.hello()
        station.send(session, 1)
        station.send(session, 1)  # while the first waits
        station.ground.advance(IN_PASS + timedelta(seconds=1))
        station.send(session, 1)  # when it is out
        reports = connection.of_type(CltuReport)
        assert [report.state for report in reports] == ["REFUSED", "RADIATED", "REFUSED"]
        assert reports[0].reason == reports[2].reason == "radiated already"
        assert len(station.received) == 1

    def test_is_refused_to_a_lower_epoch(self, station):
        session, connection = station.hello(epoch=3)
        station.send(session, 1, epoch=2)
        [report] = connection.of_type(CltuReport)
        assert (report.state, report.reason) == (
            CltuState.REFUSED,
            "epoch 2 is over: 3 was seen",
        )

    def test_never_happens_after_the_connection_is_lost(self, station):
        session, _ = station.hello()
        station.send(session, 1)
        station.ground.lose(session)
        station.ground.advance(IN_PASS + timedelta(seconds=5))
        assert station.received == []

    def test_of_a_lost_cltu_is_reported_all_the_same(self, tmp_path):
        station = Station(tmp_path, cltu_loss=0.999)
        session, connection = station.hello()
        station.send(session, 1)
        station.ground.advance(IN_PASS + timedelta(seconds=1))
        assert connection.of_type(CltuReport)[0].state is CltuState.RADIATED
        assert station.received == []


class TestJournal:
    def test_tells_what_was_radiated_even_after_a_restart(self, station, tmp_path):
        session, _ = station.hello(epoch=2)
        station.send(session, 11, epoch=2)
        station.send(session, 7, epoch=2)
        station.ground.advance(IN_PASS + timedelta(seconds=1))
        station.send(session, 8, epoch=2)  # not radiated before the restart
        again = Station(tmp_path)
        session, connection = again.hello("journal", epoch=2, at=OUT_OF_PASS)
        assert session is None
        assert connection.sent == [Journal(contact=1, radiated=(11, 7))]
        assert connection.is_closed
        assert refusal(again.hello("journal", epoch=1)[1]).startswith("epoch 1 of contact 1")
        assert again.hello("journal", contact=2)[1].sent == [Journal(contact=2, radiated=())]
        session, connection = again.hello(epoch=3)
        again.send(session, 7, epoch=3)
        assert connection.of_type(CltuReport)[0].reason == "radiated already"

    def test_survives_a_line_that_a_kill_cut_off(self, tmp_path):
        (tmp_path / "4.jsonl").write_text('["epoch", 2]\n["item", 9]\n["ite')
        journal = RadiationJournal(tmp_path)
        assert journal.radiated(4) == (9,)
        assert journal.highest_epoch(4) == 2


class TestPass:
    def test_ends_with_bye_at_los(self, station):
        session, forward = station.hello(at=AFTER_LOS - timedelta(seconds=10))
        _, back = station.hello("return", at=AFTER_LOS - timedelta(seconds=10))
        station.ground.advance(AFTER_LOS - timedelta(seconds=5))
        assert not forward.is_closed
        station.send(session, 1, at=AFTER_LOS, octets=bytes(8000))
        station.ground.advance(AFTER_LOS)
        assert forward.sent[-1] == back.sent[-1] == Bye(reason="LOS")
        assert forward.is_closed
        assert back.is_closed
        [report] = forward.of_type(CltuReport)
        assert report.reason == "LOS came before it was radiated"

    def test_tells_the_pointing_every_five_seconds(self, station):
        _, connection = station.hello()
        for tenth in range(1, 201):
            station.ground.advance(IN_PASS + timedelta(seconds=tenth / 10))
        statuses = connection.of_type(Status)
        assert [round((one.at - IN_PASS).total_seconds(), 1) for one in statuses] == [
            0.0,
            5.0,
            10.0,
            15.0,
            20.0,
        ]
        assert [one.elevation_deg for one in statuses] == sorted(
            one.elevation_deg for one in statuses
        )

    def test_gives_each_listener_every_frame_a_light_time_later(self, station):
        _, first = station.hello("return")
        _, second = station.hello("return", contact=2)
        link = station.ground.link("DD-1", IN_PASS)
        station.ground.hear("DD-1", b"frame", IN_PASS)
        assert link.is_heard
        assert not link.uplink_locked
        [frame] = first.of_type(TmFrameReceived)
        assert second.of_type(TmFrameReceived) == [frame]
        late_s = (frame.received_at - IN_PASS).total_seconds()
        assert late_s == pytest.approx(link.range_m / 299_792_458, abs=1e-6)

    def test_counts_frames_that_nobody_heard(self, station):
        assert station.ground.link("DD-1", IN_PASS).in_view
        station.ground.hear("DD-1", b"frame", IN_PASS)
        assert station.ground.counts.frames_unheard == 1
        assert not station.ground.link("DD-1", OUT_OF_PASS).in_view
