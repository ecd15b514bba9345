from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import page
from missioncontrol.console.presentation import geometry
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation
from missioncontrol.kernel import clock
from missioncontrol.pipelines import selectors as pipelines
from missioncontrol.scheduling import selectors as scheduling
from missioncontrol.scheduling.models import Contact

_AHEAD = timedelta(hours=24)


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
    """Show where the stations are, whether their links are up, and what they do next."""
    at = clock.now()
    places = [geometry.craft_on_map(craft, at) for craft in fleet.active_spacecraft()]
    context = {
        "section": "stations",
        "stations": _rows(at),
        "spacecraft": [place for place in places if place is not None],
    }
    return render(request, "console/stations.html", context)


def _rows(at: datetime) -> list[StationRow]:
    in_service = fleet.stations_in_service()
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
        x, y = geometry.map_place(station.latitude_deg, station.longitude_deg)
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
