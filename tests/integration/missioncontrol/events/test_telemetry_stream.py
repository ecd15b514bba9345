"""Live values over a real web process."""

from __future__ import annotations

import asyncio
from itertools import count

import httpx
import pytest

from tests.integration.missioncontrol.events.served import bearer
from tests.integration.missioncontrol.events.streams import event_stream, take

PATH = "/spacecraft/DD-1/telemetry/stream"


@pytest.fixture(scope="module")
def flying(product):
    product.do("mission")
    return product


@pytest.fixture
def operator(flying, mine):
    return flying.do(
        "account", username=f"operator-{mine}", organisation="operator", roles=["operator"]
    )


BATTERY = "PWR_BATT_V"
_seconds = count(1)


def receive(product, volts):
    """Let DD-1 be heard once more; return when, as messages say it."""
    second = next(_seconds)
    product.do("receive", second=second, values={BATTERY: volts})
    return f"2026-12-01T00:{second // 60:02}:{second % 60:02}.000Z"


def volts_of(message):
    assert set(message.content) == {BATTERY}
    return pytest.approx(message.content[BATTERY]["v"], abs=0.01)


class TestStream:
    async def test_begins_with_the_newest_values_and_goes_on_with_what_is_new(
        self, flying, operator
    ):
        receive(flying, 50.0)
        async with event_stream(flying, operator, PATH, parameter=BATTERY) as (_, messages):
            [begin] = await take(messages, 1)
            at = receive(flying, 52.0)
            [new] = await take(messages, 1)
        assert (begin.event, new.event) == ("snapshot", "values")
        assert volts_of(begin) == 50.0
        assert volts_of(new) == 52.0
        assert (new.content[BATTERY]["s"], new.content[BATTERY]["t"]) == ("normal", at)
        assert int(begin.id) < int(new.id)

    async def test_has_all_parameters_where_none_is_named(self, flying, operator):
        receive(flying, 50.0)
        known = httpx.get(
            f"{flying.address}/api/v1/spacecraft/DD-1/telemetry/latest", headers=bearer(operator)
        ).json()["items"]
        async with event_stream(flying, operator, PATH) as (_, messages):
            [begin] = await take(messages, 1)
        assert set(begin.content) == {
            item["name"] for item in known if item["generated_at"] is not None
        }

    async def test_has_the_last_of_several_values_within_a_moment(self, flying, operator):
        async with event_stream(flying, operator, PATH, parameter=BATTERY) as (_, messages):
            await take(messages, 1)
            for volts in (50.0, 51.0, 52.0):
                receive(flying, volts)
            seen = []
            while not seen or seen[-1] != 52.0:
                [new] = await take(messages, 1)
                seen.append(volts_of(new))
        assert len(seen) <= 3

    async def test_tells_all_that_was_archived_since_the_last_id(self, flying, operator):
        async with event_stream(flying, operator, PATH, parameter=BATTERY) as (_, messages):
            [begin] = await take(messages, 1)
        at = [receive(flying, volts) for volts in (50.0, 51.0, 52.0)]
        async with event_stream(
            flying, operator, PATH, parameter=BATTERY, last_event_id=begin.id
        ) as (_, messages):
            told = {"t": [], "v": []}
            while len(told["t"]) < len(at):
                [part] = await take(messages, 1)
                assert part.event == "samples"
                for name in told:
                    told[name] += part.content[BATTERY][name]
            receive(flying, 53.0)
            [new] = await take(messages, 1)
        assert told["t"] == at
        assert told["v"] == pytest.approx([50.0, 51.0, 52.0], abs=0.01)
        assert (new.event, volts_of(new)) == ("values", 53.0)

    async def test_begins_again_after_an_id_that_was_never_given(self, flying, operator):
        receive(flying, 50.0)
        async with event_stream(
            flying, operator, PATH, parameter=BATTERY, last_event_id=10**12
        ) as (_, messages):
            [begin] = await take(messages, 1)
        assert (begin.event, volts_of(begin)) == ("snapshot", 50.0)

    async def test_misses_nothing_while_the_broker_is_away(self, flying, operator):
        async with event_stream(flying, operator, PATH, parameter=BATTERY) as (_, messages):
            await take(messages, 1)
            flying.do("cut_subscriptions")
            at = receive(flying, 50.5)
            seen = []
            while at not in seen:
                [part] = await take(messages, 1)
                times = part.content.get(BATTERY, {}).get("t", [])
                seen += [times] if isinstance(times, str) else times


class TestRights:
    async def test_take_a_role_with_who_operates_the_spacecraft(self, flying, member):
        async with event_stream(flying, member, PATH) as (response, _):
            assert response.status_code == 403

    async def test_end_the_stream_with_them(self, flying, operator, mine):
        async with event_stream(flying, operator, PATH, parameter=BATTERY) as (_, messages):
            await take(messages, 1)
            flying.do("take_roles", username=f"operator-{mine}")
            async with asyncio.timeout(2):
                said = [comment async for each in messages for comment in each.comments]
        assert "No role or scope" in said[-1]


class TestRefusal:
    async def test_names_an_unknown_parameter(self, flying, operator):
        async with event_stream(flying, operator, PATH, parameter="NO_SUCH") as (response, _):
            assert response.status_code == 422
            await response.aread()
            assert response.json()["errors"][0]["field"] == "query.parameter"

    async def test_knows_no_other_spacecraft(self, flying, operator):
        path = "/spacecraft/DD-9/telemetry/stream"
        async with event_stream(flying, operator, path) as (response, _):
            assert response.status_code == 404
