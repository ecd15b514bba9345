"""The clock, the spacecraft and the stations."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, permitted, principal_of
from missioncontrol.api.fields import Instant, Sent, Text, example
from missioncontrol.api.paging import Page, PageQuery, by_name, in_order
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet import services
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.fleet.telecommands import TelecommandDefinition
from missioncontrol.kernel import clock
from missioncontrol.pipelines import selectors as pipelines
from uplink.commanding.definitions import parse_definitions

router = Router(tags=["mission"], auth=TOKEN_OR_SESSION)


class ClockOut(Schema):
    """Mission time; ``factor`` mission seconds pass in a second, none while frozen."""

    model_config = example(mission_time="2026-12-01T12:00:34.5Z", factor=30.0, frozen=False)

    mission_time: Instant
    factor: float
    frozen: bool


class ClockIn(Sent):
    """How fast a rehearsal's clock runs from now on."""

    model_config = example(factor=30)

    factor: Annotated[float, Field(gt=0, le=clock.MAX_FACTOR, strict=True)]


class SpacecraftOut(Schema):
    """One spacecraft; ``elements_epoch`` is null while it has no orbital elements."""

    model_config = example(
        name="DD-1",
        ccsds_id=66,
        phase="NOMINAL",
        organisation="operator",
        elements_epoch="2026-12-01T00:00:00Z",
    )

    name: str
    ccsds_id: int
    phase: str
    organisation: str
    elements_epoch: Instant | None


class TelecommandDefinitionOut(Schema):
    """A telecommand that a spacecraft understands, as the mission file defines it.

    ``approval`` is two_person or policy; each argument has what its type takes.
    """

    model_config = example(
        name="PAYLOAD_POWER",
        description="Switch a compute unit on or off",
        hazardous=False,
        approval="two_person",
        arguments=[{"name": "UNIT", "type": "enum", "values": {"GPU1": 1, "GPU2": 2}}],
    )

    name: str
    description: str
    hazardous: bool
    approval: str
    arguments: list[dict[str, Any]]


class StationOut(Schema):
    """One ground station on the WGS84 ellipsoid; longitude counts east.

    ``link_is_open``: its return link delivers to us now.
    """

    model_config = example(
        name="KASHI",
        title="Kashi",
        latitude_deg=39.505,
        longitude_deg=75.929,
        height_m=1320.0,
        mask_deg=5.0,
        owner="operator",
        leased=False,
        antennas=["KASHI-1"],
        link_is_open=False,
        last_frame_at="2026-12-01T12:33:02Z",
    )

    name: str
    title: str
    latitude_deg: float
    longitude_deg: float
    height_m: float
    mask_deg: float
    owner: str
    leased: bool
    antennas: list[str]
    link_is_open: bool
    last_frame_at: Instant | None


@router.get("/clock", response=ClockOut, summary="Mission time")
def get_clock(request: HttpRequest) -> ClockOut:
    """Return mission time; every time in this API is mission time, which in flight is UTC."""
    state = clock.state()
    return ClockOut(mission_time=clock.now(), factor=state.factor, frozen=state.frozen)


@router.put("/clock", auth=TOKEN, response=ClockOut, summary="Set the clock's factor")
def set_clock(request: HttpRequest, asked: ClockIn) -> ClockOut:
    """Let a rehearsal's clock run faster or slower; in flight mission time is UTC, and stays."""
    principal = permitted(request, Action.CLOCK_SET)
    services.set_clock_factor(factor=asked.factor, actor=principal.operator, at=clock.now())
    return get_clock(request)


@router.get("/spacecraft", response=Page[SpacecraftOut], summary="Spacecraft")
def list_spacecraft(request: HttpRequest, asked: Query[PageQuery]) -> Page[SpacecraftOut]:
    """Return the spacecraft of the mission, by name."""
    principal_of(request).require_role()
    rows = Spacecraft.objects.filter(active=True).select_related("organisation")
    found, cursor = by_name(rows, field="name", cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_spacecraft_out(each) for each in found], next=cursor)


@router.get("/spacecraft/{name}", response=SpacecraftOut, summary="One spacecraft")
def get_spacecraft(request: HttpRequest, name: Text) -> SpacecraftOut:
    """Return one spacecraft, also one that is retired."""
    principal_of(request).require_role()
    return _spacecraft_out(spacecraft_in_path(name))


@router.get(
    "/spacecraft/{name}/telecommand-definitions",
    response=Page[TelecommandDefinitionOut],
    summary="Telecommands that a spacecraft understands",
    tags=["telecommands"],
)
def list_telecommand_definitions(
    request: HttpRequest, name: Text, asked: Query[PageQuery]
) -> Page[TelecommandDefinitionOut]:
    """Return what can be submitted, in the order of the mission file."""
    spacecraft = spacecraft_in_path(name)
    permitted(request, Action.TELECOMMAND_VIEW, spacecraft.organisation)
    definitions = list(parse_definitions(spacecraft.telecommands).values())
    found, cursor = in_order(
        definitions, name_of=lambda each: each.name, cursor=asked.cursor, limit=asked.limit
    )
    return Page(items=[_definition_out(each) for each in found], next=cursor)


@router.get("/stations", response=Page[StationOut], summary="Ground stations")
def list_stations(request: HttpRequest, asked: Query[PageQuery]) -> Page[StationOut]:
    """Return the stations with an antenna in service, by name."""
    principal_of(request).require_role()
    rows = GroundStation.objects.filter(antennas__active=True).distinct()
    found, cursor = by_name(
        rows.select_related("owner"), field="name", cursor=asked.cursor, limit=asked.limit
    )
    return Page(items=_stations_out(found), next=cursor)


@router.get("/stations/{name}", response=StationOut, summary="One ground station")
def get_station(request: HttpRequest, name: Text) -> StationOut:
    """Return one station, also one without an antenna in service."""
    principal_of(request).require_role()
    try:
        station = fleet.get_station(name=name)
    except GroundStation.DoesNotExist:
        raise NotFoundError(f"There is no station {name!r}; GET /stations lists them.") from None
    [shown] = _stations_out([station])
    return shown


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


def _definition_out(definition: TelecommandDefinition) -> TelecommandDefinitionOut:
    return TelecommandDefinitionOut(
        name=definition.name,
        description=definition.description,
        hazardous=definition.hazardous,
        approval=definition.approval,
        arguments=[
            each.model_dump(mode="json", exclude_defaults=True) for each in definition.arguments
        ],
    )


def _stations_out(stations: Collection[GroundStation]) -> list[StationOut]:
    open_now, last = pipelines.open_session_stations(), pipelines.last_frames(stations)
    return [
        _station_out(
            station, link_is_open=station.pk in open_now, last_frame_at=last.get(station.pk)
        )
        for station in stations
    ]


def _station_out(
    station: GroundStation, *, link_is_open: bool, last_frame_at: datetime | None
) -> StationOut:
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
        link_is_open=link_is_open,
        last_frame_at=last_frame_at,
    )
