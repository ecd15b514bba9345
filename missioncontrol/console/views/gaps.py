from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from missioncontrol.accounts.policy import Action
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.asked_times import as_field, utc_asked
from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from telemetry import selectors

# Every packet of the time is looked at: longer ones are for the API.
_SPANS: Final = {3600: "1 h", 21_600: "6 h", 86_400: "24 h"}
_DEFAULT_SPAN_S: Final = 3600
_MOST_SHOWN: Final = 200


@page(Action.TELEMETRY_VIEW)
def gaps(request: HttpRequest, spacecraft: str) -> HttpResponse:
    """Show what was received of one spacecraft and what is missing."""
    craft = fleet.get_spacecraft(name=spacecraft)
    viewer_of(request).principal.require(Action.TELEMETRY_VIEW, craft.organisation)
    span_s, until = _span(request), utc_asked(request, "until")
    end = until or clock.now()
    start = end - timedelta(seconds=span_s)
    account = selectors.packet_account(craft, start=start, end=end)
    shown = account.gaps[: -_MOST_SHOWN - 1 : -1]
    context = {
        "section": "telemetry",
        "spacecraft": craft,
        "start": start,
        "end": end,
        "apids": account.apids,
        "packets": sum(one.packets for one in account.apids),
        "missing": sum(one.missing for one in account.apids),
        "gaps": [{"gap": gap, "length": gap.before - gap.after} for gap in shown],
        "gaps_left_out": len(account.gaps) - len(shown),
        "channels": selectors.channel_counts(craft, start=start, end=end),
        "sessions": reads.link_sessions(craft, start=start, end=end),
        "inputs": selectors.input_counts(craft),
        "filters": {"span_s": span_s, "until": as_field(until)},
        "spans": list(_SPANS.items()),
    }
    return render(request, "console/gaps.html", context)


def _span(request: HttpRequest) -> int:
    text = request.GET.get("span", "")
    return next((span_s for span_s in _SPANS if str(span_s) == text), _DEFAULT_SPAN_S)
