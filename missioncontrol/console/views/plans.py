from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, go_back, page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.outages import outage_panels
from missioncontrol.console.presentation.plans import (
    change_rows,
    gap_text,
    pin_texts,
    plan_rows,
    seen_mark,
    unserved_rows,
)
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Antenna, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.operations.services import start_planning
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.models import Plan

_PLANS_ON_A_PAGE: Final = 20
_LIMIT_S: Final = 20.0
_HORIZONS_H: Final = (6, 12, 24, 48)
_SHOWN: Final = 200  # changes on a page; the API has all


@page(Action.PLAN_VIEW)
def plans(request: HttpRequest) -> HttpResponse:
    """Show the plans, what is out, and the form that proposes a plan."""
    viewer, at, number = viewer_of(request), clock.now(), page_number(request)
    begin = (number - 1) * _PLANS_ON_A_PAGE
    rows = list(selectors.plans()[begin : begin + _PLANS_ON_A_PAGE + 1])
    context = {
        "section": "plans",
        "plans": plan_rows(rows[:_PLANS_ON_A_PAGE]),
        "page": page_links(request, number=number, has_older=len(rows) > _PLANS_ON_A_PAGE),
        **outage_panels(viewer, at),
        "may_propose": viewer.may(Action.PLAN_PROPOSE),
        "horizons_h": _HORIZONS_H,
    }
    return render(request, "console/plans.html", context)


@page(Action.PLAN_VIEW)
def plan_detail(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Show one plan: how good it is, whom it does not serve, what it changes."""
    viewer = viewer_of(request)
    plan = selectors.get_plan(plan_id)
    changes = change_rows(plan)
    context = {
        "section": "plans",
        "plan": plan,
        "gap": gap_text(plan),
        "pins": pin_texts(plan),
        "on_timeline": plan.state in {Plan.State.PROPOSED, Plan.State.APPROVED},
        "seen": seen_mark(plan),
        "changes": changes[:_SHOWN],
        "changes_hidden": max(0, len(changes) - _SHOWN),
        "unserved": unserved_rows(plan),
        "may_decide": plan.state == Plan.State.PROPOSED and viewer.may(Action.PLAN_APPROVE),
        "may_publish": plan.state == Plan.State.APPROVED and viewer.may(Action.PLAN_PUBLISH),
        "audit_url": f"{reverse('console:audit')}?q=plan:{plan.pk}",
    }
    return render(request, "console/plan_detail.html", context)


@deed(Action.PLAN_PROPOSE, back="console:plans")
def propose_plan(request: HttpRequest) -> HttpResponse:
    """Propose a plan at once, and have a worker make it better."""
    viewer = viewer_of(request)
    plan, _ = start_planning(
        organisation=viewer.planning_organisation(),
        horizon=timedelta(hours=_hours(request)),
        repairs=request.POST.get("repairs") == "on",
        limit_s=_LIMIT_S,
        asked_by=viewer.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    messages.success(
        request,
        f"Plan {plan.pk} is proposed. For {_LIMIT_S:.0f} s a worker looks for a better one.",
    )
    return redirect("console:plan_detail", plan.pk)


@deed(Action.PLAN_APPROVE, back="console:plans")
def approve_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Let a plan be published, as its reader has seen it."""
    with _as_seen(request, plan_id):
        services.approve_plan(plan_id=plan_id, actor=viewer_of(request).operator, at=clock.now())
    messages.success(request, f"Plan {plan_id} is approved.")
    return go_back(request, "console:plans")


@deed(Action.PLAN_APPROVE, back="console:plans")
def refuse_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Turn a plan down."""
    services.refuse_plan(plan_id=plan_id, actor=viewer_of(request).operator, at=clock.now())
    messages.success(request, f"Plan {plan_id} is refused.")
    return go_back(request, "console:plans")


@deed(Action.PLAN_PUBLISH, back="console:plans")
def publish_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Put an approved plan in force."""
    with _as_seen(request, plan_id):
        plan = services.publish_plan(
            plan_id=plan_id, actor=viewer_of(request).operator, at=clock.now()
        )
    messages.success(request, f"Plan {plan.pk} is in force.")
    if plan.left_out:
        messages.warning(
            request, f"{len(plan.left_out)} of its contacts could not be booked any more."
        )
    return go_back(request, "console:plans")


@deed(Action.OUTAGE_DECLARE, back="console:stations")
def declare_outage(request: HttpRequest) -> HttpResponse:
    """Say that an antenna or a spacecraft serves nobody for a while."""
    outage = services.declare_outage(
        of=_resource(request.POST.get("resource", "")),
        begins=_instant(request, "begins"),
        ends=_instant(request, "ends"),
        planned=request.POST.get("planned") == "on",
        reason=request.POST.get("reason", "")[:300],
        actor=viewer_of(request).operator,
        at=clock.now(),
    )
    messages.success(
        request, f"The outage of {outage.resource} is declared. A plan that repairs follows it."
    )
    return go_back(request, "console:stations")


@deed(Action.OUTAGE_DECLARE, back="console:stations")
def lift_outage(request: HttpRequest, outage_id: int) -> HttpResponse:
    """Say that what was out serves again."""
    outage = services.lift_outage(
        outage_id=outage_id, actor=viewer_of(request).operator, at=clock.now()
    )
    messages.success(request, f"{outage.resource} serves again.")
    return go_back(request, "console:stations")


@contextmanager
def _as_seen(request: HttpRequest, plan_id: int) -> Iterator[None]:
    """Decide inside only on what the page showed: a worker may make a plan better meanwhile."""
    with transaction.atomic():
        list(Plan.objects.filter(pk=plan_id).only("pk").select_for_update())
        if request.POST.get("seen") != seen_mark(selectors.get_plan(plan_id)):
            raise RefusedError(
                f"Plan {plan_id} has changed since this page was made: a worker made it better, "
                "or somebody decided. Look at it once more, then decide."
            )
        yield


def _hours(request: HttpRequest) -> float:
    text = request.POST.get("hours", "")
    if text not in {str(hours) for hours in _HORIZONS_H}:
        raise RefusedError(f"The horizon is {text!r} h; choose one of those offered.")
    return float(text)


def _instant(request: HttpRequest, name: str) -> datetime:
    text = request.POST.get(name, "")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(
            f"{name} is {text!r}; give a date and a time in UTC, as 2026-12-01T18:00."
        ) from None


def _resource(name: str) -> Antenna | Spacecraft:
    found = next((each for each in fleet.active_antennas() if each.name == name), None)
    if found is not None:
        return found
    try:
        return fleet.get_spacecraft(name=name)
    except Spacecraft.DoesNotExist:
        raise RefusedError(f"{name!r} is no antenna and no spacecraft; choose one.") from None
