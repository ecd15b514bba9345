"""The demo mission for the simulator's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import resources

from missioncontrol.fleet.mission_file import parse_mission
from telemetry.dictionary import parse_xtce

IN_PASS = datetime(2026, 12, 1, 12, 21, 30, tzinfo=UTC)  # over KASHI: 12:21:00 to 12:33:06
OUT_OF_PASS = datetime(2026, 12, 1, 12, 5, tzinfo=UTC)
ECLIPSE_SEASON = datetime(2027, 3, 21, tzinfo=UTC)


@cache
def demo_mission():
    folder = resources.files("missioncontrol.fleet") / "missions"
    return parse_mission(
        (folder / "demo.yaml").read_text(encoding="utf-8"),
        lambda name: (folder / name).read_text(encoding="utf-8"),
    )


@cache
def demo_dictionary():
    return parse_xtce(demo_mission().attachment("dd1.xtce.xml").encode())


def demo_spacecraft():
    return demo_mission().spacecraft[0]
