"""The websocket of events, over a real web process."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlencode

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.integration.missioncontrol.events.served import bearer


async def ticket(product, secret):
    async with httpx.AsyncClient(verify=False, timeout=60) as client:
        answer = await client.post(f"{product.address}/api/v1/tickets", headers=bearer(secret))
    assert answer.status_code == 200, answer.text
    assert answer.json()["expires_in_s"] == 30
    return answer.json()["ticket"]


@asynccontextmanager
async def socket(product, secret="", *, origin=None, **query):
    if "ticket" not in query:
        query["ticket"] = await ticket(product, secret)
    address = f"ws://127.0.0.1:{product.port}/ws/events/?{urlencode(query)}"
    async with connect(address, origin=origin, open_timeout=60) as line:
        yield line


async def close_of(line):
    """Return code and reason of the end; what comes before is passed over."""
    with suppress(ConnectionClosedError):
        async with asyncio.timeout(5):
            async for _ in line:
                pass
    await line.wait_closed()
    return line.close_code, line.close_reason


class TestSocket:
    async def test_carries_one_event_in_each_message(self, product, member, mine):
        product.do("append", count=2, action=f"{mine}.write")
        begin = product.do("publish") - 2
        async with socket(product, member, after=begin - 1, types=f"{mine}.*") as line:
            events = [json.loads(await line.recv()) for _ in range(2)]
            product.do("append", count=1, action=f"{mine}.write", first=2)
            product.do("publish")
            events.append(json.loads(await line.recv()))
        assert [each["id"] for each in events] == [begin, begin + 1, begin + 2]
        assert {each["type"] for each in events} == {f"{mine}.write"}

    async def test_says_the_same_as_a_page(self, product, member, mine):
        product.do("append", count=1, action=f"{mine}.write", organisation="lab")
        product.do("publish")
        page = httpx.get(
            f"{product.address}/api/v1/events",
            params={"after": -1, "types": f"{mine}.*"},
            headers=bearer(member),
        ).json()
        async with socket(product, member, after=-1, types=f"{mine}.*") as line:
            assert json.loads(await line.recv()) == page["items"][0]

    async def test_ignores_what_the_other_end_sends(self, product, member, mine):
        async with socket(product, member, types=f"{mine}.*") as line:
            await line.send("rm -rf /")
            await asyncio.sleep(0.3)
            product.do("append", count=1, action=f"{mine}.write")
            product.do("publish")
            assert json.loads(await line.recv())["type"] == f"{mine}.write"


class TestTicket:
    async def test_opens_one_socket_only(self, product, member):
        once = await ticket(product, member)
        async with socket(product, ticket=once):
            pass
        async with socket(product, ticket=once) as line:
            assert await close_of(line) == (
                4401,
                "This ticket is unknown, used or older than half a minute. Ask for a new one.",
            )

    @pytest.mark.parametrize("shown", ["", "guessed"])
    async def test_cannot_be_done_without(self, product, shown):
        async with socket(product, ticket=shown) as line:
            assert (await close_of(line))[0] == 4401

    async def test_is_of_no_use_without_the_right(self, product, mine):
        username = f"lost-{mine}"
        secret = product.do(
            "account", username=username, organisation="lab", roles=["payload_member"]
        )
        early = await ticket(product, secret)
        product.do("take_roles", username=username)
        async with socket(product, ticket=early) as line:
            assert (await close_of(line))[0] == 4403

    def test_takes_a_token(self, product):
        assert httpx.post(f"{product.address}/api/v1/tickets").status_code == 401


class TestOrigin:
    async def test_of_another_site_is_refused(self, product, member):
        with pytest.raises(InvalidStatus) as caught:
            async with socket(product, member, origin="https://elsewhere.example"):
                pass
        assert caught.value.response.status_code == 403

    @pytest.mark.parametrize("origin", ["null", "file://", "https://127.0.0.1.elsewhere.example"])
    async def test_that_pretends_is_refused(self, product, member, origin):
        with pytest.raises(InvalidStatus):
            async with socket(product, member, origin=origin):
                pass

    async def test_of_our_own_pages_is_fine_and_so_is_none(self, product, member, mine):
        for origin in (f"http://127.0.0.1:{product.port}", None):
            async with socket(product, member, origin=origin, after=-1) as line:
                assert json.loads(await line.recv())["id"] == 0


class TestEnd:
    @pytest.mark.parametrize(
        ("end", "code"), [("revoke", 4401), ("close", 4401), ("take_roles", 4403)]
    )
    async def test_comes_within_two_seconds_when_the_right_ends(self, product, mine, end, code):
        username = f"socket-{mine}"
        secret = product.do(
            "account", username=username, organisation="lab", roles=["payload_member"]
        )
        async with socket(product, secret, types=f"{mine}.*") as line:
            await asyncio.sleep(0.2)
            begun = time.monotonic()
            if end == "revoke":
                product.do("revoke", prefix=secret.split("_")[1])
            else:
                product.do(end, username=username)
            assert (await close_of(line))[0] == code
            assert time.monotonic() - begun < 2

    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ({"types": "job"}, "query.types: 'job' is no event type"),
            ({"after": "x"}, "query.after: "),
            ({"after": 10**9}, "query.after: the number of an event"),
            ({"typse": "job.*"}, "query.typse: Extra inputs are not permitted"),
        ],
    )
    async def test_says_what_is_wrong_with_the_address(self, product, member, query, reason):
        async with socket(product, member, **query) as line:
            code, said = await close_of(line)
        assert code == 4422
        assert said.startswith(reason)


class TestManyClients:
    async def test_all_hear_everything_once_and_in_order(self, product, member, mine):
        clients, events = 200, 50
        begin = product.do("publish")
        door = asyncio.Semaphore(20)
        listening = [
            asyncio.create_task(_listen(door, product, member, begin - 1, mine, events))
            for _ in range(clients)
        ]
        await asyncio.sleep(2)
        for first in range(0, events, 10):
            product.do("append", count=10, action=f"{mine}.write", first=first)
            product.do("publish")
        heard = await asyncio.gather(*listening)
        assert heard == [list(range(events))] * clients


async def _listen(door, product, secret, after, mine, count):
    async with AsyncExitStack() as stack:
        async with door:
            opening = socket(product, secret, after=after, types=f"{mine}.*")
            line = await stack.enter_async_context(opening)
        return [json.loads(await line.recv())["data"]["details"]["number"] for _ in range(count)]
