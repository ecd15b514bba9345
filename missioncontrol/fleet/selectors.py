from __future__ import annotations

from datetime import datetime
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
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.omm import elements_from_omm
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


def mean_elements(ephemeris: Ephemeris) -> MeanElements:
    """Return *ephemeris* as ``missioncontrol.orbits`` takes it."""
    if ephemeris.kind == Ephemeris.Kind.TLE:
        return elements_from_tle(ephemeris.name, ephemeris.line1, ephemeris.line2)
    return elements_from_omm(ephemeris.omm)


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
