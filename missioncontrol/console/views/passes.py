from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, go_back, page, viewer_of
from missioncontrol.console.paging import with_query
from missioncontrol.console.presentation import geometry
from missioncontrol.console.presentation.contacts import (
    contact_panel,
    contact_rows,
    radiated_items,
    session_rows,
)
from missioncontrol.console.presentation.sky import SUN_NEAR_DEG, sky_plot
from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from missioncontrol.pipelines import selectors as pipelines
from missioncontrol.scheduling import selectors as scheduling
from missioncontrol.scheduling import services
from missioncontrol.scheduling.models import Contact

_DAY: Final = timedelta(days=1)
_HOURS_MARKED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A contact on the timeline; places are in percent of the day."""

    left: float
    width: float
    state: str
    title: str
    url: str


@page(Action.CONTACT_VIEW)
def passes(request: HttpRequest) -> HttpResponse:
    """Show one day of contacts, as a timeline by station and as a table."""
    viewer, today = viewer_of(request), clock.now().date()
    day = _day(request.GET.get("day", ""), today)
    start = datetime.combine(day, time(), UTC)
    filters = {name: request.GET.get(name, "") for name in ("spacecraft", "station", "state")}
    contacts = [
        contact
        for contact in scheduling.contacts_between(start, start + _DAY)
        if _fits(contact, filters)
    ]
    stations = [station.name for station in fleet.stations_in_service()]
    context = {
        "section": "passes",
        "timeline": _timeline(contacts, stations, start),
        "contacts": contact_rows(contacts),
        "filters": filters,
        "spacecraft_names": [craft.name for craft in fleet.active_spacecraft()],
        "station_names": stations,
        "states": Contact.State.values,
        "day": day,
        "earlier_url": with_query(request, day=(day - _DAY).isoformat()),
        "later_url": with_query(request, day=(day + _DAY).isoformat()),
        "today_url": with_query(request, day=""),
        "may_see_requests": viewer.may(Action.CONTACT_REQUEST_VIEW),
        "may_have_calendars": viewer.may(Action.CALENDAR_FEED_MANAGE),
    }
    return render(request, "console/passes.html", context)


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if 1970 <= day.year <= 9998 else today


def _fits(contact: Contact, filters: dict[str, str]) -> bool:
    values = {
        "spacecraft": contact.spacecraft.name,
        "station": contact.antenna.station.name,
        "state": contact.state,
    }
    return all(chosen in {"", values[name]} for name, chosen in filters.items())


def _timeline(
    contacts: Sequence[Contact], stations: Sequence[str], start: datetime
) -> dict[str, Any]:
    bars: dict[str, list[Bar]] = {name: [] for name in stations}
    for contact in contacts:
        bars.setdefault(contact.antenna.station.name, []).append(_bar(contact, start))
    return {
        "start": start,
        "end": start + _DAY,
        "hours": [
            {"left": 100 * hour / 24, "label": f"{hour:02d}:00"}
            for hour in range(0, 25, _HOURS_MARKED)
        ],
        "rows": [{"station": name, "bars": row} for name, row in bars.items()],
    }


def _bar(contact: Contact, start: datetime) -> Bar:
    begin = max(0.0, (contact.aos - start) / _DAY)
    end = min(1.0, (contact.los - start) / _DAY)
    return Bar(
        left=100 * begin,
        width=100 * (end - begin),
        state=contact.state,
        title=(
            f"Pass {contact.pk}, {contact.spacecraft.name} over {contact.antenna.station.name} "
            f"from {contact.aos:%H:%M} to {contact.los:%H:%M}, {contact.max_elevation_deg:.0f}°"
        ),
        url=reverse("console:pass_detail", args=[contact.pk]),
    )


@page(Action.CONTACT_VIEW)
def pass_detail(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Show one pass: its steps, what was sent and what came."""
    viewer, at = viewer_of(request), clock.now()
    contact = scheduling.get_contact(contact_id)
    highest = geometry.look_angle(
        contact.relay or contact.spacecraft, contact.antenna.station, contact.tca
    )
    report = pipelines.pass_report(contact)
    panel = contact_panel(contact, viewer, at=at)
    sky = sky_plot(contact, asked_step_s=_step_s(request))
    context = {
        "section": "passes",
        "contact": panel,
        "booked": contact,
        "culmination_azimuth_deg": highest.azimuth_deg if highest is not None else None,
        "sky": None if isinstance(sky, str) else sky,
        "sky_missing": sky if isinstance(sky, str) else "",
        "sun_near_deg": SUN_NEAR_DEG,
        "pipeline_steps": pipelines.pass_steps(contact),
        "items": radiated_items(contact) if panel.shows_commanding else None,
        "transfers": panel.transfers if panel.shows_commanding else None,
        "link_sessions": session_rows(contact),
        "report": report.report if report is not None else None,
        "audit_url": f"{reverse('console:audit')}?q=contact:{contact.pk}",
        "may_cancel": contact.state in {Contact.State.SCHEDULED, Contact.State.PREPASS}
        and viewer.may(Action.CONTACT_CANCEL, contact.spacecraft.organisation),
    }
    return render(request, "console/pass_detail.html", context)


def _step_s(request: HttpRequest) -> int | None:
    text = request.GET.get("step", "")
    return int(text) if text.isdecimal() and len(text) < 6 else None


@deed(Action.CONTACT_CANCEL, back="console:passes")
def cancel_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Give up a pass before it begins."""
    contact = services.cancel_contact(
        contact_id=contact_id, actor=viewer_of(request).operator, at=clock.now()
    )
    messages.success(request, f"Pass {contact.pk} is cancelled.")
    return go_back(request, "console:passes")
