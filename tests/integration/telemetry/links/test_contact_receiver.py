from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

import pytest

from missioncontrol.kernel import clock
from missioncontrol.scheduling.models import Contact
from telemetry import selectors
from telemetry.links import contact_receiver
from telemetry.links.contact_receiver import ContactReceiver
from telemetry.management.commands import run_telemetry_links
from telemetry.models import BadFrame, LinkSession
from telemetry.services import TelemetryReception
from telemetry.streams import ClcwReader
from tests.integration.telemetry.craft import AT, Transmitter, after, clcw, power
from tests.integration.telemetry.links.station import Station, frame_records, status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@pytest.fixture(autouse=True)
def _clock(db):
    clock.set_clock(mission_time=after(60), factor=1)


@pytest.fixture
def play(contact, monkeypatch):
    """Receive the contact from a station that plays the scripts, in this thread.

    The test database belongs to one thread; the station has none of it.
    """
    # The thread's own connection is closed at its end, but here it is the test's.
    monkeypatch.setattr(contact_receiver.connection, "close", lambda: None)

    def receive(*scripts, stop_at_end=True):
        receiver = ContactReceiver(contact)
        with Station(*scripts) as station:
            contact.antenna.link_url = "tcp://{}:{}".format(*station.address)
            contact.antenna.save()

            def stop_later():
                if station.played.wait(30):
                    time.sleep(0.2)  # what was sent last is still on its way
                    receiver.stop()

            stopper = threading.Thread(target=stop_later)
            if stop_at_end:
                stopper.start()
            receiver.run()
            if stop_at_end:
                stopper.join()
        return station

    return receive


def volts(dd1):
    return selectors.history(dd1, "VOLT", start=AT, end=after(10_000)).values


def sends(octets, *, piece=0, bye="LOS"):
    def script(one):
        one.welcome()
        one.send(octets, piece=piece)
        if bye:
            one.bye(bye)

    return script


class TestContactReceiver:
    def test_ingests_each_frame_once_and_counts_exactly(self, play, dd1, contact, told):
        reader = ClcwReader(dd1.pk)
        frames = Transmitter().frames(*[power(second, 25) for second in range(50)])
        broken = frames[4][:30] + b"\xff\xff" + frames[4][32:]
        octets = frame_records([*frames[:4], broken, *frames[4:]]) + status(60)
        station = play(sends(octets, piece=777))
        [hello] = station.hellos
        assert (hello.spacecraft, hello.antenna, hello.contact, hello.service) == (
            "DD-1",
            "KASHI-1",
            contact.pk,
            "return",
        )
        assert volts(dd1) == [25] * 50
        session = LinkSession.objects.get()
        assert (session.frames_good, session.frames_bad, session.frames_lost) == (
            len(frames),
            1,
            0,
        )
        assert (session.packets, session.octets) == (50, 128 * (len(frames) + 1))
        assert session.close_reason == "LOS"
        assert session.closed_at is not None
        [bad] = BadFrame.objects.all()
        assert (bytes(bad.octets), bad.contact) == (broken, contact)
        words = []
        while new := reader.read(block_ms=50):
            words += new
        assert [one.word for one in words] == [clcw(count) for count in range(len(frames))]
        assert told("telemetry")[-1]["values"]["VOLT"]["t"] == "2026-12-01T12:00:49.000Z"

    def test_asks_again_when_the_station_refuses(self, play, dd1, caplog):
        frames = Transmitter().frames(power(1))
        with caplog.at_level(logging.DEBUG):
            station = play(
                lambda one: one.refuse("DD-1 is 3 deg below the mask"),
                lambda one: one.refuse("DD-1 is 1 deg below the mask"),
                sends(frame_records(frames)),
            )
        assert station.connections == 3
        assert "3 deg below the mask" in caplog.text
        assert volts(dd1) == [25]
        assert LinkSession.objects.count() == 1

    def test_goes_on_after_the_connection_broke(self, play, dd1):
        sender = Transmitter()
        first = sender.frames(*[power(second) for second in range(10)])
        second = sender.frames(*[power(second) for second in range(10, 20)])
        play(sends(frame_records(first), bye=""), sends(frame_records(second)))
        assert len(volts(dd1)) == 20
        sessions = LinkSession.objects.all()
        assert [one.close_reason for one in sessions] == [
            "the station closed the connection",
            "LOS",
        ]
        assert [one.frames_good for one in sessions] == [len(first), len(second)]

    def test_goes_on_after_nonsense(self, play, dd1):
        frames = Transmitter().frames(power(1))
        play(lambda one: one.send(b"SSH-2.0-OpenSSH\r\n"), sends(frame_records(frames)))
        assert volts(dd1) == [25]

    def test_leaves_a_station_that_fell_silent(self, play, dd1, monkeypatch):
        monkeypatch.setattr(contact_receiver, "_SILENT_S", 0.3)
        monkeypatch.setattr(contact_receiver, "_SILENT_AT_LEAST_S", 0.3)

        def falls_silent(one):
            one.welcome()
            one.wait_for_the_end()

        play(falls_silent, sends(frame_records(Transmitter().frames(power(1)))))
        assert volts(dd1) == [25]
        first = LinkSession.objects.all()[0]
        assert first.close_reason == "nothing from the station for 0 s"

    def test_ends_after_los_though_the_station_goes_on(self, play, contact):
        contact.los = clock.now() - contact_receiver.EDGE + timedelta(seconds=1)
        contact.save()

        def never_ends(one):
            one.welcome()
            for second in range(1000):
                try:
                    one.send(status(second))
                except OSError:
                    return
                time.sleep(0.02)

        play(never_ends, stop_at_end=False)
        assert LinkSession.objects.get().close_reason == "the contact is over"

    def test_waits_for_aos(self, play, contact):
        contact.aos = clock.now() + contact_receiver.EDGE + timedelta(seconds=1)
        contact.save()
        begun = time.monotonic()
        play(sends(b""))
        assert time.monotonic() - begun > 0.9

    def test_is_refused_the_archive_that_another_one_writes(self, play, dd1, caplog, monkeypatch):
        monkeypatch.setattr(contact_receiver, "_AFTER_A_FAULT_S", 0.1)
        with TelemetryReception(dd1), caplog.at_level(logging.WARNING):
            play(stop_at_end=False)
        assert "is not received yet: another process holds the writer lock" in caplog.text
        assert not LinkSession.objects.exists()

    def test_closes_its_session_when_receiving_fails(self, play, monkeypatch, caplog):
        monkeypatch.setattr(contact_receiver, "_AFTER_A_FAULT_S", 0.1)

        def broken(*_args, **_kwargs):
            raise OSError("no space left on device")

        monkeypatch.setattr(TelemetryReception, "receive_frames", broken)
        frames = Transmitter().frames(power(1))
        play(sends(frame_records(frames)), stop_at_end=False)
        assert "no space left on device" in caplog.text
        assert LinkSession.objects.get().close_reason == "the receiving process failed"


class StandIn:
    """Stands for the thread: the test database belongs to one."""

    def __init__(self, contact):
        self.contact = contact
        self.started = self.stopped = False
        self.alive = True

    def start(self):
        self.started = True

    def stop(self):
        self.stopped = True

    def is_alive(self):
        return self.alive


class TestLook:
    @pytest.fixture
    def receivers(self, monkeypatch, contact):
        monkeypatch.setattr(run_telemetry_links, "ContactReceiver", StandIn)
        return {}

    def test_starts_one_receiver_for_a_contact_that_is_on(self, receivers, contact):
        run_telemetry_links.look(receivers)
        first = receivers[contact.pk]
        run_telemetry_links.look(receivers)
        assert receivers == {contact.pk: first}
        assert first.started

    def test_starts_another_when_the_first_has_ended(self, receivers, contact):
        run_telemetry_links.look(receivers)
        first = receivers[contact.pk]
        first.alive = False
        run_telemetry_links.look(receivers)
        assert receivers[contact.pk] is not first

    @pytest.mark.parametrize("state", ["SCHEDULED", "PASS", "FAILED", "MISSED"])
    def test_listens_whatever_became_of_the_commanding(self, receivers, contact, state):
        Contact.objects.update(state=state)
        run_telemetry_links.look(receivers)
        assert list(receivers) == [contact.pk]

    def test_stops_when_the_contact_is_cancelled(self, receivers, contact):
        run_telemetry_links.look(receivers)
        Contact.objects.update(state=Contact.State.CANCELLED)
        run_telemetry_links.look(receivers)
        assert receivers[contact.pk].stopped

    @pytest.mark.parametrize("aos_s", [-3600, 3600])
    def test_leaves_other_contacts_alone(self, receivers, contact, aos_s):
        aos = clock.now() + timedelta(seconds=aos_s)
        Contact.objects.update(aos=aos, los=aos + timedelta(minutes=10))
        run_telemetry_links.look(receivers)
        assert receivers == {}
