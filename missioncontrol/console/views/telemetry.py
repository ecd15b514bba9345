from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.asked_times import utc_asked
from missioncontrol.console.presentation.parameters import (
    ParameterFilter,
    first_to_plot,
    parameter_rows,
    subsystem_tiles,
    totals,
)
from missioncontrol.console.views.plots import MOST_PLOTTED
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock

_SPANS: Final = {
    900: "15 min",
    3600: "1 h",
    21_600: "6 h",
    86_400: "24 h",
    604_800: "7 d",
    7_776_000: "90 d",
    31_557_600: "1 y",
    157_788_000: "5 y",
}
_DEFAULT_SPAN_S: Final = 3600
_LONGEST_SPAN_S: Final = 50 * 31_557_600


@page(Action.TELEMETRY_VIEW)
def telemetry(request: HttpRequest, spacecraft: str = "") -> HttpResponse:
    """Show every parameter of one spacecraft with its age, and a plot."""
    craft = _chosen(request, spacecraft or request.GET.get("spacecraft", ""))
    wanted = ParameterFilter(
        q=request.GET.get("q", ""),
        subsystem=request.GET.get("subsystem", ""),
        only=request.GET.get("only", ""),
    )
    plotted = request.GET.getlist("plot")[:MOST_PLOTTED] or first_to_plot(craft)
    at = clock.now()
    rows = parameter_rows(craft, at=at, wanted=wanted, plotted=plotted)
    context = {
        "section": "telemetry",
        "spacecraft": craft,
        "spacecraft_names": [each.name for each in viewer_of(request).spacecraft()],
        "parameters": rows,
        "subsystems": list(dict.fromkeys(row.subsystem for row in rows)),
        "filters": wanted,
        "totals": totals(rows),
        "tiles": subsystem_tiles(craft, at=at),
        "samples_url": reverse("console:samples", args=[craft.name]),
        "csv_url": reverse("console:plot_csv", args=[craft.name]),
        "plot": {
            "span_s": _span(request),
            "start": utc_asked(request, "start"),
            "end": utc_asked(request, "end"),
        },
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
    is_one = text.isdecimal() and len(text) < 12 and 1 <= int(text) <= _LONGEST_SPAN_S
    return int(text) if is_one else _DEFAULT_SPAN_S
