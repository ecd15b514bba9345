from __future__ import annotations

import json
import math

import pytest

from telemetry import selectors
from telemetry.models import LinkSession
from telemetry.selectors import limit_stretches
from telemetry.services import open_session
from tests import factories
from tests.integration.telemetry.craft import AT, after, packet, power, received, report, wheel

pytestmark = pytest.mark.django_db


def read(dd1, name, *, size=None, start=AT, end=None):
    return selectors.history(dd1, name, start=start, end=end or after(100), size=size)


class TestLatestValues:
    def test_has_every_parameter_before_anything_was_received(self, dd1):
        values = {value.name: value for value in selectors.latest_values(dd1)}
        assert {"VOLT", "TEMP", "MODE", "RATE", "SPEED"} <= values.keys()
        volt = values["VOLT"]
        assert (volt.value, volt.raw, volt.state, volt.generated_at) == (None, None, "off", None)
        assert (volt.subsystem, volt.unit) == ("Power", "V")

    def test_gives_engineering_and_raw_value_with_state_and_time(self, reception, dd1):
        reception.receive_packets(received(power(9, 45, mode=1), power(4, 25)))
        [volt, mode] = selectors.latest_values(dd1, names=["VOLT", "MODE"])
        assert (volt.value, volt.raw, volt.state, volt.generated_at) == (
            45,
            45,
            "critical",
            after(9),
        )
        assert (mode.value, mode.raw, mode.state) == ("BUSY", 1, "normal")

    def test_shows_the_alarm_in_force_over_a_single_good_value(self, reception, dd1):
        temps = [power(second, temp=60) for second in (1, 2)]
        reception.receive_packets(received(*temps, power(3, temp=20)))
        [temp] = selectors.latest_values(dd1, names=["TEMP"])
        assert (temp.value, temp.state) == (20, "caution")

    def test_names_the_spacecraft_that_lacks_a_parameter(self, dd1):
        with pytest.raises(selectors.TelemetryRefusedError, match="DD-1 has no parameter 'WARP'"):
            selectors.latest_values(dd1, names=["WARP"])


class TestLimitsInForce:
    def stretches(self, dd1, name, start_s, end_s):
        found = selectors.limits_in_force(dd1, name, start=after(start_s), end=after(end_s))
        return [(one.begin, one.end, [r.maximum for r in one.ranges]) for one in found]

    def test_change_with_the_mode_that_they_hang_on(self, reception, dd1):
        modes = [0, 0, 1, 1, 0, 1]
        reception.receive_packets(received(*[power(s, mode=m) for s, m in enumerate(modes)]))
        assert self.stretches(dd1, "RATE", 0, 100) == [
            (None, after(2), []),
            (after(2), after(4), [500]),
            (after(4), after(5), []),
            (after(5), None, [500]),
        ]

    def test_go_on_from_the_mode_before_the_interval(self, reception, dd1):
        reception.receive_packets(received(power(1, mode=1), power(50, mode=0)))
        assert self.stretches(dd1, "RATE", 10, 60) == [
            (None, after(50), [500]),
            (after(50), None, []),
        ]
        assert self.stretches(dd1, "RATE", 20, 30) == [(None, None, [500])]

    def test_are_the_default_ones_before_any_mode_is_known(self, dd1):
        assert self.stretches(dd1, "RATE", 0, 100) == [(None, None, [])]

    def test_are_one_stretch_where_they_hang_on_nothing(self, dd1):
        assert self.stretches(dd1, "TEMP", 0, 100) == [(None, None, [50])]
        assert self.stretches(dd1, "MODE", 0, 100) == []

    def test_say_nothing_of_what_was_not_looked_at(self, reception, dd1, monkeypatch):
        monkeypatch.setattr(limit_stretches, "MAX_SAMPLES", 3)
        modes = [1, 0, 1, 1, 0]
        reception.receive_packets(received(*[power(s, mode=m) for s, m in enumerate(modes)]))
        assert self.stretches(dd1, "RATE", 0, 100) == [
            (after(2), after(4), [500]),
            (after(4), None, []),
        ]


class TestHistory:
    def test_gives_samples_in_order_of_generation_each_once(self, reception, dd1):
        seconds = [7, 3, 5, 3, 9]
        reception.receive_packets(received(*[power(s, 20 + s) for s in seconds]))
        got = read(dd1, "VOLT", end=after(9))
        assert got.times == [after(s) for s in (3, 5, 7)]  # the end is excluded
        assert got.values == [23, 25, 27]
        assert got.unit == "V"

    def test_gives_buckets_with_least_greatest_and_mean(self, reception, dd1):
        reception.receive_packets(received(*[power(s, s) for s in range(10, 30)]))
        got = read(dd1, "VOLT", size=10, start=after(0), end=after(100))
        assert got.times == [after(10), after(20)]
        assert (got.minimum, got.maximum, got.values) == ([10, 20], [19, 29], [14.5, 24.5])

    def test_gives_labels_and_refuses_buckets_of_them(self, reception, dd1):
        reception.receive_packets(received(power(1, mode=1), power(2, mode=9)))
        assert read(dd1, "MODE").values[0] == "BUSY"
        with pytest.raises(selectors.TelemetryRefusedError, match="without a size"):
            read(dd1, "MODE", size=10)

    def test_leaves_out_buckets_that_hold_no_number(self, reception, dd1):
        reception.receive_packets(
            received(power(1, rate=math.nan), power(51, rate=math.inf), power(91, rate=2.5))
        )
        got = read(dd1, "RATE", size=10)
        assert (got.times, got.values) == ([after(90)], [2.5])
        samples = read(dd1, "RATE")
        assert samples.values == ["nan", "inf", 2.5]
        assert json.dumps([got.minimum, got.maximum, samples.values], allow_nan=False)

    @pytest.mark.parametrize(
        ("start", "end", "size", "complaint"),
        [
            (after(5), after(5), None, "is not after the start"),
            (after(5), after(1), 10, "is not after the start"),
            (after(0), after(1), 0, "0 buckets; 1 to 10,000"),
            (after(0), after(1), 10_001, "1 to 10,000"),
        ],
    )
    def test_refuses_what_has_no_answer(self, dd1, start, end, size, complaint):
        with pytest.raises(selectors.TelemetryRefusedError, match=complaint):
            read(dd1, "VOLT", start=start, end=end, size=size)

    def test_is_empty_before_anything_was_received(self, dd1):
        assert read(dd1, "VOLT").values == []
        assert read(dd1, "VOLT", size=5).values == []


class TestPackets:
    def test_goes_on_after_the_cursor(self, reception, dd1):
        reception.receive_packets(received(power(1), packet(120, 2, b"pdu 1"), power(3)))
        first = selectors.packets_since(dd1, 0, apids={120})
        assert [one.octets[-5:] for one in first.packets] == [b"pdu 1"]
        reception.receive_packets(received(packet(120, 4, b"pdu 2"), packet(121, 5, b"no")))
        second = selectors.packets_since(dd1, first.cursor, apids={120})
        [one] = second.packets
        assert (one.octets[-5:], one.apid, one.generated_at) == (b"pdu 2", 120, after(4))
        assert selectors.packets_since(dd1, second.cursor, apids={120}).packets == []

    def test_cuts_pages_between_packets(self, reception, dd1):
        reception.receive_packets(received(*[packet(120, s, b"x") for s in range(5)]))
        cursor, seen = 0, []
        while page := selectors.packets_since(dd1, cursor, apids={120}, limit=2).packets:
            seen += [one.generated_at for one in page]
            cursor = page[-1].cursor
        assert seen == [after(s) for s in range(5)]


class TestVerificationReports:
    def test_decodes_reports_in_order_of_arrival(self, reception, dd1):
        reception.receive_packets(
            received(
                report(5, 0x10C9C000, "ACCEPTANCE"),
                power(6),
                report(4, 0x10C9C001, "COMPLETION", code=7),
            )
        )
        page = selectors.verification_reports_since(dd1, 0)
        assert [(one.request_id, one.stage, one.success, one.code) for one in page.reports] == [
            (0x10C9C000, "ACCEPTANCE", True, 0),
            (0x10C9C001, "COMPLETION", False, 7),
        ]
        assert [one.at for one in page.reports] == [after(5), after(4)]
        assert selectors.verification_reports_since(dd1, page.cursor).reports == []

    def test_moves_its_cursor_past_what_is_no_report(self, reception, dd1):
        reception.receive_packets(received(report(5, 1, "START")))
        before = selectors.verification_reports_since(dd1, 0).cursor
        reception.receive_packets(received(*[power(s) for s in range(10)]))
        page = selectors.verification_reports_since(dd1, before)
        assert page.reports == []
        assert page.cursor > before

    def test_passes_over_a_report_that_is_cut_short(self, reception, dd1):
        cut = packet(110, 3, b"\x10\xc9")
        reception.receive_packets(received(cut, report(4, 1, "START")))
        assert [one.stage for one in selectors.verification_reports_since(dd1, 0).reports] == [
            "START"
        ]

    def test_has_none_of_a_spacecraft_without_a_forward_link(self):
        recorded = factories.spacecraft("JPSS-1", link_profile={"kind": "space_packets"})
        page = selectors.verification_reports_since(recorded, 5)
        assert (page.reports, page.cursor) == ([], 5)


class TestSubsystemHealth:
    def test_shows_the_worst_state_of_each(self, reception, dd1):
        reception.receive_packets(received(power(8, 45, temp=60), wheel(3, 2)))
        health = {
            one.name: one for one in selectors.subsystem_health(selectors.latest_values(dd1))
        }
        power_health = health["Power"]
        # TEMP is one bad value of the two that make an alarm.
        assert (power_health.state, power_health.in_trouble) == ("critical", 2)
        assert power_health.newest_at == after(8)
        other = health[next(name for name in health if name != "Power")]
        assert (other.state, other.in_trouble, other.newest_at) == ("normal", 0, after(8))

    def test_is_off_before_anything_was_received(self, dd1):
        for one in selectors.subsystem_health(selectors.latest_values(dd1)):
            assert (one.state, one.in_trouble, one.newest_at) == ("off", 0, None)
            assert one.parameters > 0


class TestFrameCounts:
    def test_adds_the_sessions_of_a_contact(self, contact):
        for good, second in ((3, 10), (4, 20)):
            session = open_session(contact=contact, at=after(second))
            LinkSession.objects.filter(pk=session.pk).update(
                frames_good=good, octets=10, last_frame_at=after(second)
            )
        counts = selectors.frame_counts([contact.pk, 999])
        assert (counts[contact.pk].frames_good, counts[contact.pk].octets) == (7, 20)
        assert counts[contact.pk].last_frame_at == after(20)
        assert counts[999] == selectors.FrameCounts()


def test_bad_frames_can_be_asked_for_by_contact(reception, session, contact, dd1):
    reception.receive_packets(received(b"\0" * 6), session=session)
    reception.receive_packets(received(b"\1" * 6))
    assert len(selectors.bad_frames(spacecraft=dd1)) == 2
    assert len(selectors.bad_frames(contact=contact)) == 1
