from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.asked_times import as_field, utc_asked
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.packets import (
    MOST_SHOWN_OCTETS,
    field_rows,
    hex_lines,
)
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from telemetry import selectors
from telemetry.selectors import ExaminedPacket, ListedPacket

_ON_A_PAGE: Final = 50
_LAST_PAGE: Final = 100  # further back one goes by the time
_HEAD_OCTETS: Final = 16
_MAX_APID: Final = 2047


@page(Action.TELEMETRY_VIEW)
def packets(request: HttpRequest, spacecraft: str) -> HttpResponse:
    """Show the packets of one spacecraft, the newest first."""
    craft = _viewed(request, spacecraft)
    number = min(page_number(request), _LAST_PAGE)
    before, apid = utc_asked(request, "before"), _apid_asked(request)
    found = selectors.newest_packets(
        craft, before=before, apid=apid, limit=number * _ON_A_PAGE + 1
    )
    shown = found[(number - 1) * _ON_A_PAGE : number * _ON_A_PAGE]
    has_older = len(found) > number * _ON_A_PAGE and number < _LAST_PAGE
    context = {
        "section": "telemetry",
        "spacecraft": craft,
        "packets": [_row(listed) for listed in shown],
        "filters": {"apid": "" if apid is None else apid, "before": as_field(before)},
        "page": page_links(request, number=number, has_older=has_older),
    }
    return render(request, "console/packets.html", context)


def _row(listed: ListedPacket) -> dict[str, object]:
    packet = listed.packet
    return {
        "cursor": packet.cursor,
        "apid": packet.apid,
        "sequence_count": packet.sequence_count,
        "container": listed.container,
        "generated_at": packet.generated_at,
        "has_own_time": packet.has_own_time,
        "received_at": packet.received_at,
        "station": packet.station,
        "length": len(packet.octets),
        "head_hex": packet.octets[:_HEAD_OCTETS].hex(" ", -2),
    }


@page(Action.TELEMETRY_VIEW)
def packet(request: HttpRequest, spacecraft: str, cursor: int) -> HttpResponse:
    """Show one packet: its header, its octets, and what stands in them."""
    craft = _viewed(request, spacecraft)
    examined = selectors.examine_packet(craft, _stored(craft, cursor))
    octets = examined.packet.octets
    context = {
        "section": "telemetry",
        "spacecraft": craft,
        "packet": examined.packet,
        "container": examined.container,
        "problem": examined.problem,
        "length": len(octets),
        "header": _header(examined),
        "lines": hex_lines(octets, examined.fields),
        "octets_left_out": max(0, len(octets) - MOST_SHOWN_OCTETS),
        "fields": field_rows(examined.fields),
        "derived": field_rows(examined.derived),
    }
    return render(request, "console/packet.html", context)


def _header(examined: ExaminedPacket) -> list[tuple[str, str]]:
    """Return the fields of the primary header as CCSDS 133.0-B-2 names them."""
    header = examined.header
    if header is None:
        return []
    return [
        ("Packet type", "telecommand" if header.packet_type else "telemetry"),
        ("Secondary header", "yes" if header.has_secondary_header else "no"),
        ("APID", f"{header.apid} (0x{header.apid:03x})"),
        ("Sequence flags", header.sequence_flags.name.lower()),
        ("Sequence count", str(header.sequence_count)),
        ("Data length", f"{len(header.data)} octets"),
    ]


@page(Action.TELEMETRY_VIEW)
def packet_octets(request: HttpRequest, spacecraft: str, cursor: int) -> HttpResponse:
    """Answer with the octets of one packet as they were received."""
    craft = _viewed(request, spacecraft)
    name = f"{craft.name}-packet-{cursor}.bin"
    return HttpResponse(
        _stored(craft, cursor).octets,
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _viewed(request: HttpRequest, name: str) -> Spacecraft:
    craft = fleet.get_spacecraft(name=name)
    viewer_of(request).principal.require(Action.TELEMETRY_VIEW, craft.organisation)
    return craft


def _stored(craft: Spacecraft, cursor: int) -> selectors.StoredPacket:
    found = selectors.stored_packet(craft, cursor)
    if found is None:
        raise Http404(f"the packet log of {craft} has no packet at {cursor}")
    return found


def _apid_asked(request: HttpRequest) -> int | None:
    text = request.GET.get("apid", "")
    return int(text) if text.isdecimal() and len(text) < 6 and int(text) <= _MAX_APID else None
