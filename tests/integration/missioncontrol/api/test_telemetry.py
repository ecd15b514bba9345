from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest

from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket
from telemetry.services import ingest_packet_file
from tests.integration.missioncontrol.api.conftest import AT, assert_problem, assert_wrong_field

CUC_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
VOLTS = [50.0, 51.5, 53.0, 49.25]


def power_packet(at: datetime, count: int, battery_v: float) -> bytes:
    """Return housekeeping of the power subsystem, as dd1.xtce.xml describes it."""
    battery = round(battery_v * 1000)
    fields = [3000, 40_000, 5000, battery, 100, 45_000, 24_000, 28_000, 1000, 2000, 1500, 7]
    data = struct.pack(">IHB12H", int((at - CUC_EPOCH).total_seconds()), 0, 0, *fields)
    return SpacePacket(
        packet_type=TELEMETRY, apid=100, sequence_count=count, has_secondary_header=True, data=data
    ).encode()


@pytest.fixture
def received(dd1):
    """Four packets, a minute apart; the last is of noon."""
    first = AT - timedelta(minutes=len(VOLTS) - 1)
    octets = b"".join(
        power_packet(first + timedelta(minutes=index), index, volts)
        for index, volts in enumerate(VOLTS)
    )
    report = ingest_packet_file(
        spacecraft=dd1, octets=octets, name="test", actor="process:test", at=AT
    )
    assert (report.packets, report.bad) == (4, 0)


class TestLatest:
    def test_gives_the_newest_value(self, operator, received):
        answer = operator.get("/spacecraft/DD-1/telemetry/latest", {"parameter": "PWR_BATT_V"})
        assert answer.json() == {
            "spacecraft": "DD-1",
            "items": [
                {
                    "name": "PWR_BATT_V",
                    "subsystem": "Power",
                    "description": "Battery voltage",
                    "unit": "V",
                    "value": 49.25,
                    "raw": 49250,
                    "state": "normal",
                    "generated_at": "2026-12-01T12:00:00Z",
                }
            ],
            "next": None,
        }

    def test_gives_several_in_the_order_asked(self, operator, received):
        asked = {"parameter": ["PWR_MODE", "PWR_BATT_V"]}
        items = operator.get("/spacecraft/DD-1/telemetry/latest", asked).json()["items"]
        assert [(item["name"], item["value"]) for item in items] == [
            ("PWR_MODE", "SUNLIT"),
            ("PWR_BATT_V", 49.25),
        ]

    def test_gives_all_and_null_where_nothing_came_yet(self, operator):
        items = operator.get("/spacecraft/DD-1/telemetry/latest").json()["items"]
        assert len(items) > 50
        assert {(item["value"], item["state"]) for item in items} == {(None, "off")}

    def test_comes_in_pages(self, operator):
        path = "/spacecraft/DD-1/telemetry/latest"
        names, cursor = [], None
        while True:
            asked = {"limit": 30} | ({"cursor": cursor} if cursor else {})
            page = operator.get(path, asked).json()
            names += [item["name"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert names == [item["name"] for item in operator.get(path).json()["items"]]
        assert_wrong_field(operator.get(path, {"cursor": "PWR_X"}), "query.cursor", "'next'")

    def test_an_unknown_parameter_is_refused(self, operator):
        response = operator.get("/spacecraft/DD-1/telemetry/latest", {"parameter": "PWR_X"})
        assert_wrong_field(response, "query.parameter", "a parameter of DD-1", "PWR_X")

    def test_an_unknown_spacecraft_is_not_found(self, operator):
        response = operator.get("/spacecraft/DD-9/telemetry/latest")
        assert_problem(response, 404, "not-found", "DD-9")

    def test_a_member_may_not(self, pipeline):
        response = pipeline.get("/spacecraft/DD-1/telemetry/latest")
        assert_problem(response, 403, "not-permitted", "telemetry.view")


class TestSubsystems:
    def test_tell_their_worst_state(self, operator, received):
        page = operator.get("/spacecraft/DD-1/subsystems").json()
        subsystems = {each["name"]: each for each in page["items"]}
        latest = operator.get("/spacecraft/DD-1/telemetry/latest").json()["items"]
        power = [each for each in latest if each["subsystem"] == "Power"]
        in_trouble = [each for each in power if each["state"] not in {"normal", "off"}]
        assert "critical" in {each["state"] for each in in_trouble}
        assert subsystems["Power"] == {
            "name": "Power",
            "state": "critical",
            "parameters": len(power),
            "in_trouble": len(in_trouble),
            "newest_at": "2026-12-01T12:00:00Z",
        }
        assert subsystems["Thermal"]["state"] == "off"

    def test_are_not_for_members(self, pipeline):
        assert_problem(pipeline.get("/spacecraft/DD-1/subsystems"), 403, "not-permitted")


class TestHistory:
    PATH = "/spacecraft/DD-1/telemetry/PWR_BATT_V"

    def test_gives_every_sample_of_the_interval(self, operator, received):
        asked = {"start": "2026-12-01T11:58:00Z", "end": "2026-12-01T12:00:00Z"}
        assert operator.get(self.PATH, asked).json() == {
            "spacecraft": "DD-1",
            "parameter": "PWR_BATT_V",
            "unit": "V",
            "start": "2026-12-01T11:58:00Z",
            "end": "2026-12-01T12:00:00Z",
            "times": ["2026-12-01T11:58:00Z", "2026-12-01T11:59:00Z"],
            "values": [51.5, 53.0],
            "minimum": None,
            "maximum": None,
            "truncated": False,
        }

    def test_gives_buckets(self, operator, received):
        asked = {"start": "2026-12-01T11:57:00Z", "end": "2026-12-01T12:01:00Z", "size": 2}
        history = operator.get(self.PATH, asked).json()
        assert history["times"] == ["2026-12-01T11:57:00Z", "2026-12-01T11:59:00Z"]
        assert history["minimum"] == pytest.approx([50.0, 49.25])
        assert history["values"] == pytest.approx([50.75, 51.125])
        assert history["maximum"] == pytest.approx([51.5, 53.0])

    def test_of_the_last_hour_unless_told_otherwise(self, operator, received):
        history = operator.get(self.PATH).json()
        assert history["start"] == "2026-12-01T11:00:00Z"
        assert history["values"] == VOLTS[:3]  # noon itself is after the last hour

    def test_texts_have_no_buckets(self, operator, received):
        response = operator.get("/spacecraft/DD-1/telemetry/PWR_MODE", {"size": 10})
        assert_wrong_field(response, "query.size", "ask for it without a size", "10")

    @pytest.mark.parametrize("size", ["0", "10001"])
    def test_the_number_of_buckets_has_limits(self, operator, size):
        assert_wrong_field(operator.get(self.PATH, {"size": size}), "query.size", "", size)

    def test_an_empty_interval_is_refused(self, operator):
        asked = {"start": "2026-12-01T12:00:00Z", "end": "2026-12-01T11:00:00Z"}
        assert_wrong_field(operator.get(self.PATH, asked), "query.end", "after the start")

    def test_unknown_things_are_not_found(self, operator):
        unknown = operator.get("/spacecraft/DD-1/telemetry/PWR_X")
        assert_problem(unknown, 404, "not-found", "PWR_X")
        by_path = operator.get("/spacecraft/DD-1/telemetry/DD1/Power/PWR_X")
        assert_problem(by_path, 404, "not-found", "DD1/Power/PWR_X")
        assert_problem(operator.get("/spacecraft/DD-9/telemetry/PWR_MODE"), 404, "not-found")

    def test_a_member_may_not(self, pipeline):
        assert_problem(pipeline.get(self.PATH), 403, "not-permitted", "telemetry.view")
