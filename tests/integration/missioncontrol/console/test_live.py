"""The live socket: the real application, a real broker, no browser."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from missioncontrol.accounts import tickets
from missioncontrol.accounts.models import Membership, Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.asgi import application
from missioncontrol.console import hub
from missioncontrol.kernel import broker, live
from missioncontrol.kernel.live import LIVE_CHANNEL
from missioncontrol.pipelines.demo import seed_mission
from telemetry.streams import publish_values
from tests import factories
from tests.integration.missioncontrol.console.conftest import AT
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cookie_of(transactional_db):
    """Sign in a person with roles at an organisation and return the session's key."""
    seed_mission(at=AT)

    def make(username: str, *roles: Role, member_of: str = "operator") -> str:
        organisation = Organisation.objects.get(slug=member_of)
        browser = signed_in(factories.operator(username, *roles, member_of=organisation))
        return browser.session.session_key

    return make


class Socket(ApplicationCommunicator):
    """A browser's end of the socket, over the real ASGI application."""

    def __init__(self, headers: list[tuple[bytes, bytes]], ticket: str = "") -> None:
        super().__init__(
            application,
            {
                "type": "websocket",
                "path": "/ws/live/",
                "query_string": f"ticket={ticket}".encode(),
                "headers": headers,
                "subprotocols": [],
            },
        )

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout=3)
        return answer["type"] == "websocket.accept"

    async def receive_from(self, timeout: float = 3) -> str:
        event = await self.receive_output(timeout=timeout)
        assert event["type"] == "websocket.send", event
        return event["text"]

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=3)


def ticket_of(session_key: str) -> str:
    """Ask for a ticket as the page does."""
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session_key
    return browser.post("/live-ticket/").json()["ticket"]


@asynccontextmanager
async def console(session_key: str = "", *, ticket: str | None = None):
    """An open socket of a session, with a ticket of its own unless another is given."""
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
    if session_key:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session_key}".encode()))
        if ticket is None:
            ticket = await sync_to_async(ticket_of)(session_key)
    socket = Socket(headers, ticket or "")
    assert await socket.connect()
    try:
        yield socket
    finally:
        await socket.disconnect()


async def live_console(socket):
    """Wait until the hub listens: then it asks the pages to look at everything."""
    assert json.loads(await socket.receive_from(timeout=5))["part"] == "all"
    return socket


async def close_code(socket, within_s: float = 3) -> int:
    while True:
        event = await socket.receive_output(timeout=within_s)
        if event["type"] == "websocket.close":
            return event["code"]


async def nothing_more(socket) -> bool:
    return await socket.receive_nothing(timeout=0.4)


class TestWhoMayListen:
    async def test_is_nobody_who_is_not_signed_in(self, cookie_of):
        async with console() as socket:
            assert await close_code(socket) == 4401

    async def test_is_nobody_without_a_role(self, cookie_of):
        key = await sync_to_async(cookie_of)("noor")
        async with console(key) as socket:
            assert await close_code(socket) == 4403

    async def test_is_no_page_of_another_host(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        headers = [
            (b"origin", b"https://elsewhere.example"),
            (b"host", b"localhost"),
            (b"cookie", f"{settings.SESSION_COOKIE_NAME}={key}".encode()),
        ]
        assert not await Socket(headers).connect()

    async def test_ends_within_two_seconds_of_signing_out(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            await Session.objects.filter(session_key=key).adelete()
            assert await close_code(socket, within_s=2) == 4401

    async def test_ends_when_the_account_is_closed(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            await Membership.objects.filter(operator__username="alice").adelete()
            await sync_to_async(_deactivate)("alice")
            assert await close_code(socket, within_s=2) == 4401

    async def test_ends_within_two_seconds_of_losing_the_last_role(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            await Membership.objects.filter(operator__username="alice").adelete()
            assert await close_code(socket, within_s=2) == 4403


class TestTickets:
    async def test_open_one_socket_only(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        ticket = await sync_to_async(ticket_of)(key)
        async with console(key, ticket=ticket) as socket:
            await live_console(socket)
        async with console(key, ticket=ticket) as socket:
            assert await close_code(socket) == 4401

    @pytest.mark.parametrize("ticket", ["", "guessed", "%00"])
    async def test_cannot_be_done_without(self, cookie_of, ticket):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key, ticket=ticket) as socket:
            assert await close_code(socket) == 4401

    async def test_are_of_no_use_to_another_session(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        other = await sync_to_async(cookie_of)("bob", Role.OPERATOR)
        ticket = await sync_to_async(ticket_of)(other)
        async with console(key, ticket=ticket) as socket:
            assert await close_code(socket) == 4401

    async def test_run_out(self, cookie_of, monkeypatch):
        monkeypatch.setattr(tickets, "LIFETIME_S", 1)
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        ticket = await sync_to_async(ticket_of)(key)
        await asyncio.sleep(1.1)
        async with console(key, ticket=ticket) as socket:
            assert await close_code(socket) == 4401

    def test_are_not_given_to_strangers(self, db):
        assert Client().post("/live-ticket/").status_code == 401

    def test_say_so_when_the_broker_is_away(self, cookie_of, settings):
        key = cookie_of("alice", Role.OPERATOR)
        settings.REDIS_URL = "unix:///nowhere/broker.sock"
        broker.connection.cache_clear()
        browser = Client()
        browser.cookies[settings.SESSION_COOKIE_NAME] = key
        answer = browser.post("/live-ticket/")
        broker.connection.cache_clear()
        assert answer.status_code == 503
        assert "Try again" in answer.json()["refused"]


def _deactivate(username: str) -> None:
    Operator.objects.filter(username=username).update(is_active=False)


class TestWhatIsTold:
    async def test_telemetry_is_merged_to_the_newest_of_each_parameter(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            for second, volts in ((1, 50.0), (3, 52.0), (2, 51.0)):
                value = {"v": volts, "s": "normal", "t": f"2026-12-01T12:00:0{second}.000Z"}
                await sync_to_async(publish_values)("DD-1", {"PWR_BATT_V": value})
            message = json.loads(await socket.receive_from())
            assert message["type"] == "telemetry"
            values = [message["values"]["PWR_BATT_V"]["v"]]
            while not await nothing_more(socket):
                later = json.loads(await socket.receive_from())
                values.append(later["values"]["PWR_BATT_V"]["v"])
            assert values[-1] == 52.0
            assert 51.0 not in values

    async def test_other_messages_come_at_once_and_in_order(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            sent = [
                {"type": "pass", "contact": 1, "state": "PASS"},
                {"type": "alarm", "parameter": "X", "severity": "critical", "value": "1"},
                {"type": "job", "job": 1, "state": "RUNNING"},
                {"type": "refresh", "part": "jobs"},
            ]
            for message in sent:
                await sync_to_async(live.publish)(message)
            assert [json.loads(await socket.receive_from()) for _ in sent] == sent

    async def test_a_member_hears_nothing_that_its_pages_do_not_show(self, cookie_of):
        key = await sync_to_async(cookie_of)(
            "mei", Role.PAYLOAD_MEMBER, member_of="ai-laboratory-1"
        )
        async with console(key) as socket:
            await live_console(socket)
            value = {"v": 1, "s": "normal", "t": "2026-12-01T12:00:00.000Z"}
            await sync_to_async(publish_values)("DD-1", {"PWR_BATT_V": value})
            for message in (
                {"type": "alarm", "parameter": "X", "severity": "critical", "value": "1"},
                {"type": "job", "job": 1, "state": "RUNNING"},
                {"type": "refresh", "part": "jobs"},
            ):
                await sync_to_async(live.publish)(message)
            heard = json.loads(await socket.receive_from())
            assert heard == {"type": "refresh", "part": "jobs"}
            assert await nothing_more(socket)

    async def test_two_consoles_hear_the_same(self, cookie_of):
        first = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        second = await sync_to_async(cookie_of)("bob", Role.APPROVER)
        async with console(first) as one:
            await live_console(one)
            async with console(second) as two:
                await sync_to_async(live.publish)({"type": "refresh", "part": "now"})
                assert await one.receive_from() == await two.receive_from()

    async def test_nonsense_on_the_channel_does_no_harm(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            for octets in (b"{", b"[]", b'"x"', b"{}", b'{"type":"telemetry","values":3}'):
                await sync_to_async(broker.connection().publish)(LIVE_CHANNEL, octets)
            await sync_to_async(live.publish)({"type": "refresh", "part": "now"})
            assert json.loads(await socket.receive_from())["part"] == "now"

    async def test_the_beat_carries_the_clock(self, cookie_of, monkeypatch):
        monkeypatch.setattr(hub, "BEAT_EVERY_S", 0.2)
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            beat = json.loads(await socket.receive_from())
            assert beat["type"] == "beat"
            assert beat["mission_at"].startswith("2026-12-01T12:00:")
            assert (beat["factor"], beat["frozen"]) == (30.0, False)

    async def test_a_new_factor_reaches_the_pages(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            browser = Client(headers={"cookie": f"{settings.SESSION_COOKIE_NAME}={key}"})
            await sync_to_async(browser.post)("/clock/", {"factor": "5"})
            message = json.loads(await socket.receive_from())
            assert (message["type"], message["factor"]) == ("clock", 5.0)


class TestAwayBroker:
    async def test_costs_no_console_its_socket(self, cookie_of):
        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        async with console(key) as socket:
            await live_console(socket)
            # Cutting the connection is what a restarted broker looks like from here.
            await sync_to_async(broker.connection().client_kill_filter)(_type="pubsub")
            assert json.loads(await socket.receive_from(timeout=5))["part"] == "all"
            await sync_to_async(live.publish)({"type": "refresh", "part": "now"})
            assert json.loads(await socket.receive_from())["part"] == "now"

    async def test_is_tried_again_with_growing_pauses(self, cookie_of, monkeypatch):
        pauses = []
        sleep = asyncio.sleep

        async def noted(seconds):
            pauses.append(seconds)
            await sleep(0.01)

        key = await sync_to_async(cookie_of)("alice", Role.OPERATOR)
        monkeypatch.setattr(settings, "REDIS_URL", "unix:///nowhere/broker.sock")
        monkeypatch.setattr(hub, "FLUSH_EVERY_S", 60.0)
        monkeypatch.setattr(hub, "WATCH_EVERY_S", 60.0)
        monkeypatch.setattr(hub, "BEAT_EVERY_S", 60.0)
        monkeypatch.setattr(hub.asyncio, "sleep", noted)
        async with console(key) as socket:
            await asyncio.wait_for(_until(lambda: len(_tries(pauses)) >= 7, sleep), 5)
            assert _tries(pauses)[:7] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
            assert not any(event["type"] == "websocket.close" for event in _queued(socket))


def _tries(pauses):
    return [pause for pause in pauses if 0.2 <= pause <= 5.0]


def _queued(socket):
    return list(socket.output_queue._queue)


async def _until(condition, sleep):
    while not condition():
        await sleep(0.01)
