"""Server-sent events over a real web process."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time

import httpx
import pytest
from asgiref.sync import sync_to_async

from tests.integration.missioncontrol.events.served import bearer
from tests.integration.missioncontrol.events.streams import event_stream, take


class TestStream:
    async def test_begins_after_a_number_and_goes_on_with_what_comes(self, product, member, mine):
        product.do("append", count=3, action=f"{mine}.write")
        begin = product.do("publish") - 3
        async with event_stream(product, member, after=begin - 1, types=f"{mine}.*") as (
            response,
            messages,
        ):
            assert response.headers["Content-Type"] == "text/event-stream"
            assert "no-transform" in response.headers["Cache-Control"]
            old = await take(messages, 3)
            product.do("append", count=2, action=f"{mine}.write", first=3)
            product.do("publish")
            new = await take(messages, 2)
        numbers = [int(each.id) for each in old + new]
        assert numbers == list(range(begin, begin + 5))
        assert {each.event for each in old + new} == {f"{mine}.write"}
        assert old[0].content == {
            "id": begin,
            "type": f"{mine}.write",
            "timestamp": "2026-12-01T00:00:00.000000Z",
            "data": {
                "subject": "test:0",
                "actor": "process:test",
                "organisation": "",
                "details": {"number": 0},
            },
        }
        details = [each.content["data"]["details"]["number"] for each in old + new]
        assert details == [0, 1, 2, 3, 4]

    async def test_begins_with_what_comes_where_no_number_is_given(self, product, member, mine):
        product.do("append", count=3, action=f"{mine}.write")
        product.do("publish")
        async with event_stream(product, member, types=f"{mine}.*") as (_, messages):
            assert (await anext(messages)).data == []  # its first word: how soon to come back
            await asyncio.sleep(0.5)
            product.do("append", count=1, action=f"{mine}.write", first=3)
            product.do("publish")
            [new] = await take(messages, 1)
            assert new.content["data"]["details"] == {"number": 3}

    async def test_goes_on_after_the_last_event_id_whatever_the_address_says(
        self, product, member, mine
    ):
        product.do("append", count=3, action=f"{mine}.write")
        begin = product.do("publish") - 3
        async with event_stream(
            product, member, after=begin - 1, types=f"{mine}.*", last_event_id=begin + 1
        ) as (_, messages):
            [only] = await take(messages, 1)
            assert int(only.id) == begin + 2

    async def test_tells_of_one_organisation_if_asked(self, product, member, mine):
        for organisation in ("lab", "other", "lab"):
            product.do("append", count=1, action=f"{mine}.write", organisation=organisation)
        product.do("publish")
        async with event_stream(
            product, member, after=-1, types=f"{mine}.*", organisation="lab"
        ) as (_, messages):
            two = await take(messages, 2)
            assert {each.content["data"]["organisation"] for each in two} == {"lab"}

    async def test_is_heard_only_once_it_is_published(self, product, member, mine):
        async with event_stream(product, member, after=-1, types=f"{mine}.*") as (_, messages):
            product.do("append", count=1, action=f"{mine}.write")
            waiting = asyncio.create_task(take(messages, 1))
            await asyncio.sleep(1.2)
            assert not waiting.done()
            product.do("publish")
            assert len(await waiting) == 1


class TestRights:
    def test_take_a_token(self, product):
        answer = httpx.get(f"{product.address}/api/v1/events")
        assert answer.status_code == 401

    def test_take_the_scope(self, product, mine):
        secret = product.do(
            "account",
            username=f"narrow-{mine}",
            organisation="lab",
            roles=["payload_member"],
            scopes=["job.view"],
        )
        for accept in ("text/event-stream", "application/json"):
            answer = httpx.get(
                f"{product.address}/api/v1/events", headers={**bearer(secret), "Accept": accept}
            )
            assert answer.status_code == 403
            assert "none of them" in answer.json()["detail"]

    @pytest.mark.parametrize("end", ["revoke", "close", "take_roles", "expire"])
    async def test_end_the_stream_within_two_seconds_when_they_end(self, product, mine, end):
        username = f"ending-{mine}"
        secret = product.do(
            "account",
            username=username,
            organisation="lab",
            roles=["payload_member"],
            lifetime_s=3 if end == "expire" else 86400,
        )
        async with event_stream(product, secret, types=f"{mine}.*") as (response, messages):
            assert response.status_code == 200
            await anext(messages)
            begun = time.monotonic()
            if end == "revoke":
                product.do("revoke", prefix=secret.split("_")[1])
            elif end != "expire":
                product.do(end, username=username)
            said = [comment async for each in messages for comment in each.comments]
            took_s = time.monotonic() - begun
        assert took_s < (2 if end != "expire" else 5)
        assert "over" in said[-1] or "No role or scope" in said[-1]

    async def test_of_others_do_not_end_it(self, product, member, mine):
        other = product.do(
            "account", username=f"other-{mine}", organisation="lab", roles=["payload_member"]
        )
        async with event_stream(product, member, types=f"{mine}.*") as (_, messages):
            await anext(messages)
            product.do("revoke", prefix=other.split("_")[1])
            await asyncio.sleep(1.5)
            product.do("append", count=1, action=f"{mine}.write")
            product.do("publish")
            assert len(await take(messages, 1)) == 1


class TestRefusal:
    @pytest.mark.parametrize(
        ("query", "field", "allowed"),
        [
            ({"types": "job"}, "query.types", "no event type"),
            ({"after": 10**9}, "query.after", "none has this one"),
            ({"after": -2}, "query.after", "greater than or equal to -1"),
            ({"typse": "job.*"}, "query.typse", "not permitted"),
            ({"wait": 61}, "query.wait", "less than or equal to 60"),
        ],
    )
    def test_names_the_field(self, product, member, query, field, allowed):
        answer = httpx.get(
            f"{product.address}/api/v1/events",
            params=query,
            headers={**bearer(member), "Accept": "text/event-stream"},
        )
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error["field"] == field
        assert allowed in error["allowed"]

    def test_names_the_header(self, product, member):
        headers = {**bearer(member), "Last-Event-ID": str(10**9)}
        answer = httpx.get(f"{product.address}/api/v1/events", headers=headers)
        assert answer.json()["errors"][0]["field"] == "header.Last-Event-ID"


class TestResuming:
    async def test_after_the_server_was_killed_in_the_middle_loses_and_doubles_nothing(
        self, product, member, mine
    ):
        """The client does what EventSource does: it connects again with the last id it has."""
        total, kills, got = 300, 5, []
        product.do("publish")
        begin = last = product.do("publish") - 1
        writing = asyncio.create_task(_write(product, mine, total))
        rounds = 0
        while len(got) < total:
            try:
                async with event_stream(
                    product, member, last_event_id=last, types=f"{mine}.*"
                ) as (response, messages):
                    assert response.status_code == 200, await response.aread()
                    async for message in messages:
                        if message.data:
                            got.append(message.content["data"]["details"]["number"])
                            last = int(message.id)
                        if len(got) > rounds * total // kills and rounds < kills:
                            rounds += 1
                            await sync_to_async(product.kill)()
                        if len(got) >= total:
                            break
            except httpx.TransportError:
                await sync_to_async(product.start)()
        await writing
        assert rounds == kills
        assert got == list(range(total))
        assert last > begin


async def _write(product, mine, total):
    for first in range(0, total, 10):
        await sync_to_async(product.do)("append", count=10, action=f"{mine}.write", first=first)
        await sync_to_async(product.do)("publish")
        await asyncio.sleep(0.05)


class TestManyClients:
    async def test_all_hear_everything_once_and_in_order(self, product, member, mine):
        clients, events = 200, 50
        begin = product.do("publish")
        listening = [
            asyncio.create_task(_listen(product, member, begin - 1, mine, events))
            for _ in range(clients)
        ]
        await asyncio.sleep(3)
        for first in range(0, events, 10):
            product.do("append", count=10, action=f"{mine}.write", first=first)
            product.do("publish")
        heard = await asyncio.gather(*listening)
        assert heard == [list(range(events))] * clients


async def _listen(product, secret, after, mine, count):
    async with event_stream(product, secret, after=after, types=f"{mine}.*") as (answer, messages):
        assert answer.status_code == 200
        return [each.content["data"]["details"]["number"] for each in await take(messages, count)]


class TestRoom:
    async def test_is_limited_for_each_account(self, product, member, mine):
        """One of 250 more than that is answered before it opens."""
        open_sockets = []
        try:
            for _ in range(250):
                open_sockets.append(await sync_to_async(_open)(product, member))
            answer = httpx.get(
                f"{product.address}/api/v1/events",
                headers={**bearer(member), "Accept": "text/event-stream"},
            )
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "5"
            assert "250 of them yours" in answer.json()["detail"]
            other = product.do(
                "account", username=f"room-{mine}", organisation="lab", roles=["payload_member"]
            )
            async with event_stream(product, other) as (response, _):
                assert response.status_code == 200
        finally:
            for each in open_sockets:
                each.close()
        for _ in range(50):
            async with event_stream(product, member) as (response, _):
                if response.status_code == 200:
                    return
            await asyncio.sleep(0.1)
        pytest.fail("the streams that were closed still take room")


def _open(product, secret):
    """Open a stream by hand and wait until it has begun."""
    line = socket.create_connection(("127.0.0.1", product.port), timeout=10)
    line.sendall(
        b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
        b"Authorization: Bearer %s\r\n\r\n" % secret.encode()
    )
    while b"retry:" not in line.recv(4096):
        pass
    return line


class Api:
    """Requests with one token."""

    def __init__(self, product, secret):
        self._address = f"{product.address}/api/v1"
        self._headers = bearer(secret)

    def get(self, path, params=None):
        return httpx.get(self._address + path, params=params, headers=self._headers, timeout=30)


class TestPages:
    def test_give_what_there_is_and_where_to_go_on(self, product, member, mine):
        product.do("append", count=5, action=f"{mine}.write")
        product.do("append", count=5, action="test.noise")
        end = product.do("publish")
        api = Api(product, member)
        first = api.get("/events", params={"after": -1, "types": f"{mine}.*", "limit": 3}).json()
        second = api.get("/events", params={"after": first["after"], "types": f"{mine}.*"}).json()
        numbers = [item["data"]["details"]["number"] for item in first["items"] + second["items"]]
        assert numbers == [0, 1, 2, 3, 4]
        assert second["after"] == end - 1  # past what was no match, too
        bookmark = api.get("/events").json()
        assert bookmark == {"items": [], "after": end - 1}

    def test_wait_for_the_first_event(self, product, member, mine):
        api = Api(product, member)
        after = api.get("/events").json()["after"]
        begun = time.monotonic()
        nothing = api.get("/events", params={"after": after, "types": f"{mine}.*", "wait": 1})
        assert nothing.json() == {"items": [], "after": after}
        assert 1 <= time.monotonic() - begun < 3
        product.do("append", count=2, action=f"{mine}.write")
        timer = threading.Timer(1.0, lambda: product.do("publish"))
        timer.start()
        begun = time.monotonic()
        answer = api.get("/events", params={"after": after, "types": f"{mine}.*", "wait": 30})
        timer.join()
        assert 0.5 < time.monotonic() - begun < 5
        assert [item["data"]["details"]["number"] for item in answer.json()["items"]] == [0, 1]

    def test_are_what_the_description_says(self, product, member, mine):
        product.do("append", count=1, action=f"{mine}.write")
        product.do("publish")
        answer = httpx.get(
            f"{product.address}/api/v1/events",
            params={"after": -1, "types": f"{mine}.*"},
            headers=bearer(member),
        )
        assert answer.headers["Content-Type"] == "application/json"
        document = json.loads(answer.text)
        assert set(document) == {"items", "after"}
        assert set(document["items"][0]) == {"id", "type", "timestamp", "data"}
