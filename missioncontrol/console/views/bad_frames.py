from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from missioncontrol.accounts.policy import Action
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.packets import MOST_SHOWN_OCTETS, field_rows, hex_lines
from telemetry import selectors
from telemetry.models import BadFrame

_HEAD_OCTETS: Final = 12


@page(Action.TELEMETRY_VIEW)
def bad_frames(request: HttpRequest) -> HttpResponse:
    """Show what came from the sky and could not be used."""
    spacecraft = viewer_of(request).spacecraft()
    filters = {name: request.GET.get(name, "") for name in ("reason", "station")}
    found = reads.bad_frames(
        spacecraft,
        reason=filters["reason"],
        station=filters["station"],
        page=page_number(request),
    )
    context = {
        "section": "telemetry",
        "bad_frames": [_row(frame) for frame in found.rows],
        "reasons": reads.bad_frame_reasons(spacecraft),
        "station_names": reads.bad_frame_stations(spacecraft),
        "filters": filters,
        "page": page_links(request, number=found.number, has_older=found.has_older),
    }
    return render(request, "console/bad_frames.html", context)


def _row(frame: BadFrame) -> dict[str, object]:
    octets = bytes(frame.octets)
    return {
        "pk": frame.pk,
        "received_at": frame.received_at,
        "station": frame.station,
        "spacecraft": frame.spacecraft.name,
        "reason": frame.reason,
        "length": len(octets),
        "head_hex": octets[:_HEAD_OCTETS].hex(" ", -2),
        "contact_pk": frame.contact_id,
    }


@page(Action.TELEMETRY_VIEW)
def bad_frame(request: HttpRequest, frame_id: int) -> HttpResponse:
    """Show one frame with its octets."""
    frame = _viewed(request, frame_id)
    octets = bytes(frame.octets)
    fields = selectors.examine_bad_frame(frame)
    context = {
        "section": "telemetry",
        "frame": frame,
        "length": len(octets),
        "lines": hex_lines(octets, fields),
        "fields": field_rows(fields),
        "octets_left_out": max(0, len(octets) - MOST_SHOWN_OCTETS),
    }
    return render(request, "console/bad_frame.html", context)


@page(Action.TELEMETRY_VIEW)
def bad_frame_octets(request: HttpRequest, frame_id: int) -> HttpResponse:
    """Answer with the octets of one frame as they were received."""
    frame = _viewed(request, frame_id)
    return HttpResponse(
        bytes(frame.octets),
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="bad-frame-{frame.pk}.bin"'},
    )


def _viewed(request: HttpRequest, frame_id: int) -> BadFrame:
    frame = reads.get_bad_frame(frame_id)
    viewer_of(request).principal.require(Action.TELEMETRY_VIEW, frame.spacecraft.organisation)
    return frame
