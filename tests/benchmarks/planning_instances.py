"""Planning problems for measurements: true geometry, the rest by a seed.

Spacecraft share a dawn-dusk orbit at 750 km, evenly spaced; the product's own engine
finds their windows over twelve stations. By the seed: whose data each spacecraft
carries when, what it is worth, the weather, uplinks with deadlines, one station's
maintenance. Housekeeping (TT&C) rides along with any contact that is long enough.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

import numpy as np

from missioncontrol.orbits.contact_windows import ContactWindow, find_contact_windows
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from missioncontrol.scheduling.solver.problem import (
    Antenna,
    ContactRequest,
    Member,
    MissionProfile,
    Opportunity,
    Outage,
    Problem,
    RequestKind,
)

START: Final = datetime(2026, 12, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
SHORTEST_S: Final = 150.0
MEMBERS: Final = 24
STATIONS: Final = (
    ("SVALBARD", 78.23, 15.39),
    ("INUVIK", 68.32, -133.54),
    ("KIRUNA", 67.86, 20.96),
    ("FAIRBANKS", 64.86, -147.85),
    ("TROLL", -72.01, 2.53),
    ("PUNTA-ARENAS", -52.94, -70.85),
    ("KASHGAR", 39.51, 75.93),
    ("MIYUN", 40.45, 116.86),
    ("SANYA", 18.31, 109.31),
    ("HARTEBEESTHOEK", -25.89, 27.69),
    ("DONGARA", -29.05, 115.35),
    ("MASPALOMAS", 27.76, -15.63),
)


@cache
def contact_windows(spacecraft: int, days: int) -> tuple[ContactWindow, ...]:
    """Return all windows of 150 s or more above 5 degrees."""
    elements = [
        sun_synchronous_elements(
            f"DD-{number + 1}",
            90_001 + number,
            750.0,
            18.0,
            START - timedelta(hours=6),
            mean_anomaly_deg=(270.0 + 360.0 * number / spacecraft) % 360.0,
        )
        for number in range(spacecraft)
    ]
    sites = [
        Site(name=name, latitude_deg=latitude, longitude_deg=longitude, height_m=50.0)
        for name, latitude, longitude in STATIONS
    ]
    found = find_contact_windows(
        elements=elements, sites=sites, start=START, end=START + timedelta(days=days)
    )
    return tuple(one for one in found if one.duration_s >= SHORTEST_S)


def planning_problem(
    seed: int, *, spacecraft: int = 24, days: int = 7, trim_step_s: float | None = None
) -> Problem:
    """Return one problem. Windows are taken whole unless a step to trim by is given."""
    chance = np.random.default_rng(seed)
    ends = START + timedelta(days=days)
    names = [f"DD-{number + 1}" for number in range(spacecraft)]
    profile = MissionProfile(
        name="nominal",
        pre_pass_s=60.0,
        post_pass_s=30.0,
        minimum_contact_s=SHORTEST_S,
        trim_step_s=trim_step_s,
    )
    requests: list[ContactRequest] = []
    for name in names:
        requests += _data_requests(name, days, chance)
        requests += _housekeeping(name, days)
        requests += _uplinks(name, days, chance)
    station = STATIONS[int(chance.integers(len(STATIONS)))][0]
    maintenance = START + float(chance.uniform(0.1, 0.8)) * (ends - START)
    return Problem(
        begins=START,
        ends=ends,
        profiles=(profile,),
        antennas=tuple(
            Antenna(name=f"{name}-1", station=name, setup_s=60.0, teardown_s=30.0)
            for name, _, _ in STATIONS
        ),
        opportunities=_opportunities(contact_windows(spacecraft, days), chance),
        requests=tuple(requests),
        members=tuple(
            Member(name=f"member-{number + 1}", entitled_s=5_000.0 * days, cost_per_missing_s=0.1)
            for number in range(MEMBERS)
        ),
        outages=(
            Outage(
                resource=f"{station}-1",
                begins=maintenance,
                ends=maintenance + 4 * HOUR,
                planned=True,
                reason="maintenance",
            ),
        ),
    )


def station_outage(seed: int, days: int = 7) -> Outage:
    """Return a station's unplanned outage of 12 hours."""
    chance = np.random.default_rng([seed, 12])
    begins = START + float(chance.uniform(0.1, 0.7)) * timedelta(days=days)
    return Outage(
        resource=f"{STATIONS[int(chance.integers(len(STATIONS)))][0]}-1",
        begins=begins,
        ends=begins + 12 * HOUR,
        planned=False,
        reason="storm",
    )


def _opportunities(
    windows: tuple[ContactWindow, ...], chance: np.random.Generator
) -> tuple[Opportunity, ...]:
    # How much comes down: by elevation, and by weather, which is each window's own.
    weather = chance.uniform(0.3, 1.0, len(windows))
    return tuple(
        Opportunity(
            id=f"{one.satellite}/{one.site}-1/{one.aos:%m%dT%H%M%S}",
            spacecraft=one.satellite,
            path=(f"{one.site}-1",),
            begins=one.aos,
            ends=one.los,
            quality=float(weather[at] * (0.5 + 0.5 * np.sin(np.radians(one.max_elevation_deg)))),
        )
        for at, one in enumerate(windows)
    )


def _data_requests(name: str, days: int, chance: np.random.Generator) -> list[ContactRequest]:
    """Return a request for every six hours, of one member and one worth each."""
    return [
        ContactRequest(
            id=f"data/{name}/{block}",
            kind=RequestKind.DATA,
            spacecraft=name,
            owner=f"member-{int(chance.integers(MEMBERS)) + 1}",
            profile="nominal",
            earliest=START + 6 * block * HOUR,
            latest=START + 6 * (block + 1) * HOUR - timedelta(microseconds=1),
            deadline=START + (6 * (block + 1) + 1) * HOUR,
            value_per_s=float(chance.uniform(0.5, 1.5)),
        )
        for block in range(4 * days)
    ]


def _housekeeping(name: str, days: int) -> list[ContactRequest]:
    """Return the need of one contact of 240 s in each half day."""
    return [
        ContactRequest(
            id=f"ttc/{name}/{half}",
            kind=RequestKind.TTC,
            spacecraft=name,
            owner="operator",
            profile="nominal",
            priority=3,
            earliest=START + 12 * half * HOUR,
            deadline=START + 12 * (half + 1) * HOUR,
            minimum_duration_s=240.0,
            minimum_count=1,
            missing_cost=500.0,
            shared=True,
        )
        for half in range(2 * days)
    ]


def _uplinks(name: str, days: int, chance: np.random.Generator) -> list[ContactRequest]:
    """Return two job inputs a day that must be up within some hours."""
    requests = []
    for number in range(2 * days):
        earliest = START + (12 * number + float(chance.uniform(0.0, 4.0))) * HOUR
        requests.append(
            ContactRequest(
                id=f"uplink/{name}/{number}",
                kind=RequestKind.UPLINK,
                spacecraft=name,
                owner=f"member-{int(chance.integers(MEMBERS)) + 1}",
                profile="nominal",
                priority=4,
                earliest=earliest,
                deadline=earliest + float(chance.uniform(4.0, 8.0)) * HOUR,
                minimum_duration_s=300.0,
                maximum_count=1,
                value=float(chance.uniform(100.0, 500.0)),
                value_per_s=0.3,
            )
        )
    return requests
