from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from missioncontrol.stationlink.messages import Bye, CltuReport, CltuState, Service, Status
from tests.integration.missioncontrol.pipelines.scripted_station import (
    ScriptedStation,
    Spacecraft,
    wait_for,
)
from uplink.links.errors import StationRefusedError, StationUnreachableError
from uplink.links.forward_link import ForwardLink, fetch_journal
from uplink.tc.cltu import encode_cltu
from uplink.tc.tc_frame import SetVr, TcFrameFormat, control_frame, encode_tc_frame

pytestmark = pytest.mark.once

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def station():
    spacecraft = Spacecraft(spacecraft_id=42, now=lambda: AT)
    with ScriptedStation(spacecraft, now=lambda: AT) as scripted:
        yield scripted


def address_of(station: ScriptedStation) -> tuple[str, int]:
    host, _, port = station.address.partition(":")
    return host, int(port)


def connect(station: ScriptedStation, *, epoch: int = 1) -> ForwardLink:
    return ForwardLink.connect(
        address_of(station),
        spacecraft="DD-1",
        antenna="KASHI-1",
        contact=12,
        epoch=epoch,
        rate_bps=64_000,
    )


def collect(link: ForwardLink, count: int) -> list[object]:
    reports: list[object] = []
    wait_for(lambda: len(reports) >= count or reports.extend(link.poll(0.05)) or False)
    return reports


def set_vr_cltu(value: int) -> bytes:
    frame = control_frame(spacecraft_id=42, virtual_channel_id=0, command=SetVr(value))
    return encode_cltu(encode_tc_frame(frame, TcFrameFormat()))


class TestForwardLink:
    def test_radiates_a_cltu_and_hears_of_it(self, station):
        with connect(station) as link:
            assert (link.welcome.station, link.welcome.antenna) == ("TEST", "KASHI-1")
            cltu = set_vr_cltu(9)
            link.send_cltu(77, cltu)
            status, report = collect(link, 2)
        assert isinstance(status, Status)
        assert report == CltuReport(item=77, state=CltuState.RADIATED, reason="", at=AT)
        assert [(one.item, one.epoch, one.octets) for one in station.received] == [(77, 1, cltu)]
        assert station.spacecraft.farm.expected_sequence_number == 9
        [hello] = station.hellos
        assert (hello.service, hello.spacecraft, hello.contact) == (Service.FORWARD, "DD-1", 12)

    def test_says_why_the_station_refuses(self, station):
        station.refusal = "DD-1 is 12.3 deg below the mask of KASHI-1"
        with pytest.raises(StationRefusedError, match=r"12\.3 deg below the mask") as caught:
            connect(station)
        assert caught.value.reason == station.refusal

    def test_is_refused_under_a_lower_epoch(self, station):
        connect(station, epoch=3).close()
        with pytest.raises(StationRefusedError, match="epoch 2 is over"):
            connect(station, epoch=2)

    def test_hears_that_a_cltu_of_a_lower_epoch_was_refused(self, station):
        with connect(station, epoch=3) as old, connect(station, epoch=4):
            old.send_cltu(5, set_vr_cltu(9))
            _, report = collect(old, 2)
        assert (report.state, report.reason) == (CltuState.REFUSED, "epoch 3 is over")
        assert station.spacecraft.farm.expected_sequence_number == 0

    def test_hears_the_end_of_the_pass(self, station):
        with connect(station) as link:
            station.end_with = "LOS"
            assert collect(link, 2)[1] == Bye(reason="LOS")
            with pytest.raises(StationUnreachableError, match="KASHI-1 closed"):
                collect(link, 1)

    def test_says_where_nobody_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            host, port = server.getsockname()
        with pytest.raises(StationUnreachableError, match=f"KASHI-1 cannot be reached .*{port}"):
            fetch_journal((host, port), spacecraft="DD-1", antenna="KASHI-1", contact=1, epoch=1)

    def test_has_no_budget_while_it_pays_for_what_it_sent(self, station):
        station.lose = lambda count: True
        with connect(station) as link:
            assert link.ready_octets(factor=1.0) > 0
            link.send_cltu(1, b"\x55" * 6000)
            assert link.ready_octets(factor=1.0) == 0


class TestFetchJournal:
    def test_returns_what_was_radiated(self, station):
        with connect(station) as link:
            for item in (4, 7):
                link.send_cltu(item, set_vr_cltu(item))
            collect(link, 3)
        journal = fetch_journal(
            address_of(station), spacecraft="DD-1", antenna="KASHI-1", contact=12, epoch=1
        )
        assert (journal.contact, journal.radiated) == (12, (4, 7))
