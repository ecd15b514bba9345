from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import Viewer
from missioncontrol.scheduling.models import Outage, Plan
from missioncontrol.scheduling.plan_problem import request_text

_NAME_OF_WINDOW: Final = re.compile(
    r"(.+)/([^/]+)/\d{4}(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII
)
PlaceKey = tuple[str, str, datetime]  # spacecraft, antenna, AOS


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan as a list shows it."""

    pk: int
    state: str
    begins: datetime
    ends: datetime
    repairs: bool
    method: str
    contacts: int
    changed: int
    unserved: int
    gap: str
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when a contact is."""

    antenna: str
    aos: datetime
    los: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A contact that is not as it was."""

    kind: str
    spacecraft: str
    request: str
    before: Place | None
    after: Place | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnservedRow:
    """A request with too few contacts, and why."""

    request: str
    owner: str
    spacecraft: str
    missing: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageRow:
    """An outage that is not over."""

    pk: int
    resource: str
    begins: datetime
    ends: datetime
    planned: bool
    reason: str
    may_lift: bool


def plan_rows(plans: Iterable[Plan]) -> list[PlanRow]:
    """Return plans as a list shows them."""
    return [
        PlanRow(
            pk=plan.pk,
            state=plan.state,
            begins=plan.begins,
            ends=plan.ends,
            repairs=plan.repairs,
            method=plan.method,
            contacts=plan.contact_count,
            changed=len(plan.changes),
            unserved=len(plan.unserved),
            gap=gap_text(plan),
            proposed_by=plan.proposed_by.username,
            proposed_at=plan.proposed_at,
        )
        for plan in plans
    ]


def gap_text(plan: Plan) -> str:
    """Return by how much a plan may be below the best there is; empty where nobody knows."""
    if plan.bound is None or plan.gap is None:
        return ""
    # Where what is missing costs more than all contacts are worth, a part of that says nothing.
    if plan.bound <= 0.0:
        return f"{max(0.0, plan.bound - plan.objective):.1f}"
    return f"{100 * plan.gap:.3f} %"


def seen_mark(plan: Plan) -> str:
    """Return what a decision must repeat: it changes when a worker makes the plan better."""
    return f"{plan.state}/{plan.method}/{plan.objective!r}/{plan.contact_count}"


def change_rows(plan: Plan) -> list[ChangeRow]:
    """Return what becomes of the contacts that were booked when a plan was made."""
    return [
        ChangeRow(
            kind=change["kind"],
            spacecraft=change["spacecraft"],
            request=request_text(change["request"]),
            before=_place(change["before"]),
            after=_place(change["after"]),
            why=change["why"],
        )
        for change in plan.changes
    ]


def change_counts(plan: Plan) -> dict[str, int]:
    """Return how many contacts a plan adds, moves, drops and leaves as they are."""
    kinds = Counter(change["kind"] for change in plan.changes)
    return {
        "added": kinds["ADDED"],
        "moved": kinds["MOVED"] + kinds["TRIMMED"],
        "dropped": kinds["DROPPED"],
        "unchanged": plan.unchanged,
    }


def pin_texts(plan: Plan) -> list[str]:
    """Return what was asked of a plan, a sentence for each window."""
    return [
        f"{_window_text(pin['window'])} is booked, for {request_text(pin['request'])}"
        if pin["request"]
        else f"{_window_text(pin['window'])} is left free"
        for pin in plan.pins
    ]


def _window_text(name: str) -> str:
    """Return the name of a window as a reader says it; another name stays as it is."""
    place = _NAME_OF_WINDOW.fullmatch(name)
    if place is None:
        return name
    return "{} on {} at {}-{} {}:{}:{}Z".format(*place.groups())


def places_changed(plan: Plan) -> tuple[set[PlaceKey], set[PlaceKey]]:
    """Return where a plan frees what is booked, and where it books something new."""
    freed: set[PlaceKey] = set()
    added: set[PlaceKey] = set()
    for change in plan.changes:
        if change["before"] == change["after"]:
            continue  # the same place, for another request
        for places, side in ((freed, change["before"]), (added, change["after"])):
            if side is not None:
                aos = datetime.fromisoformat(side["aos"])
                places.add((change["spacecraft"], side["antenna"], aos))
    return freed, added


def unserved_rows(plan: Plan) -> list[UnservedRow]:
    """Return the requests that a plan does not serve."""
    return [
        UnservedRow(
            request=request_text(one["request"]),
            owner=one["owner"],
            spacecraft=one["spacecraft"],
            missing=one["missing"],
            code=one["code"],
            reason=one["reason"],
        )
        for one in plan.unserved
    ]


def outage_rows(outages: Iterable[Outage], viewer: Viewer) -> list[OutageRow]:
    """Return outages that are not over, and whether *viewer* may lift each."""
    return [
        OutageRow(
            pk=outage.pk,
            resource=outage.resource,
            begins=outage.begins,
            ends=outage.ends,
            planned=outage.planned,
            reason=outage.reason,
            may_lift=viewer.may(Action.PLAN_PROPOSE)
            or viewer.may(Action.OUTAGE_DECLARE, outage.owner),
        )
        for outage in outages
    ]


def _place(place: Mapping[str, Any] | None) -> Place | None:
    if place is None:
        return None
    return Place(
        antenna=place["antenna"],
        aos=datetime.fromisoformat(place["aos"]),
        los=datetime.fromisoformat(place["los"]),
    )
