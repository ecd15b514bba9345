"""The clock, the spacecraft and the stations."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema

from missioncontrol.api.authentication import TOKEN_OR_SESSION
from missioncontrol.api.fields import Instant
from missioncontrol.api.paging import Page
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.kernel import clock

router = Router(tags=["mission"], auth=TOKEN_OR_SESSION)


class ClockOut(Schema):
    """Mission time; ``factor`` mission seconds pass in a second, none while frozen."""

    mission_time: Instant
    factor: float
    frozen: bool


class SpacecraftOut(Schema):
    """One spacecraft; ``elements_epoch`` is null while it has no orbital elements."""

    name: str
    ccsds_id: int
    phase: str
    organisation: str
    elements_epoch: Instant | None


class StationOut(Schema):
    """One ground station on the WGS84 ellipsoid; longitude counts east."""

    name: str
    title: str
    latitude_deg: float
    longitude_deg: float
    height_m: float
    mask_deg: float
    owner: str
    leased: bool
    antennas: list[str]


@router.get("/clock", response=ClockOut, summary="Mission time")
def get_clock(request: HttpRequest) -> ClockOut:
    """Return mission time; every time in this API is mission time, which in flight is UTC."""
    state = clock.state()
    return ClockOut(mission_time=clock.now(), factor=state.factor, frozen=state.frozen)


@router.get("/spacecraft", response=Page[SpacecraftOut], summary="Spacecraft")
def list_spacecraft(request: HttpRequest) -> Page[SpacecraftOut]:
    """Return the spacecraft of the mission, by name."""
    return Page(items=[_spacecraft_out(each) for each in fleet.active_spacecraft()])


@router.get("/stations", response=Page[StationOut], summary="Ground stations")
def list_stations(request: HttpRequest) -> Page[StationOut]:
    """Return the stations with an antenna in service, by name."""
    return Page(items=[_station_out(station) for station in fleet.stations_in_service()])


def spacecraft_in_path(name: str) -> Spacecraft:
    """Return the spacecraft that an address names.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return fleet.get_spacecraft(name=name)
    except Spacecraft.DoesNotExist:
        raise NotFoundError(f"There is no spacecraft {name!r}; GET /spacecraft lists them.") from (
            None
        )


def spacecraft_in_field(name: str, field: str) -> Spacecraft:
    """Return the spacecraft that a query parameter or a body names.

    Raises:
        InvalidInputError: there is none.
    """
    try:
        return fleet.get_spacecraft(name=name)
    except Spacecraft.DoesNotExist:
        names = ", ".join(each.name for each in fleet.active_spacecraft()) or "none is loaded"
        raise invalid(field, name, f"the name of a spacecraft: {names}") from None


def _spacecraft_out(spacecraft: Spacecraft) -> SpacecraftOut:
    ephemeris = fleet.ephemeris_in_force(spacecraft, clock.now())
    return SpacecraftOut(
        name=spacecraft.name,
        ccsds_id=spacecraft.ccsds_id,
        phase=spacecraft.phase,
        organisation=spacecraft.organisation.slug,
        elements_epoch=ephemeris.epoch if ephemeris is not None else None,
    )


def _station_out(station: GroundStation) -> StationOut:
    return StationOut(
        name=station.name,
        title=station.title,
        latitude_deg=station.latitude_deg,
        longitude_deg=station.longitude_deg,
        height_m=station.height_m,
        mask_deg=station.mask_deg,
        owner=station.owner.slug,
        leased=station.leased,
        antennas=[antenna.name for antenna in fleet.active_antennas(station)],
    )
