from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation import places, world_map
from missioncontrol.console.presentation.outages import outage_panels
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation
from missioncontrol.kernel import clock
from missioncontrol.orbits.daylight import subsolar_point
from missioncontrol.orbits.sites import Site
from missioncontrol.pipelines import selectors as pipelines
from missioncontrol.reservations.selectors import unknown_held
from missioncontrol.scheduling import selectors as scheduling
from missioncontrol.scheduling.models import Contact

_AHEAD: Final = timedelta(hours=24)
_ROWS_ON_PAGE: Final = 25  # each takes a search of its next eclipse


@dataclass(frozen=True, slots=True, kw_only=True)
class NextContact:
    """The contact that a station serves next, or now."""

    pk: int
    spacecraft: str
    aos: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRow:
    """A station in the table and on the map."""

    name: str
    title: str
    owner: str
    leased: bool
    latitude_deg: float
    longitude_deg: float
    x: float
    y: float
    mask_deg: float
    status: str
    link: str
    last_frame_at: datetime | None
    antennas: int
    next_contact: NextContact | None


@page(Action.CONTACT_VIEW)
def stations(request: HttpRequest) -> HttpResponse:
    """Show where stations and spacecraft are, who sees whom, and what the stations do next."""
    viewer, at = viewer_of(request), clock.now()
    in_service = fleet.stations_in_service()
    may_see_reservations = viewer.may(Action.RESERVATION_VIEW)
    context = {
        "section": "stations",
        "stations": _rows(in_service, at),
        "may_see_reservations": may_see_reservations,
        "unknown": unknown_held(viewer.principal, at=at) if may_see_reservations else 0,
        **outage_panels(viewer, at),
        **_map(request, [fleet.site(station) for station in in_service], at),
    }
    return render(request, "console/stations.html", context)


def _map(request: HttpRequest, sites: Sequence[Site], at: datetime) -> dict[str, Any]:
    crafts, unplaced = places.placed(fleet.active_spacecraft(), at)
    asked = request.GET.get("spacecraft", "")
    chosen = next((craft for craft in crafts if craft.name == asked), next(iter(crafts), None))
    number, below_sun = page_number(request), subsolar_point(at)
    first = (number - 1) * _ROWS_ON_PAGE
    on_page = crafts[first : first + _ROWS_ON_PAGE]
    sun_x, sun_y = world_map.map_place(below_sun.latitude_deg, below_sun.longitude_deg)
    return {
        "at": at,
        "night": world_map.night_path(below_sun),
        "sun": {"x": sun_x, "y": sun_y, "latitude_deg": below_sun.latitude_deg},
        "circles": places.circles_on_map(sites, chosen) if chosen is not None else [],
        "chosen": chosen,
        "chosen_height_km": chosen.place.height_m / 1000 if chosen is not None else 0.0,
        "spacecraft": places.crafts_on_map(crafts, chosen, at),
        "spacecraft_rows": places.craft_rows(on_page, sites, at),
        "unplaced": unplaced,
        "page_number": number,
        "page": page_links(request, number=number, has_older=len(crafts) > first + _ROWS_ON_PAGE),
    }


def _rows(in_service: Sequence[GroundStation], at: datetime) -> list[StationRow]:
    open_now, last = pipelines.open_session_stations(), pipelines.last_frames(in_service)
    antennas = fleet.active_antennas()
    upcoming = [
        contact
        for contact in scheduling.contacts_between(at, at + _AHEAD)
        if contact.state != Contact.State.CANCELLED
    ]
    rows = []
    for station in in_service:
        following = _first(upcoming, station)
        on_air = following is not None and following.aos <= at and following.state == "PASS"
        status, link = _link(is_open=station.pk in open_now, on_air=on_air)
        x, y = world_map.map_place(station.latitude_deg, station.longitude_deg)
        rows.append(
            StationRow(
                name=station.name,
                title=station.title,
                owner=station.owner.name,
                leased=station.leased,
                latitude_deg=station.latitude_deg,
                longitude_deg=station.longitude_deg,
                x=x,
                y=y,
                mask_deg=station.mask_deg,
                status=status,
                link=link,
                last_frame_at=last.get(station.pk),
                antennas=sum(antenna.station_id == station.pk for antenna in antennas),
                next_contact=_next(following),
            )
        )
    return rows


def _first(contacts: Iterable[Contact], station: GroundStation) -> Contact | None:
    return next((each for each in contacts if each.antenna.station_id == station.pk), None)


def _next(contact: Contact | None) -> NextContact | None:
    if contact is None:
        return None
    return NextContact(pk=contact.pk, spacecraft=contact.spacecraft.name, aos=contact.aos)


def _link(*, is_open: bool, on_air: bool) -> tuple[str, str]:
    if is_open:
        return "normal", "up"
    return ("serious", "reconnecting") if on_air else ("standby", "idle")
