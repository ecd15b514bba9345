from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from missioncontrol.accounts.policy import Action
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import deed, go_back, page, viewer_of
from missioncontrol.console.context import alarms_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.alarms import alarm_rows
from missioncontrol.kernel import clock
from telemetry import services


@page(Action.TELEMETRY_VIEW)
def alarms(request: HttpRequest) -> HttpResponse:
    """Show the alarms that are active or not acknowledged, and those that are over."""
    viewer = viewer_of(request)
    ended = reads.ended_alarms(viewer.spacecraft(), page=page_number(request))
    context = {
        "section": "alarms",
        "alarms": alarm_rows(alarms_of(viewer), viewer),
        "ended": alarm_rows(ended.rows, viewer),
        "page": page_links(request, number=ended.number, has_older=ended.has_older),
    }
    return render(request, "console/alarms.html", context)


@deed(Action.ALARM_ACKNOWLEDGE, back="console:alarms")
def acknowledge_alarm(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Note that the operator has seen an alarm."""
    alarm = services.acknowledge_alarm(
        alarm_id=alarm_id, operator=viewer_of(request).operator, at=clock.now()
    )
    messages.success(request, f"{alarm.parameter} is acknowledged.")
    return go_back(request, "console:alarms")
