from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.presentation.parameters import (
    ParameterFilter,
    first_to_plot,
    parameter_rows,
    totals,
    unit_text,
)
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry import selectors
from telemetry.selectors import TelemetryRefusedError

_SPANS: Final = {900: "15 min", 3600: "1 h", 21600: "6 h", 86400: "24 h"}
_MOST_PLOTTED: Final = 5
_MOST_POINTS: Final = 2000
_DEFAULT_POINTS: Final = 500


@page(Action.TELEMETRY_VIEW)
def telemetry(request: HttpRequest, spacecraft: str = "") -> HttpResponse:
    """Show every parameter of one spacecraft with its age, and a plot."""
    craft = _chosen(request, spacecraft or request.GET.get("spacecraft", ""))
    wanted = ParameterFilter(
        q=request.GET.get("q", ""),
        subsystem=request.GET.get("subsystem", ""),
        only=request.GET.get("only", ""),
    )
    plotted = request.GET.getlist("plot")[:_MOST_PLOTTED] or first_to_plot(craft)
    rows = parameter_rows(craft, at=clock.now(), wanted=wanted, plotted=plotted)
    context = {
        "section": "telemetry",
        "spacecraft": craft,
        "spacecraft_names": [each.name for each in viewer_of(request).spacecraft()],
        "parameters": rows,
        "subsystems": list(dict.fromkeys(row.subsystem for row in rows)),
        "filters": wanted,
        "totals": totals(rows),
        "samples_url": reverse("console:samples", args=[craft.name]),
        "plot": {"span_s": _span(request)},
        "spans": [{"span_s": span_s, "label": label} for span_s, label in _SPANS.items()],
    }
    return render(request, "console/telemetry.html", context)


def _chosen(request: HttpRequest, name: str) -> Spacecraft:
    viewer = viewer_of(request)
    if name:
        craft = fleet.get_spacecraft(name=name)
        viewer.principal.require(Action.TELEMETRY_VIEW, craft.organisation)
        return craft
    mine = viewer.spacecraft()
    if not mine:
        raise Http404("no spacecraft to show")
    return mine[0]


def _span(request: HttpRequest) -> int:
    text = request.GET.get("span", "")
    return int(text) if text.isdecimal() and int(text) in _SPANS else 3600


@page(Action.TELEMETRY_VIEW)
def samples(request: HttpRequest, spacecraft: str) -> HttpResponse:
    """Answer with the values of one parameter over time, for the plot (JSON)."""
    craft = _chosen(request, spacecraft)
    try:
        history = selectors.history(
            craft,
            request.GET.get("parameter", ""),
            start=_instant(request, "start"),
            end=_instant(request, "end"),
            size=_points(request),
        )
    except TelemetryRefusedError as error:
        return JsonResponse({"refused": str(error)}, status=422)
    return JsonResponse(
        {
            "parameter": history.parameter,
            "unit": unit_text(history.unit),
            "times_s": [instant.timestamp() for instant in history.times],
            "values": [_finite(value) for value in history.values],
        }
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
    return min(_MOST_POINTS, max(2, int(text))) if text.isdecimal() else _DEFAULT_POINTS


def _finite(value: float | int | str) -> float | int | None:
    """Return a number that JSON can carry; what is none becomes a gap."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None
