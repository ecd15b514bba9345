from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.db.models import Q

from missioncontrol.fleet.models import (
    Antenna,
    Ephemeris,
    GroundStation,
    Mission,
    MissionProfile,
    Spacecraft,
)
from missioncontrol.orbits.elements import ElementsError, MeanElements
from missioncontrol.orbits.oem import ephemeris_from_oem
from missioncontrol.orbits.omm import elements_from_omm
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory, OrbitEphemeris
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.tle import elements_from_tle

_DEMO_MISSION: Final = "demo"


def mission_in_force() -> Mission | None:
    """Return the mission loaded last, or None on an empty installation."""
    return Mission.objects.order_by("-loaded_at", "-pk").first()


def demo_mission_file() -> Path | None:
    """Return the mission file that the product brings along, if that mission is in force.

    Its antennas reach the simulator, which flies the spacecraft of the same file.
    """
    mission = mission_in_force()
    if mission is None or mission.name != _DEMO_MISSION:
        return None
    return Path(__file__).parent / "missions" / f"{_DEMO_MISSION}.yaml"


def active_spacecraft() -> list[Spacecraft]:
    """Return the spacecraft of the mission file in force, by name."""
    return list(Spacecraft.objects.filter(active=True).select_related("organisation"))


def get_spacecraft(*, name: str) -> Spacecraft:
    """Return one spacecraft.

    Raises:
        Spacecraft.DoesNotExist: none has that name.
    """
    return Spacecraft.objects.select_related("organisation").get(name=name)


def get_station(*, name: str) -> GroundStation:
    """Return one station.

    Raises:
        GroundStation.DoesNotExist: none has that name.
    """
    return GroundStation.objects.select_related("owner").get(name=name)


def stations_in_service() -> list[GroundStation]:
    """Return the stations with at least one active antenna, by name."""
    return list(
        GroundStation.objects.filter(antennas__active=True).select_related("owner").distinct()
    )


def active_antennas(station: GroundStation | None = None) -> list[Antenna]:
    """Return the antennas that may be booked, of one station or of all, by name."""
    antennas = Antenna.objects.filter(active=True).select_related("station", "station__owner")
    if station is not None:
        antennas = antennas.filter(station=station)
    return list(antennas)


def mission_profiles(spacecraft: Spacecraft) -> list[MissionProfile]:
    """Return the profiles of one spacecraft, by name."""
    return list(MissionProfile.objects.filter(spacecraft=spacecraft))


def ephemeris_in_force(spacecraft: Spacecraft, at: datetime) -> Ephemeris | None:
    """Return the elements to use at *at*, or None when there are none.

    The enabled, unexpired set of the highest priority; the one loaded last
    wins a tie.
    """
    return (
        Ephemeris.objects.filter(spacecraft=spacecraft, enabled=True)
        .filter(Q(expires_at=None) | Q(expires_at__gt=at))
        .order_by("-priority", "-loaded_at", "-pk")
        .first()
    )


def ephemerides_in_force(spacecraft_ids: Iterable[int], at: datetime) -> dict[int, int]:
    """Return which ephemeris to use at *at*, by the spacecraft's primary key.

    One query for all; the choice is that of :func:`ephemeris_in_force`.
    """
    rows = (
        Ephemeris.objects.filter(spacecraft__in=spacecraft_ids, enabled=True)
        .filter(Q(expires_at=None) | Q(expires_at__gt=at))
        .order_by("spacecraft_id", "-priority", "-loaded_at", "-pk")
        .values_list("spacecraft_id", "pk")
    )
    chosen: dict[int, int] = {}
    for spacecraft_id, ephemeris_id in rows:
        chosen.setdefault(spacecraft_id, ephemeris_id)
    return chosen


def ephemeris_rows_in_force(spacecraft_ids: Iterable[int], at: datetime) -> dict[int, Ephemeris]:
    """Return the ephemeris to use at *at*, by spacecraft: two queries however many there are."""
    in_force = ephemerides_in_force(spacecraft_ids, at)
    rows = Ephemeris.objects.in_bulk(in_force.values())
    return {craft: rows[ephemeris] for craft, ephemeris in in_force.items() if ephemeris in rows}


def relays_of(spacecraft_ids: Iterable[int]) -> dict[int, list[int]]:
    """Return over whom each spacecraft can reach the ground; primary keys."""
    rows = Spacecraft.relays.through._default_manager.filter(
        from_spacecraft__in=spacecraft_ids, to_spacecraft__active=True
    ).values_list("from_spacecraft_id", "to_spacecraft_id")
    relays: dict[int, list[int]] = defaultdict(list)
    for user, relay in rows:
        relays[user].append(relay)
    return relays


def trajectory(ephemeris: Ephemeris) -> AnyTrajectory:
    """Return *ephemeris* as ``missioncontrol.orbits`` takes it, whatever its kind."""
    if ephemeris.kind == Ephemeris.Kind.OEM:
        return _orbit_ephemeris(ephemeris.oem)
    return mean_elements(ephemeris)


# By its text, which says all: to read a message of three days takes 40 ms, and pages ask
# for the same one again and again.
@lru_cache(maxsize=32)
def _orbit_ephemeris(oem: str) -> OrbitEphemeris:
    return ephemeris_from_oem(oem)


def mean_elements(ephemeris: Ephemeris) -> MeanElements:
    """Return a set of elements as ``missioncontrol.orbits`` takes it.

    Raises:
        ElementsError: It is an ephemeris message and has none.
    """
    if ephemeris.kind == Ephemeris.Kind.TLE:
        return elements_from_tle(ephemeris.name, ephemeris.line1, ephemeris.line2)
    if ephemeris.kind == Ephemeris.Kind.OMM:
        return elements_from_omm(ephemeris.omm)
    raise ElementsError(f"{ephemeris} is a table of states and has no mean elements.")


def site(station: GroundStation) -> Site:
    """Return *station* as ``missioncontrol.orbits`` takes it."""
    return Site(
        name=station.name,
        latitude_deg=station.latitude_deg,
        longitude_deg=station.longitude_deg,
        height_m=station.height_m,
        mask_deg=station.mask_deg,
        horizon_mask=tuple((knot[0], knot[1]) for knot in station.horizon_mask),
    )
