"""What came from the sky and could not be used: kept with its octets and the reason."""

from __future__ import annotations

import hashlib
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.conditions import READ, heed_condition
from missioncontrol.api.fields import Instant, Number, Sentence, Text, example
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from telemetry.ccsds.frame_fault import FrameFault
from telemetry.models import BadFrame

router = Router(tags=["telemetry"], auth=TOKEN_OR_SESSION)

_HEAD_OCTETS: Final = 12


class BadFrameOut(Schema):
    """Octets that could not be used; ``head`` are the first twelve, in hexadecimal.

    ``fault`` is the reason as a word to count by; empty for what was kept before
    such words were.
    """

    model_config = example(
        id=2,
        spacecraft="DD-1",
        station="KASHI",
        contact=1,
        received_at="2026-12-01T12:24:31Z",
        fault="fecf",
        reason="frame error control field does not match",
        octets=1115,
        head="042700118800000000000000",
        sha256="5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    )

    id: int
    spacecraft: str
    station: str
    contact: int | None
    received_at: Instant
    fault: str
    reason: str
    octets: int
    head: str
    sha256: str


class BadFrameQuery(PageQuery):
    """Which frames; each field must match exactly."""

    spacecraft: Text | None = None
    station: Text | None = None
    fault: FrameFault | None = None
    reason: Sentence | None = None


@router.get("/bad-frames", response=Page[BadFrameOut], summary="Frames that could not be used")
def list_bad_frames(request: HttpRequest, asked: Query[BadFrameQuery]) -> Page[BadFrameOut]:
    """Return frames and packets that could not be used, the newest first."""
    principal = principal_of(request)
    rows = _visible(principal)
    if asked.spacecraft:
        spacecraft = spacecraft_in_field(asked.spacecraft, "query.spacecraft")
        principal.require(Action.TELEMETRY_VIEW, spacecraft.organisation)
        rows = rows.filter(spacecraft=spacecraft)
    if asked.station:
        rows = rows.filter(station=asked.station)
    if asked.fault:
        rows = rows.filter(fault=asked.fault)
    if asked.reason:
        rows = rows.filter(reason=asked.reason)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_frame_out(frame) for frame in found], next=cursor)


@router.get("/bad-frames/{frame_id}", response=BadFrameOut, summary="One bad frame")
def get_bad_frame(request: HttpRequest, frame_id: Number) -> BadFrameOut:
    """Return why one frame could not be used; nothing about it changes any more."""
    return _frame_out(_get(principal_of(request), frame_id))


@router.get(
    "/bad-frames/{frame_id}/octets",
    summary="The octets of a bad frame",
    openapi_extra={
        **READ,
        "responses": {
            200: {
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                }
            }
        },
    },
)
def get_bad_frame_octets(request: HttpRequest, frame_id: Number) -> HttpResponse:
    """Return the octets as they were received."""
    octets = bytes(_get(principal_of(request), frame_id).octets)
    etag = f'"{hashlib.sha256(octets).hexdigest()}"'
    heed_condition(request, etag)
    return HttpResponse(
        octets,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="bad-frame-{frame_id}.bin"',
            "ETag": etag,
        },
    )


def _visible(principal: Principal) -> QuerySet[BadFrame]:
    principal.require(Action.TELEMETRY_VIEW)
    return _frames().filter(
        spacecraft__organisation__in=principal.organisations_with(Action.TELEMETRY_VIEW)
    )


def _frames() -> QuerySet[BadFrame]:
    return BadFrame.objects.select_related("spacecraft__organisation")


def _get(principal: Principal, frame_id: int) -> BadFrame:
    frame = _frames().filter(pk=frame_id).first()
    if frame is None:
        raise NotFoundError(f"There is no bad frame {frame_id}, or it is of another's spacecraft.")
    principal.require(Action.TELEMETRY_VIEW, frame.spacecraft.organisation)
    return frame


def _frame_out(frame: BadFrame) -> BadFrameOut:
    octets = bytes(frame.octets)
    return BadFrameOut(
        id=frame.pk,
        spacecraft=frame.spacecraft.name,
        station=frame.station,
        contact=frame.contact_id,
        received_at=frame.received_at,
        fault=frame.fault,
        reason=frame.reason,
        octets=len(octets),
        head=octets[:_HEAD_OCTETS].hex(),
        sha256=hashlib.sha256(octets).hexdigest(),
    )
