"""Packets, gaps and plots over an archive of a few minutes."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry import selectors
from telemetry.archive import RawPacket, open_writer
from telemetry.archive.packet_rows import rows_of_packets
from telemetry.ccsds.frame_fault import FrameFault
from telemetry.definition import segmenter_of
from telemetry.models import BadFrame, ChannelFrames, InputCounts
from tests.browser.packets import HousekeepingPackets
from tests.integration.missioncontrol.console.conftest import AT

LOST = {7, 8, 20}
URL = "/telemetry/DD-1"
SEEN = {"start": "2026-12-01T12:00:00Z", "end": "2026-12-01T12:05:00Z", "points": "10"}


@pytest.fixture
def archived(mission) -> Spacecraft:
    """Thirty packets of each kind, ten seconds apart; some are lost and one came twice."""
    made = HousekeepingPackets(mission)
    raw = []
    for number in range(30):
        instant = AT + timedelta(seconds=10 * number)
        packets = [
            RawPacket(
                spacecraft=mission.name,
                apid=int.from_bytes(octets[:2], "big") & 0x7FF,
                sequence_count=number + 1,
                generated_at=instant,
                received_at=instant + timedelta(seconds=1),
                station="KASHI",
                octets=octets,
            )
            for octets in made.at(instant, PWR_BATT_V=50.0 + number / 10)
        ]
        raw += [] if number in LOST else packets
    raw.append(raw[0])
    segment = segmenter_of(mission)
    with open_writer(selectors.archive_folder(mission)) as writer:
        writer.append(raw, [group for rows in rows_of_packets(raw) for group in segment(rows)])
    clock.set_clock(mission_time=AT + timedelta(minutes=5), factor=1.0)
    return mission


@pytest.fixture
def browser(archived, alice, browser_of):
    return browser_of(alice)


def rows(page: str, name: str) -> list[str]:
    return re.findall(rf'<tr {name}="([^"]*)"', page)


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class TestPackets:
    def test_are_listed_the_newest_first_with_what_they_are(self, browser):
        page = browser.get(f"{URL}/packets/?apid=100").content.decode()
        assert len(rows(page, "data-packet")) == 28
        assert page.index("12:04:50Z") < page.index("12:04:40Z")
        assert "PowerHousekeeping" in page
        assert "ThermalHousekeeping" not in page

    def test_are_those_from_before_the_time_asked_for_a_page_at_a_time(self, browser):
        page = browser.get(f"{URL}/packets/?before=2026-12-01T12:02:00").content.decode()
        assert len(rows(page, "data-packet")) == 50
        assert "12:02:00Z</time>" not in page
        older = browser.get(f"{URL}/packets/?before=2026-12-01T12:02:00&page=2").content.decode()
        found = rows(page, "data-packet") + rows(older, "data-packet")
        # Ten instants of six kinds, and one of all that came twice.
        assert len(found) == len(set(found)) == 61

    def test_show_one_with_its_header_its_octets_and_its_parameters(self, browser, archived):
        [listed] = selectors.newest_packets(archived, apid=100, limit=1)
        page = browser.get(f"{URL}/packets/{listed.packet.cursor}/").content.decode()
        words = text(page)
        assert "APID 100 (0x064)" in words
        assert "Sequence count 30" in words
        assert re.search(r"PWR_BATT_V 5\d{4} 52.\d+ V", words)
        # The battery's voltage is marked where its two octets stand.
        [number] = re.findall(r'<tr data-field="(\d+)">(?:(?!</tr>).)*PWR_BATT_V', page)
        octets = re.findall(rf'<td data-fields="{number}"[^>]*>(..)<', page)
        raw = int("".join(octets), 16)
        assert (len(octets), raw / 1000) == (2, pytest.approx(52.9, abs=0.01))

    def test_that_fit_nothing_say_why_and_still_show_their_header(self, browser, archived):
        odd = RawPacket(
            spacecraft=archived.name,
            apid=999,
            sequence_count=5,
            generated_at=AT + timedelta(hours=1),
            received_at=AT,
            station="",
            octets=bytes.fromhex("0be7c0050000") + b"?" * 7,
            has_own_time=False,
        )
        with open_writer(selectors.archive_folder(archived)) as writer:
            cursor = writer.append([odd], [])
        page = browser.get(f"{URL}/packets/{cursor}/").content.decode()
        assert "It fits no container of the dictionary: no container derived from Packet" in page
        assert "PKT_APID" in page
        assert "(time of reception)" in page

    def test_are_saved_as_they_came(self, browser, archived):
        [listed] = selectors.newest_packets(archived, apid=104, limit=1)
        answer = browser.get(f"{URL}/packets/{listed.packet.cursor}/octets")
        assert answer.content == listed.packet.octets

    @pytest.mark.parametrize("cursor", ["0", "9999999", "99999999999999999999999"])
    def test_that_are_not_there_are_not_found(self, browser, cursor):
        assert browser.get(f"{URL}/packets/{cursor}/").status_code == 404
        assert browser.get(f"{URL}/packets/{cursor}/octets").status_code == 404


class TestBadFrames:
    def frame(self, archived, fault: str) -> BadFrame:
        return BadFrame.objects.create(
            spacecraft=archived,
            station="KASHI",
            received_at=AT,
            fault=fault,
            reason="frame of 9 octets, expected 1115",
            octets=bytes.fromhex("2a5611c81805ffffff"),
        )

    def test_show_where_the_fields_of_their_headers_stand(self, browser, archived):
        frame = self.frame(archived, FrameFault.LENGTH)
        page = browser.get(f"/telemetry/bad-frames/{frame.pk}/").content.decode()
        assert "1.4…1.6 Virtual channel identifier 3 3" in text(page)
        assert "4.5…5.7 First header pointer 5 5" in text(page)

    def test_show_no_fields_of_octets_that_were_not_corrected(self, browser, archived):
        frame = self.frame(archived, FrameFault.REED_SOLOMON)
        page = browser.get(f"/telemetry/bad-frames/{frame.pk}/").content.decode()
        assert "Nothing is known of what stands in it." in page


class TestGaps:
    def test_are_counted_by_apid_and_listed(self, browser):
        page = browser.get(f"{URL}/gaps/").content.decode()
        assert rows(page, "data-apid") == ["100", "101", "102", "103", "104", "105"]
        assert "162 there · 18 missing" in page
        gaps = page[page.index('id="gaps"') :]
        assert len(rows(gaps, "data-gap")) == 12
        assert "100 2026-12-01 12:01:00Z 2026-12-01 12:01:30Z 2 30 s" in text(gaps)

    def test_outside_the_time_asked_for_are_not_looked_at(self, browser):
        page = browser.get(f"{URL}/gaps/?until=2026-12-01T12:01:05").content.decode()
        assert "42 there · 0 missing" in page
        assert "No gap." in page

    def test_stand_beside_what_the_inputs_lost(self, browser, archived):
        InputCounts.objects.create(
            spacecraft=archived,
            name="beacon",
            units=120,
            octets=4096,
            dropped=3,
            last_drop_reason="the queue was full",
        )
        page = browser.get(f"{URL}/gaps/").content.decode()
        assert "beacon 120 4.0 KiB 0 3 the queue was full" in text(page)

    def test_stand_beside_the_frames_of_each_virtual_channel(self, browser, archived):
        ChannelFrames.objects.create(
            spacecraft=archived,
            station="KASHI",
            virtual_channel=1,
            hour=AT,
            frames_good=1452,
            frames_lost=3,
        )
        assert "KASHI 1 1452 3" in text(browser.get(f"{URL}/gaps/").content.decode())


class TestPlots:
    def test_get_least_and_greatest_value_of_each_part_and_the_limits(self, browser):
        answer = browser.get(f"{URL}/samples", {"parameter": "PWR_BATT_V", **SEEN}).json()
        assert answer["counts"] == [3, 3, 1, 3, 3, 3, 2, 3, 3, 3]
        assert answer["minimum"][0] == pytest.approx(50.0)
        assert answer["maximum"][-1] == pytest.approx(52.9)
        assert answer["mean"][0] == pytest.approx(50.1)
        assert answer["limits"][0] == {
            "value": 47.0,
            "side": "below",
            "status": "caution",
            "mildest": True,
            "from_s": None,
            "to_s": None,
        }

    def test_say_that_history_is_away_while_its_server_is(self, browser, settings):
        settings.ARCHIVE_URL = "http://127.0.0.1:1/archive"
        for page in ("samples", "plot.csv"):
            answer = browser.get(f"{URL}/{page}", {"parameter": "PWR_BATT_V", **SEEN})
            assert answer.status_code == 503
            assert "The history of values cannot be had now." in answer.content.decode()

    def test_are_saved_as_csv_with_all_parameters_that_are_seen(self, browser):
        asked = {"parameter": ["PWR_BATT_V", "PWR_SA_V"], **SEEN}
        answer = browser.get(f"{URL}/plot.csv", asked)
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert 'filename="DD-1-plot.csv"' in answer["Content-Disposition"]
        found = list(csv.DictReader(StringIO(answer.content.decode())))
        assert {row["parameter"] for row in found} == {"PWR_BATT_V", "PWR_SA_V"}
        assert len(found) == 20
        assert (found[0]["time"], found[0]["samples"]) == ("2026-12-01T12:00:00.000000Z", "3")

    @pytest.mark.parametrize(
        ("asked", "reason"),
        [
            ({}, "0 parameters; a plot has 1 to 5"),
            ({"parameter": ["PWR_BATT_V"] * 6}, "6 parameters; a plot has 1 to 5"),
            ({"parameter": "NO_SUCH"}, "has no parameter 'NO_SUCH'"),
            ({"parameter": "PWR_BATT_V", "end": "x"}, "end is 'x'"),
        ],
    )
    def test_are_refused_with_the_reason(self, browser, asked, reason):
        answer = browser.get(f"{URL}/plot.csv", SEEN | asked)
        assert answer.status_code == 422
        assert reason in answer.content.decode()

    def test_come_with_the_health_of_each_subsystem(self, browser):
        page = browser.get(f"{URL}/").content.decode()
        assert 'data-subsystem="Power" data-status="normal"' in page
        assert page.count('class="tile"') == 6
