"""Live values over a real web process."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.integration.missioncontrol.events.served import bearer
from tests.integration.missioncontrol.events.streams import event_stream, take

pytestmark = pytest.mark.xdist_group("served")
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


def value(volts, second):
    return {"v": volts, "s": "normal", "t": f"2026-12-01T12:00:{second:02}.000Z"}


class TestStream:
    async def test_begins_with_the_newest_values_and_goes_on_with_what_is_new(
        self, flying, operator
    ):
        async with event_stream(flying, operator, PATH, parameter="PWR_BATT_V") as (_, messages):
            [begin] = await take(messages, 1)
            flying.do("tell_values", spacecraft="DD-1", values={"PWR_BATT_V": value(52.0, 1)})
            [new] = await take(messages, 1)
        assert begin.event == "snapshot"
        assert begin.content == {
            "spacecraft": "DD-1",
            "missed": False,
            "values": {"PWR_BATT_V": {"value": None, "state": "off", "generated_at": None}},
        }
        assert new.event == "values"
        assert new.content == {
            "spacecraft": "DD-1",
            "values": {
                "PWR_BATT_V": {
                    "value": 52.0,
                    "state": "normal",
                    "generated_at": "2026-12-01T12:00:01.000Z",
                }
            },
        }
        assert begin.id != new.id

    async def test_has_all_parameters_where_none_is_named(self, flying, operator):
        known = httpx.get(
            f"{flying.address}/api/v1/spacecraft/DD-1/telemetry/latest", headers=bearer(operator)
        ).json()["items"]
        async with event_stream(flying, operator, PATH) as (_, messages):
            [begin] = await take(messages, 1)
        assert list(begin.content["values"]) == [item["name"] for item in known]

    async def test_has_the_last_of_several_values_and_none_of_others(self, flying, operator):
        async with event_stream(flying, operator, PATH, parameter="PWR_BATT_V") as (_, messages):
            await take(messages, 1)
            for spacecraft, name, volts, second in (
                ("DD-1", "PWR_BATT_V", 50.0, 1),
                ("DD-1", "PWR_BATT_V", 52.0, 3),
                ("DD-1", "PWR_BATT_V", 51.0, 2),
                ("DD-1", "PWR_MODE", 1, 9),
                ("DD-2", "PWR_BATT_V", 1.0, 9),
            ):
                flying.do(
                    "tell_values", spacecraft=spacecraft, values={name: value(volts, second)}
                )
            await asyncio.sleep(0.5)
            flying.do("tell_values", spacecraft="DD-1", values={"PWR_BATT_V": value(53.0, 5)})
            seen = []
            while 53.0 not in seen:
                [new] = await take(messages, 1)
                assert set(new.content["values"]) == {"PWR_BATT_V"}
                seen.append(new.content["values"]["PWR_BATT_V"]["value"])
        assert seen[-2:] == [52.0, 53.0]
        assert len(seen) <= 4

    async def test_says_whether_values_came_since_the_last_id(self, flying, operator):
        async with event_stream(flying, operator, PATH, parameter="PWR_BATT_V") as (_, watching):
            [begin] = await take(watching, 1)
            async with event_stream(
                flying, operator, PATH, parameter="PWR_BATT_V", last_event_id=begin.id
            ) as (_, again):
                assert (await take(again, 1))[0].content["missed"] is False
            flying.do("tell_values", spacecraft="DD-1", values={"PWR_BATT_V": value(1.0, 1)})
            await take(watching, 1)
            async with event_stream(
                flying, operator, PATH, parameter="PWR_BATT_V", last_event_id=begin.id
            ) as (_, later):
                assert (await take(later, 1))[0].content["missed"] is True

    async def test_begins_anew_when_the_broker_was_away(self, flying, operator):
        async with event_stream(flying, operator, PATH, parameter="PWR_BATT_V") as (_, messages):
            await take(messages, 1)
            flying.do("cut_subscriptions")
            [anew] = await take(messages, 1)
            assert (anew.event, anew.content["missed"]) == ("snapshot", True)
            flying.do("tell_values", spacecraft="DD-1", values={"PWR_BATT_V": value(2.0, 1)})
            [new] = await take(messages, 1)
            assert new.content["values"]["PWR_BATT_V"]["value"] == 2.0


class TestRights:
    async def test_take_a_role_with_who_operates_the_spacecraft(self, flying, member):
        async with event_stream(flying, member, PATH) as (response, _):
            assert response.status_code == 403

    async def test_end_the_stream_with_them(self, flying, operator, mine):
        async with event_stream(flying, operator, PATH, parameter="PWR_BATT_V") as (_, messages):
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
