from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from missioncontrol.accounts.gate import principal_of
from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.presentation.contacts import DRIFT_SHOWN_S
from missioncontrol.console.presentation.plans import PlaceKey, places_changed
from missioncontrol.console.views.timeline_plan import plan_part
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from missioncontrol.scheduling import selectors as scheduling
from missioncontrol.scheduling.models import IN_PROGRESS, Contact, Plan

_PAST: Final = timedelta(hours=12)
_AHEAD: Final = timedelta(days=7)
_PLAN_NUMBER: Final = re.compile(r"[0-9]{1,9}")
OF_A_PLAN: Final = ("added", "freed")  # what a plan does to opportunities and to contacts
# The states of an item, by their place here.
STATES: Final = ("opportunity", "booked", "live", "done", "failed", "drifted", *OF_A_PLAN)


@dataclass(slots=True)
class _Columns:
    """Items as columns, by begin: so many thousand objects would be five times as long."""

    antenna: list[int] = field(default_factory=list)  # places in the lists of names
    spacecraft: list[int] = field(default_factory=list)
    begins_s: list[int] = field(default_factory=list)  # after the interval's begin
    lasts_s: list[int] = field(default_factory=list)
    state: list[int] = field(default_factory=list)
    elevation_deg: list[int] = field(default_factory=list)
    contact: list[int] = field(default_factory=list)  # 0: none


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    antenna: str
    spacecraft: str
    begins: datetime
    ends: datetime
    state: str
    elevation_deg: float
    contact: int = 0


@page(Action.CONTACT_VIEW)
def timeline(request: HttpRequest) -> HttpResponse:
    """Show a week of opportunities and contacts, and what a plan would change of them."""
    context = {
        "section": "passes",
        "states": STATES,
        "states_of_a_plan": OF_A_PLAN,
        "may_propose": viewer_of(request).may(Action.PLAN_PROPOSE),
        **plan_part(_plan_of(request)),
    }
    return render(request, "console/timeline.html", context)


@page(Action.CONTACT_VIEW)
def timeline_items(request: HttpRequest) -> HttpResponse:
    """Return what the timeline draws, as columns of numbers."""
    plan = _plan_of(request)
    freed, added = places_changed(plan) if plan is not None else (set(), set())
    at = clock.now().replace(microsecond=0)  # windows are named by whole seconds
    begins, ends = at - _PAST, at + _AHEAD
    contacts = scheduling.contacts_between(begins, ends)
    items = [
        *_booked(contacts, freed),
        *_opportunities(begins, ends, contacts, added),
    ]
    items.sort(key=lambda item: item.begins)
    antennas = _in_order(
        {antenna.name for antenna in fleet.active_antennas()} | {item.antenna for item in items}
    )
    crafts = _in_order(
        {craft.name for craft in fleet.active_spacecraft()} | {item.spacecraft for item in items}
    )
    return JsonResponse(
        {
            "begins_ms": math.floor(begins.timestamp() * 1000),
            "ends_ms": math.floor(ends.timestamp() * 1000),
            "states": STATES,
            "antennas": antennas,
            "spacecraft": crafts,
            "items": asdict(_columns(items, antennas, crafts, begins)),
        }
    )


def _plan_of(request: HttpRequest) -> Plan | None:
    """Return the plan that the address names with ``plan``, if it names one.

    Raises:
        NotPermittedError: who asks may see no plans.
        Plan.DoesNotExist: there is none, or it is another organisation's.
    """
    number = request.GET.get("plan", "")
    if not number:
        return None
    principal_of(request).require(Action.PLAN_VIEW)
    if not _PLAN_NUMBER.fullmatch(number):
        raise Plan.DoesNotExist
    return scheduling.get_plan(int(number))


def _columns(
    items: Iterable[_Item], antennas: list[str], crafts: list[str], begins: datetime
) -> _Columns:
    antenna_at = {name: place for place, name in enumerate(antennas)}
    craft_at = {name: place for place, name in enumerate(crafts)}
    columns = _Columns()
    for item in items:
        columns.antenna.append(antenna_at[item.antenna])
        columns.spacecraft.append(craft_at[item.spacecraft])
        columns.begins_s.append(math.floor((item.begins - begins).total_seconds()))
        columns.lasts_s.append(round((item.ends - item.begins).total_seconds()))
        columns.state.append(STATES.index(item.state))
        columns.elevation_deg.append(round(item.elevation_deg))
        columns.contact.append(item.contact)
    return columns


def _booked(contacts: Iterable[Contact], freed: Collection[PlaceKey]) -> Iterator[_Item]:
    for contact in contacts:
        if contact.state != Contact.State.CANCELLED:
            place = contact.spacecraft.name, contact.antenna.name, contact.aos
            yield _Item(
                antenna=contact.antenna.name,
                spacecraft=contact.spacecraft.name,
                begins=contact.aos,
                ends=contact.los,
                state="freed" if place in freed else _state_of(contact),
                elevation_deg=contact.max_elevation_deg,
                contact=contact.pk,
            )


def _state_of(contact: Contact) -> str:
    if contact.state in IN_PROGRESS:
        return "live"
    if contact.state == Contact.State.COMPLETED:
        return "done"
    if contact.state in {Contact.State.FAILED, Contact.State.MISSED}:
        return "failed"
    return "drifted" if abs(contact.drift_s) > DRIFT_SHOWN_S else "booked"


def _opportunities(
    begins: datetime,
    ends: datetime,
    contacts: Iterable[Contact],
    added: Collection[PlaceKey],
) -> Iterator[_Item]:
    """Yield the windows that nobody has booked, on each antenna of their station.

    Beside them what a plan books, also where another antenna of the station has the pass.
    """
    booked: defaultdict[tuple[int, int], list[tuple[datetime, datetime]]] = defaultdict(list)
    for contact in contacts:
        if contact.state != Contact.State.CANCELLED:
            place = contact.spacecraft_id, contact.antenna.station_id
            booked[place].append((contact.aos, contact.los))
    antennas: defaultdict[int, list[str]] = defaultdict(list)
    for antenna in fleet.active_antennas():
        antennas[antenna.station_id].append(antenna.name)
    names = {craft.pk: craft.name for craft in fleet.active_spacecraft()}
    windows = ContactWindow.objects.filter(
        aos__gte=begins, aos__lt=ends, spacecraft__in=names
    ).values_list("spacecraft_id", "station_id", "aos", "los", "max_elevation_deg")
    for craft, station, aos, los, elevation_deg in windows:
        taken = any(one < los and other > aos for one, other in booked.get((craft, station), ()))
        for antenna_name in antennas.get(station, ()):
            is_added = (names[craft], antenna_name, aos) in added
            if is_added or not taken:
                yield _Item(
                    antenna=antenna_name,
                    spacecraft=names[craft],
                    begins=aos,
                    ends=los,
                    state="added" if is_added else "opportunity",
                    elevation_deg=elevation_deg,
                )


def _in_order(names: Iterable[str]) -> list[str]:
    """Return names as a person counts them: DD-2 before DD-10."""
    return sorted(names, key=lambda name: [part.zfill(9) for part in re.split(r"(\d+)", name)])
