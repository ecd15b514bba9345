from __future__ import annotations

import socket
import threading
import time

import pytest

from missioncontrol.stationlink.messages import Hello, Service, Status, TmFrameReceived
from telemetry.links import return_link
from telemetry.links.return_link import LinkClosedError, LinkRefusedError, ReturnLink
from tests.integration.telemetry.craft import Transmitter, power
from tests.integration.telemetry.links.station import Station, frame_records, status

pytestmark = pytest.mark.once

HELLO = Hello(service=Service.RETURN, spacecraft="DD-1", antenna="KASHI-1", contact=12, epoch=0)


def everything(link):
    """Read to the end; return the messages and why it ended."""
    messages = []
    while True:
        try:
            messages += link.receive(within_s=1.0, at_most=7)
        except LinkClosedError as error:
            return messages, str(error)


def frames(count):
    return Transmitter().frames(*[power(second) for second in range(count)])


class TestReturnLink:
    @pytest.mark.parametrize("piece", [0, 1, 3, 50, 1000])
    def test_gives_every_frame_however_tcp_cuts_them(self, piece):
        sent = frames(40)

        def script(one):
            one.welcome()
            one.send(frame_records(sent) + status(70), piece=piece)
            one.bye()

        with Station(script) as station, ReturnLink(station.address, HELLO) as link:
            messages, reason = everything(link)
        octets = [message.octets for message in messages if isinstance(message, TmFrameReceived)]
        assert octets == sent
        assert isinstance(messages[-2], Status)
        assert reason == "LOS"
        assert station.hellos == [HELLO]

    def test_keeps_frames_that_came_with_the_welcome(self):
        sent = frames(3)

        def script(one):
            both = []
            one.send, real = both.append, one.send
            one.welcome()
            one.bye("LOS of KASHI")
            real(both[0] + frame_records(sent) + both[1])

        with Station(script) as station, ReturnLink(station.address, HELLO) as link:
            messages, reason = everything(link)
        assert [one.octets for one in messages if isinstance(one, TmFrameReceived)] == sent
        assert reason == "LOS of KASHI"

    def test_tells_why_the_station_refuses(self):
        with (
            Station(lambda one: one.refuse("DD-1 is below the mask")) as station,
            pytest.raises(LinkRefusedError, match=r"^DD-1 is below the mask$"),
        ):
            ReturnLink(station.address, HELLO)

    def test_says_that_the_station_closed_without_an_answer(self):
        with (
            Station(lambda one: None) as station,
            pytest.raises(LinkClosedError, match="without an answer"),
        ):
            ReturnLink(station.address, HELLO)

    def test_says_that_the_station_began_with_something_else(self):
        with (
            Station(lambda one: one.bye()) as station,
            pytest.raises(LinkClosedError, match="began with Bye, not Welcome"),
        ):
            ReturnLink(station.address, HELLO)

    @pytest.mark.parametrize("octets", [b"HTTP/1.1 400 Bad Request\r\n", b"\0\0\0\1\xee"])
    def test_says_that_the_answer_is_nonsense(self, octets):
        with (
            Station(lambda one: one.send(octets)) as station,
            pytest.raises(LinkClosedError, match=r"does not answer: .*record"),
        ):
            ReturnLink(station.address, HELLO)

    def test_does_not_wait_for_ever_for_an_answer(self, monkeypatch):
        monkeypatch.setattr(return_link, "_CONNECT_WITHIN_S", 0.2)
        with (
            Station(lambda one: one.wait_for_the_end()) as station,
            pytest.raises(LinkClosedError, match="does not answer: timed out"),
        ):
            ReturnLink(station.address, HELLO)

    def test_names_the_address_where_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
        with pytest.raises(LinkClosedError, match=f"at 127.0.0.1:{address[1]}"):
            ReturnLink(address, HELLO)

    def test_gives_what_came_before_nonsense_and_says_so(self):
        sent = frames(5)
        received = threading.Event()

        def script(one):
            one.welcome()
            one.send(frame_records(sent))
            received.wait(5)
            one.send(b"\xff" * 40)
            one.wait_for_the_end()

        with Station(script) as station, ReturnLink(station.address, HELLO) as link:
            messages = []
            while len(messages) < len(sent):
                messages += link.receive(within_s=1.0, at_most=100)
            received.set()
            rest, reason = everything(link)
        assert [one.octets for one in messages] == sent
        assert rest == []
        assert reason.startswith("not understood: a record of 4294967295 octets")

    def test_says_that_the_station_died(self):
        def script(one):
            one.welcome()
            # The reset of a machine that has lost its memory of the connection.
            one._link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        with Station(script) as station, ReturnLink(station.address, HELLO) as link:
            messages, reason = everything(link)
        assert messages == []
        assert "closed the connection" in reason or "the connection broke" in reason

    def test_waits_no_longer_than_asked(self):
        def script(one):
            one.welcome()
            one.wait_for_the_end()

        with Station(script) as station, ReturnLink(station.address, HELLO) as link:
            begun = time.monotonic()
            assert link.receive(within_s=0.05, at_most=10) == []
            assert time.monotonic() - begun < 1.0

    def test_closes_while_its_queue_is_full_and_leaves_no_thread(self, monkeypatch):
        monkeypatch.setattr(return_link, "_QUEUED_MESSAGES", 3)
        connected = threading.Event()

        def script(one):
            one.welcome()
            connected.wait(5)
            one.send(frame_records(frames(100)))
            one.wait_for_the_end()

        with Station(script) as station:
            link = ReturnLink(station.address, HELLO)
            connected.set()
            deadline = time.monotonic() + 5
            while not link._queue.full():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            link.close()
        assert not link._thread.is_alive()

    def test_hands_out_a_backlog_without_loss_when_the_reader_was_slow(self, monkeypatch):
        monkeypatch.setattr(return_link, "_QUEUED_MESSAGES", 3)
        sent = frames(200)
        connected = threading.Event()

        def script(one):
            one.welcome()
            connected.wait(5)
            one.send(frame_records(sent))
            one.bye()

        with Station(script) as station, ReturnLink(station.address, HELLO) as link:
            connected.set()
            time.sleep(0.3)
            messages, _ = everything(link)
        assert [one.octets for one in messages if isinstance(one, TmFrameReceived)] == sent
