"""What an operator asks of the plan on the timeline, and the plan that answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, viewer_of
from missioncontrol.console.presentation.plans import (
    change_counts,
    change_rows,
    gap_text,
    pin_texts,
)
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError, RefusedError
from missioncontrol.operations.services import start_planning
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.models import Plan

_LIMIT_S: Final = 5.0  # that a worker looks for a better answer
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_SHOWN: Final = 20  # changes beneath the timeline; the plan's page has more


@deed(Action.PLAN_PROPOSE, back="console:timeline")
def propose_wish(request: HttpRequest) -> HttpResponse:
    """Propose a plan with windows booked or left free; answer with it, or with what is against it.

    All that is booked stays as it can. Nothing is booked by this: the plan is
    approved and published as any other.
    """
    viewer, at = viewer_of(request), clock.now()
    wish = services.Wish(include=_names(request, "include"), exclude=_names(request, "exclude"))
    try:
        if not wish:
            raise RefusedError("Nothing was asked for; choose an opportunity or a booked pass.")
        plan, _ = start_planning(
            organisation=viewer.planning_organisation(),
            horizon=_horizon(wish, at),
            repairs=True,
            limit_s=_LIMIT_S,
            asked_by=viewer.operator,
            at=at,
            wall_at=clock.wall_now(),
            wish=wish,
        )
    except NotPermittedError:
        raise
    except RefusedError as refusal:
        context = {"refused": str(refusal), "timeline_url": reverse("console:timeline")}
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return render(request, "console/parts/timeline_plan.html", context, status=status)
    return render(request, "console/parts/timeline_plan.html", plan_part(plan))


def plan_part(plan: Plan | None) -> dict[str, Any]:
    """Return the context of ``parts/timeline_plan.html``: one plan against what is booked."""
    timeline_url = reverse("console:timeline")
    if plan is None:
        return {"timeline_url": timeline_url}
    changes = change_rows(plan)
    return {
        "timeline_url": f"{timeline_url}?plan={plan.pk}",
        "plan": plan,
        "pins": pin_texts(plan),
        "gap": gap_text(plan),
        "counts": change_counts(plan),
        "changes": changes[:_SHOWN],
        "changes_hidden": max(0, len(changes) - _SHOWN),
    }


def _names(request: HttpRequest, field: str) -> tuple[str, ...]:
    return tuple(name for name in request.POST.getlist(field) if name)


def _horizon(wish: services.Wish, at: datetime) -> timedelta:
    """Return how far ahead is planned: as far as the plan in force, and past what is asked for."""
    in_force = selectors.horizon_in_force()
    ends = in_force[1] if in_force is not None and in_force[1] > at + _HOUR else at + _DAY
    asked = [_aos(name) + _HOUR for name in (*wish.include, *wish.exclude)]
    return min(max(ends, *asked) - at, services.MAX_HORIZON)


def _aos(window: str) -> datetime:
    text = window.rpartition("/")[2]
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(f"{window!r} names no window; choose one on the timeline.") from None
