from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.presentation.plots import plotted, plotted_csv
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from telemetry import selectors
from telemetry.archive import ArchiveUnavailableError
from telemetry.selectors import BucketColumns, TelemetryRefusedError

MOST_PLOTTED: Final = 5
_MOST_POINTS: Final = 2000
_DEFAULT_POINTS: Final = 500
_AWAY: Final = "The history of values cannot be had now. Try again in a moment."

logger = logging.getLogger(__name__)


@page(Action.TELEMETRY_VIEW)
def samples(request: HttpRequest, spacecraft: str) -> HttpResponse:
    """Answer with one parameter over time, in buckets, and its limits (JSON)."""
    craft = _viewed(request, spacecraft)
    name = request.GET.get("parameter", "")
    try:
        found = _buckets(request, craft, name)
        limits = selectors.limits_in_force(
            craft, name, start=_instant(request, "start"), end=_instant(request, "end")
        )
    except TelemetryRefusedError as error:
        return JsonResponse({"refused": str(error)}, status=422)
    except ArchiveUnavailableError as error:
        logger.warning("no history for a plot of %s: %s", craft, error)
        return JsonResponse({"refused": _AWAY}, status=503)
    return JsonResponse(plotted(found, limits))


@page(Action.TELEMETRY_VIEW)
def plot_csv(request: HttpRequest, spacecraft: str) -> HttpResponse:
    """Answer with what a plot of some parameters shows, as a file."""
    craft = _viewed(request, spacecraft)
    names = request.GET.getlist("parameter")
    try:
        if not 1 <= len(names) <= MOST_PLOTTED:
            raise TelemetryRefusedError(
                f"{len(names)} parameters; a plot has 1 to {MOST_PLOTTED}. The API gives more."
            )
        text = plotted_csv([_buckets(request, craft, name) for name in names])
    except TelemetryRefusedError as error:
        return HttpResponse(f"{error}\n", content_type="text/plain; charset=utf-8", status=422)
    except ArchiveUnavailableError as error:
        logger.warning("no history for a plot of %s: %s", craft, error)
        return HttpResponse(f"{_AWAY}\n", content_type="text/plain; charset=utf-8", status=503)
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{craft.name}-plot.csv"'},
    )


def _viewed(request: HttpRequest, name: str) -> Spacecraft:
    craft = fleet.get_spacecraft(name=name)
    viewer_of(request).principal.require(Action.TELEMETRY_VIEW, craft.organisation)
    return craft


def _buckets(request: HttpRequest, spacecraft: Spacecraft, name: str) -> BucketColumns:
    return selectors.buckets(
        spacecraft,
        name,
        start=_instant(request, "start"),
        end=_instant(request, "end"),
        size=_points(request),
    )


def _instant(request: HttpRequest, name: str) -> datetime:
    text = request.GET.get(name, "")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise TelemetryRefusedError(
            f"{name} is {text!r}; give an instant with its zone, as 2026-12-01T12:00:00Z."
        )
    return instant


def _points(request: HttpRequest) -> int:
    text = request.GET.get("points", "")
    is_number = text.isdecimal() and len(text) < 12
    return min(_MOST_POINTS, max(2, int(text))) if is_number else _DEFAULT_POINTS
