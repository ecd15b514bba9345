"""A small mission that can be planned: two spacecraft, one station, windows of some hours."""

from __future__ import annotations

import time
from datetime import timedelta

from missioncontrol.accounts.policy import Role
from missioncontrol.contacts.models import ContactWindow, WindowHorizon
from missioncontrol.scheduling import services
from missioncontrol.scheduling.solver.planning import Search
from tests import factories
from tests.factories import AT

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def window(craft, station, *, begins, minutes=10, elevation_deg=40.0):
    """A window that begins so many minutes after AT."""
    aos = AT + begins * MINUTE
    return ContactWindow.objects.create(
        spacecraft=craft,
        station=station,
        aos=aos,
        tca=aos + minutes * MINUTE / 2,
        los=aos + minutes * MINUTE,
        max_elevation_deg=elevation_deg,
        aos_azimuth_deg=0,
        los_azimuth_deg=180,
        ephemeris=craft.ephemerides.get(),
        computed_at=AT,
    )


class Mission:
    """DD-1 and DD-2, Svalbard with one antenna, a window of each every 100 minutes."""

    def __init__(self, *, hours: int = 12) -> None:
        self.station = factories.ground_station()
        self.antenna = factories.antenna(self.station)
        self.crafts = [
            factories.spacecraft("DD-1"),
            factories.spacecraft("DD-2", ccsds_id=0x43),
        ]
        for craft in self.crafts:
            factories.mission_profile(craft)
            WindowHorizon.objects.create(
                spacecraft=craft,
                start=AT,
                end=AT + hours * HOUR,
                ephemeris=factories.ephemeris(craft),
                computed_at=AT,
            )
        for number, begins in enumerate(range(30, hours * 60 - 20, 100)):
            for later, craft in enumerate(self.crafts):
                # Five minutes apart: only one of the two can be served.
                window(
                    craft,
                    self.station,
                    begins=begins + 5 * later,
                    elevation_deg=20 + 40 * ((number + later) % 2),
                )

    @property
    def organisation(self):
        return factories.organisation()


def planner(name: str = "pia"):
    """A person who may propose, approve and publish plans."""
    return factories.operator(name, Role.OPERATOR)


def proposed(actor, **fields):
    values = {"organisation": factories.organisation(), "horizon": 10 * HOUR, "at": AT, **fields}
    return services.propose_plan(actor=actor, **values)


def published(actor, **fields):
    plan = proposed(actor, **fields)
    services.approve_plan(plan_id=plan.pk, actor=actor, at=plan.proposed_at)
    return services.publish_plan(plan_id=plan.pk, actor=actor, at=plan.proposed_at)


def search(limit_s: float = 1.0) -> Search:
    return Search(limit_s=limit_s, elapsed_s=time.monotonic)
