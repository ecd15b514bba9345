"""The windows of ``planning_instances`` as rows of a database, with somebody who plans."""

from __future__ import annotations

import random
from datetime import timedelta

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.contacts.models import ContactWindow, WindowHorizon
from missioncontrol.scheduling.models import Plan
from tests import factories
from tests.benchmarks.planning_instances import START, STATIONS, contact_windows

SPACECRAFT = 24
DAYS = 7


def make_rows() -> tuple[Organisation, Operator]:
    """Make fleet and windows; return who operates the mission, and a planner."""
    planner = factories.operator("pia", Role.OPERATOR)
    stations = {}
    for name, latitude_deg, longitude_deg in STATIONS:
        station = factories.ground_station(
            name, latitude_deg=latitude_deg, longitude_deg=longitude_deg
        )
        factories.antenna(station, setup_s=60, teardown_s=30)
        stations[name] = station
    crafts, ephemerides = {}, {}
    for number in range(1, SPACECRAFT + 1):
        craft = factories.spacecraft(f"DD-{number}", ccsds_id=number)
        factories.mission_profile(craft, pre_pass_s=60, post_pass_s=30, minimum_contact_s=150)
        crafts[craft.name], ephemerides[craft.name] = craft, factories.ephemeris(craft)
        WindowHorizon.objects.create(
            spacecraft=craft,
            start=START,
            end=START + timedelta(days=DAYS),
            ephemeris=ephemerides[craft.name],
            computed_at=START,
        )
    ContactWindow.objects.bulk_create(
        ContactWindow(
            spacecraft=crafts[one.satellite],
            station=stations[one.site],
            aos=one.aos,
            tca=one.aos + (one.los - one.aos) / 2,
            los=one.los,
            max_elevation_deg=one.max_elevation_deg,
            aos_azimuth_deg=0,
            los_azimuth_deg=180,
            ephemeris=ephemerides[one.satellite],
            computed_at=START,
        )
        for one in contact_windows(SPACECRAFT, DAYS)
    )
    return factories.organisation(), planner


def free_windows(plan: Plan, count: int) -> list[str]:
    """Return some windows of a plan's problem that it does not book."""
    document = plan.document
    booked = {one["id"] for one in document["plan"]["contacts"]}
    free = [one["id"] for one in document["problem"]["opportunities"] if one["id"] not in booked]
    return random.Random(1).sample(free, count)
