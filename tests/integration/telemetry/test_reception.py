from __future__ import annotations

import json
import logging
import time

import pytest
from django.db import OperationalError

from telemetry import selectors, streams
from telemetry.archive import ArchiveLockedError, RawPacket, open_writer
from telemetry.archive.packet_rows import rows_of_packets
from telemetry.models import Alarm, BadFrame, LinkSession, Severity
from telemetry.services import (
    TelemetryReception,
    alarms,
    close_session,
    open_session,
    pending_rows,
)
from tests.integration.telemetry.craft import (
    AT,
    Transmitter,
    after,
    clcw,
    heard,
    packet,
    power,
    received,
    wheel,
)


def volts(dd1):
    return selectors.history(dd1, "VOLT", start=AT, end=after(10_000)).values


def raw_packet(octets, second):
    return RawPacket(
        spacecraft="DD-1",
        apid=100,
        sequence_count=second,
        generated_at=after(second),
        received_at=after(1000),
        station="KASHI",
        octets=octets,
    )


class TestFrames:
    def test_archives_every_value_and_counts_exactly(self, reception, session, dd1):
        sender = Transmitter()
        frames = sender.frames(*[power(second, 20 + second) for second in range(10)])
        broken = bytearray(frames[1])
        broken[20] ^= 1
        lost = sender.frames(*[power(second, 25) for second in range(20, 40)])
        reception.receive_frames(heard([frames[0], bytes(broken), *frames[1:]]), session=session)
        reception.receive_frames(heard(lost[2:], at=1001), session=session)
        reception.settle(session)
        assert volts(dd1)[:10] == list(range(20, 30))
        session.refresh_from_db()
        assert session.frames_good == len(frames) + len(lost) - 2
        assert (session.frames_bad, session.frames_lost) == (1, 2)
        assert session.octets == 128 * (len(frames) + len(lost) - 1)
        assert session.packets == len(volts(dd1))
        assert session.packets_lost == 20 - (len(volts(dd1)) - 10) + 10  # 10 to 19 never were
        assert session.last_frame_at == after(1001)

    def test_keeps_a_frame_with_a_wrong_checksum_as_it_came(self, reception, session, contact):
        [frame] = Transmitter().frames(power(1))
        broken = frame[:50] + b"\xff" + frame[51:]
        reception.receive_frames(heard([broken]), session=session)
        [bad] = BadFrame.objects.all()
        assert bytes(bad.octets) == broken
        assert (bad.contact, bad.station, bad.received_at) == (contact, "KASHI", after(1000))
        assert "error control" in bad.reason.lower()
        fields = {field.name: field for field in selectors.examine_bad_frame(bad)}
        assert fields["Virtual channel identifier"].value == 0
        assert "the octets give" in fields["Frame error control field"].value

    def test_counts_a_frame_that_was_refused_in_part_once(self, reception, session):
        [frame] = Transmitter().frames(power(1))
        reception.receive_frames(heard([frame, frame]), session=session)  # the second repeats
        reception.settle(session)
        session.refresh_from_db()
        assert (session.frames_good, session.frames_bad) == (1, 1)

    def test_counts_frames_and_losses_of_each_virtual_channel_by_the_hour(
        self, reception, session, dd1
    ):
        sender = Transmitter()
        real_time = sender.frames(*[power(second) for second in range(60)])
        recorded = sender.frames(*[power(second) for second in range(100, 160)], channel=1)
        half = len(real_time) // 2
        reception.receive_frames(heard(real_time[:half], at=3500), session=session)
        reception.receive_frames(heard(recorded[:2], at=3500), session=session)
        reception.receive_frames(heard(real_time[half + 2 :], at=3700))  # without a contact too
        reception.receive_frames(heard(recorded[5:], at=3700), session=session)
        reception.settle(session)

        def counted(start_s, end_s):
            return [
                (one.station, one.virtual_channel, one.frames_good, one.frames_lost)
                for one in selectors.channel_counts(dd1, start=after(start_s), end=after(end_s))
            ]

        assert counted(3000, 3600) == [("KASHI", 0, half, 0), ("KASHI", 1, 2, 0)]
        assert counted(3000, 3601) == [
            ("KASHI", 0, len(real_time) - 2, 2),
            ("KASHI", 1, len(recorded) - 3, 3),
        ]
        assert counted(7199, 9000) == counted(3600, 7200)
        assert counted(7200, 9000) == []

    def test_keeps_a_packet_that_the_dictionary_does_not_know(self, reception, dd1):
        unknown = packet(300, 5, b"what is this")
        reception.receive_packets(received(unknown))
        [bad] = selectors.bad_frames(spacecraft=dd1)
        assert bytes(bad.octets) == unknown
        assert bad.reason.startswith("packet not decoded: ")
        assert ("APID", 300) in [(f.name, f.value) for f in selectors.examine_bad_frame(bad)]
        page = selectors.packets_since(dd1, 0, apids={300})
        assert [one.octets for one in page.packets] == [unknown]

    def test_hands_link_control_words_on_in_order(self, reception, dd1):
        reader = streams.ClcwReader(dd1.pk)
        frames = Transmitter().frames(*[power(second) for second in range(30)])
        reception.receive_frames(heard(frames))
        words = reader.read(block_ms=500)
        assert [one.word for one in words] == [clcw(count) for count in range(len(frames))]
        assert {one.received_at for one in words} == {after(1000)}

    def test_tells_the_newest_value_of_a_batch(self, reception, told):
        reception.receive_packets(received(power(5, 45), power(3, 25), power(4, 26)))
        [message] = told("telemetry")
        assert message["spacecraft"] == "DD-1"
        assert message["values"]["VOLT"] == {
            "v": 45,
            "s": "critical",
            "t": "2026-12-01T12:00:05.000Z",
        }
        assert message["values"]["MODE"]["v"] == "IDLE"

    def test_are_told_to_the_last_when_the_line_falls_quiet(self, reception, session, told):
        sender = Transmitter()
        for second in (1, 2, 3):  # faster than consoles are told
            reception.receive_frames(heard(sender.frames(power(second))), session=session)
            reception.settle(session)
        assert told("telemetry")[-1]["values"]["VOLT"]["t"] == "2026-12-01T12:00:03.000Z"

    def test_does_not_tell_values_of_the_past_after_newer_ones(self, reception, told):
        reception.receive_packets(received(power(500, 25)))
        reception.settle()
        told("telemetry")
        reception.receive_packets(received(power(100, 11), wheel(100, 3)))
        reception.settle()
        [message] = told("telemetry")
        assert "SPEED" in message["values"]
        assert "VOLT" not in message["values"]


class TestInterruptions:
    def test_survives_a_broker_that_is_away(self, away, reception, session, dd1):
        begun = time.monotonic()
        frames = Transmitter().frames(*[power(second) for second in range(20)])
        for frame in frames:
            reception.receive_frames(heard([frame]), session=session)
        reception.settle(session)
        assert len(volts(dd1)) == 20
        session.refresh_from_db()
        assert session.frames_good == len(frames)
        assert time.monotonic() - begun < 5.0

    @pytest.mark.django_db(transaction=True)
    def test_keeps_rows_for_a_database_that_is_away(self, dd1, session, monkeypatch, caplog):
        frames = Transmitter().frames(*[power(second, 15) for second in range(20)])
        bad = frames[3][:-1] + b"\0"
        with TelemetryReception(dd1) as reception:
            with monkeypatch.context() as patch:
                patch.setattr(pending_rows, "follow_limits", _database_is_locked)
                with caplog.at_level(logging.WARNING):
                    reception.receive_frames(heard([*frames[:3], bad]), session=session)
            assert "wait for the database" in caplog.text
            assert not BadFrame.objects.exists()
            reception.receive_frames(heard(frames[4:]), session=session)
            reception.settle(session)
        assert BadFrame.objects.count() == 1
        assert Alarm.objects.get().parameter == "VOLT"
        session.refresh_from_db()
        assert (session.frames_good, session.frames_bad) == (len(frames) - 1, 1)

    def test_decodes_what_a_killed_process_had_logged(self, dd1):
        folder = selectors.archive_folder(dd1)
        with open_writer(folder) as writer:
            # The kill comes between the packet log's sync and the columns' commit.
            packets = [raw_packet(power(second, 30), second) for second in range(5)]
            writer.log(rows_of_packets(packets))
            writer._entries.clear()
        assert volts(dd1) == []
        with TelemetryReception(dd1) as reception:
            assert volts(dd1) == [30] * 5
            reception.receive_packets(received(power(7, 31)))
        assert volts(dd1) == [30] * 5 + [31]

    def test_lets_only_one_receive_a_spacecraft(self, reception, dd1):
        with pytest.raises(ArchiveLockedError, match="only one may"):
            TelemetryReception(dd1)

    def test_lets_the_next_one_in_when_opening_failed(self, dd1, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr("telemetry.services.reception.states_in_force", _database_is_locked)
            with pytest.raises(OperationalError):
                TelemetryReception(dd1)
        TelemetryReception(dd1).__exit__()


class TestNextReception:
    """What the one before left is still so: a contact ends, the spacecraft flies on."""

    def test_clears_an_alarm_whose_parameter_got_well_out_of_sight(self, dd1):
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(1, 15)))
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(2, 25)))
        assert Alarm.objects.get().cleared_at == after(2)

    def test_asks_for_as_many_good_values_as_ever_before_it_clears(self, dd1):
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(1, temp=60), power(2, temp=60)))
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(3, temp=20)))
            assert Alarm.objects.get().cleared_at is None
            reception.receive_packets(received(power(4, temp=20)))
        assert Alarm.objects.get().cleared_at == after(4)

    def test_takes_a_dump_that_comes_first_for_the_past(self, dd1):
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(500, 25)))
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(100, 15), power(101, 15)))
        assert not Alarm.objects.exists()

    def test_takes_values_for_news_when_a_rehearsal_was_set_back(self, dd1):
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(5000, 25), at=5001))
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(10, 15), at=11))
        assert Alarm.objects.get().raised_at == after(10)


class TestSessions:
    def test_a_new_session_closes_the_one_that_a_kill_left_open(self, session, contact):
        second = open_session(contact=contact, at=after(60))
        session.refresh_from_db()
        assert (session.closed_at, session.close_reason) == (
            after(60),
            "the receiving process ended",
        )
        close_session(session=second, reason="LOS", at=after(90))
        close_session(session=second, reason="again", at=after(99))
        second.refresh_from_db()
        assert (second.closed_at, second.close_reason) == (after(90), "LOS")
        assert LinkSession.objects.count() == 2


def _database_is_locked(*_args, **_kwargs):
    raise OperationalError("database is locked")


def test_the_limits_of_every_severity_can_be_taken_up_again():
    assert set(alarms._STATES) == set(Severity)


def test_live_messages_are_json(reception, told):
    reception.receive_packets(received(power(5, rate=float("nan"))))
    [message] = told("telemetry")
    assert json.loads(json.dumps(message, allow_nan=False))["values"]["RATE"]["v"] == "nan"
