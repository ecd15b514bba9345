"""The websockets of telemetry: the real application and a real broker."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Role, actions_of
from missioncontrol.accounts.services import create_token
from missioncontrol.asgi import application
from missioncontrol.kernel import clock
from missioncontrol.pipelines.demo import seed_mission
from telemetry.services import TelemetryReception
from tests import factories
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import power, received

pytestmark = pytest.mark.django_db(transaction=True)
LIVE, REPLAY = "live", "replay"


@pytest.fixture
def dd9(settings, tmp_path, transactional_db):
    """A spacecraft of the operator with 30 packets, one a second."""
    settings.ARCHIVE_DIR = tmp_path / "archive"
    seed_mission(at=craft.AT)
    operating = Organisation.objects.get(slug="operator")
    made = craft.spacecraft("DD-9", ccsds_id=0x55, organisation=operating)
    receive(made, *[power(second, 10 + second) for second in range(30)])
    return made


@pytest.fixture
def token(dd9) -> str:
    return secret_of("alice", "operator", Role.OPERATOR)


def secret_of(name: str, slug: str, role: Role) -> str:
    organisation = Organisation.objects.get(slug=slug)
    person = factories.operator(name, role, member_of=organisation)
    _, secret = create_token(
        operator=person,
        organisation=organisation,
        name="test",
        at=craft.AT,
        wall_at=clock.wall_now(),
        scopes=actions_of([role]),
    )
    return secret


def receive(spacecraft, *packets: bytes) -> None:
    with TelemetryReception(spacecraft) as reception:
        reception.receive_packets(received(*packets))
        reception.settle()


class Line(ApplicationCommunicator):
    async def next(self, within_s: float = 5) -> dict:
        event = await self.receive_output(timeout=within_s)
        assert event["type"] == "websocket.send", event
        return json.loads(event["text"])

    async def say(self, **message) -> None:
        await self.send_input({"type": "websocket.receive", "text": json.dumps(message)})

    async def close_code(self, within_s: float = 5) -> int:
        while (event := await self.receive_output(timeout=within_s))["type"] != "websocket.close":
            pass
        return event["code"]


@asynccontextmanager
async def line(kind: str, secret: str, *, craft_name: str = "DD-9", query: str = ""):
    """An open socket, shown a token."""
    socket = Line(
        application,
        {
            "type": "websocket",
            "path": f"/api/v1/spacecraft/{craft_name}/telemetry/{kind}",
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {secret}".encode())] if secret else [],
            "subprotocols": [],
        },
    )
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(timeout=5))["type"] == "websocket.accept"
    try:
        yield socket
    finally:
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(timeout=5)


class TestLive:
    async def test_begins_with_the_newest_values_and_goes_on_with_those_that_come(
        self, dd9, token
    ):
        async with line(LIVE, token) as socket:
            first = await socket.next()
            assert first["values"]["VOLT"]["v"] == 39
            await sync_to_async(receive)(dd9, power(31, 12))
            following = await socket.next()
            assert following["values"]["VOLT"] == {
                "v": 12,
                "s": "caution",
                "t": "2026-12-01T12:00:31.000Z",
            }
            assert following["position"] > first["position"]

    async def test_sends_only_what_was_subscribed_to(self, dd9, token):
        async with line(LIVE, token) as socket:
            await socket.next()
            await socket.say(parameters=["VO*", "MODE"])
            assert set((await socket.next())["values"]) == {"VOLT", "MODE"}
            await sync_to_async(receive)(dd9, power(31, 12))
            assert set((await socket.next())["values"]) == {"VOLT", "MODE"}

    async def test_resumes_with_every_sample_since_a_position(self, dd9, token):
        async with line(LIVE, token) as socket:
            position = (await socket.next())["position"]
        missed = [power(second, second) for second in range(40, 60)]
        await sync_to_async(receive)(dd9, *missed)
        async with line(LIVE, token) as socket:
            await socket.next()
            await socket.say(parameters=["VOLT"], position=position)
            past = await socket.next()
            assert past["samples"]["VOLT"]["v"] == list(range(40, 60))
            await sync_to_async(receive)(dd9, power(61, 22))
            assert (await socket.next())["values"]["VOLT"]["v"] == 22

    async def test_says_what_it_did_not_understand(self, dd9, token):
        async with line(LIVE, token) as socket:
            await socket.next()
            await socket.say(parameter="VOLT")
            assert "'parameters'" in (await socket.next())["error"]
            assert await socket.close_code() == 4422

    async def test_lets_nobody_in_without_a_token(self, dd9):
        async with line(LIVE, "") as socket:
            assert await socket.close_code() == 4401

    async def test_shows_a_member_nothing_of_the_operators_spacecraft(self, dd9):
        secret = await sync_to_async(secret_of)("carol", "ai-laboratory-1", Role.PAYLOAD_MEMBER)
        async with line(LIVE, secret) as socket:
            assert await socket.close_code() == 4403

    async def test_knows_only_spacecraft_that_there_are(self, dd9, token):
        async with line(LIVE, token, craft_name="DD-77") as socket:
            assert await socket.close_code() == 4404


class TestReplay:
    SPAN = "start=2026-12-01T12:00:10Z&end=2026-12-01T12:00:20Z"

    async def test_plays_a_span_marked_as_replay_and_ends(self, dd9, token):
        async with line(REPLAY, token, query=f"{self.SPAN}&speed=50") as socket:
            volts = []
            while True:
                message = await socket.next()
                assert message["replay"] is True
                if not message["values"]:
                    break
                volts.append(message["values"]["VOLT"]["v"])
            assert message["at"] == "2026-12-01T12:00:20Z"
            assert volts == sorted(volts)
            assert (volts[0] >= 20, volts[-1]) == (True, 29)
            assert await socket.close_code() == 1000

    async def test_nothing_live_comes_over_it(self, dd9, token):
        async with line(REPLAY, token, query=f"{self.SPAN}&speed=0") as socket:
            await sync_to_async(receive)(dd9, power(31, 12))
            assert await socket.receive_nothing(timeout=0.5)

    async def test_goes_on_at_another_speed(self, dd9, token):
        async with line(REPLAY, token, query=f"{self.SPAN}&speed=0") as socket:
            assert await socket.receive_nothing(timeout=0.3)
            await socket.say(speed=1000)
            assert (await socket.next())["values"]["VOLT"]["v"] == 29

    async def test_needs_a_span(self, dd9, token):
        async with line(REPLAY, token, query="start=2026-12-01T12:00:10Z") as socket:
            assert "end" in (await socket.next())["error"]
            assert await socket.close_code() == 4422
