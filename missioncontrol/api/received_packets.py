"""What was received of a spacecraft, packet by packet, and what is missing."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from missioncontrol.api.authentication import TOKEN_OR_SESSION
from missioncontrol.api.fields import Asked, Instant, Number, PageSize, Text, example, utc_text
from missioncontrol.api.paging import Page, PageQuery, in_order
from missioncontrol.api.problems import invalid
from missioncontrol.api.telemetry_history import Moment, interval, viewed
from telemetry import selectors
from telemetry.archive import ArchiveError

router = Router(tags=["telemetry"])

_MAX_SPAN_OF_GAPS: Final = timedelta(days=7)  # every packet of it is looked at
_PACKET: Final[dict[str, Any]] = {
    "cursor": 81920,
    "apid": 100,
    "sequence_count": 17,
    "generated_at": "2026-12-01T12:00:00Z",
    "received_at": "2026-12-01T12:00:01Z",
    "octets": "CGTAEQADAAECAw==",
}


class PacketOut(Schema):
    """A space packet as it was received."""

    model_config = example(**_PACKET)

    cursor: int
    apid: int
    sequence_count: int
    generated_at: Instant
    received_at: Instant
    octets: str  # base64


class PacketsOut(Schema):
    """Packets in order of arrival; ``next`` goes into ``cursor``, also at the end of the log."""

    model_config = example(items=[_PACKET], next=81936)

    items: list[PacketOut]
    next: int


class GapOut(Schema):
    """Packets that are missing between two that are there."""

    model_config = example(
        apid=100, after="2026-12-01T12:00:06Z", before="2026-12-01T12:00:09Z", missing=2
    )

    apid: int
    after: Instant
    before: Instant
    missing: int


class ChannelOut(Schema):
    """Frames of one virtual channel that a station (or ``input:NAME``) heard, and those missing.

    Missing by the frames' own counts; what was sent between two contacts is not lost.
    """

    model_config = example(station="KASHI", virtual_channel=0, frames_good=1452, frames_lost=3)

    station: str
    virtual_channel: int
    frames_good: int
    frames_lost: int


class InputOut(Schema):
    """What came in and what was lost at an input."""

    model_config = example(
        name="beacon",
        units=1200,
        octets=153600,
        rejected=0,
        dropped=3,
        connections=1,
        last_received_at="2026-12-01T12:00:00Z",
        last_dropped_at="2026-12-01T11:00:00Z",
        last_drop_reason="the queue was full",
    )

    name: str
    units: int
    octets: int
    rejected: int
    dropped: int
    connections: int
    last_received_at: Instant | None
    last_dropped_at: Instant | None
    last_drop_reason: str


class PacketsQuery(Asked):
    """Which packets; ``cursor`` 0 begins with the oldest."""

    cursor: Number = 0
    apid: list[Annotated[int, Field(ge=0, le=2047)]] = Field(default=[], max_length=100)
    limit: PageSize = 100


class GapsQuery(PageQuery):
    """Which interval; without one the last hour."""

    start: Moment | None = None
    end: Moment | None = None


@router.get(
    "/spacecraft/{name}/packets",
    auth=TOKEN_OR_SESSION,
    response=PacketsOut,
    summary="Packets as they were received",
)
def list_packets(request: HttpRequest, name: Text, asked: Query[PacketsQuery]) -> PacketsOut:
    """Return the packets that were logged after ``cursor``, in order of arrival."""
    spacecraft = viewed(request, name)
    try:
        with selectors.archive_reader(spacecraft) as reader:
            page = reader.packets_since(
                asked.cursor,
                spacecraft=spacecraft.name,
                apids=frozenset(asked.apid) or None,
                limit=asked.limit,
            )
    except ArchiveError as error:
        raise invalid("query.cursor", asked.cursor, str(error)) from error
    items = [
        PacketOut(
            cursor=packet.cursor,
            apid=packet.apid,
            sequence_count=packet.sequence_count,
            generated_at=packet.generated_at,
            received_at=packet.received_at,
            octets=base64.b64encode(packet.octets).decode(),
        )
        for packet in page.packets
    ]
    return PacketsOut(items=items, next=page.cursor)


@router.get(
    "/spacecraft/{name}/gaps",
    auth=TOKEN_OR_SESSION,
    response=Page[GapOut],
    summary="Where packets are missing",
)
def list_gaps(request: HttpRequest, name: Text, asked: Query[GapsQuery]) -> Page[GapOut]:
    """Return the gaps in the packets' counts, by generation time."""
    spacecraft = viewed(request, name)
    start, end = interval(asked.start, asked.end)
    if end - start > _MAX_SPAN_OF_GAPS:
        raise invalid("query.end", utc_text(end), f"at most {_MAX_SPAN_OF_GAPS.days} days later")
    gaps, following = in_order(
        selectors.packet_gaps(spacecraft, start=start, end=end),
        name_of=lambda gap: f"{utc_text(gap.after)}~{gap.apid}",
        cursor=asked.cursor,
        limit=asked.limit,
    )
    return Page(
        items=[
            GapOut(apid=gap.apid, after=gap.after, before=gap.before, missing=gap.missing)
            for gap in gaps
        ],
        next=following,
    )


@router.get(
    "/spacecraft/{name}/virtual-channels",
    auth=TOKEN_OR_SESSION,
    response=Page[ChannelOut],
    summary="Frames received and lost by virtual channel",
)
def list_virtual_channels(
    request: HttpRequest, name: Text, asked: Query[GapsQuery]
) -> Page[ChannelOut]:
    """Return the frames received and lost, by station and virtual channel.

    They are counted by the hour of reception: every hour that the interval touches counts.
    """
    spacecraft = viewed(request, name)
    start, end = interval(asked.start, asked.end)
    counts, following = in_order(
        selectors.channel_counts(spacecraft, start=start, end=end),
        name_of=lambda one: f"{one.station}~{one.virtual_channel}",
        cursor=asked.cursor,
        limit=asked.limit,
    )
    return Page(
        items=[
            ChannelOut(
                station=one.station,
                virtual_channel=one.virtual_channel,
                frames_good=one.frames_good,
                frames_lost=one.frames_lost,
            )
            for one in counts
        ],
        next=following,
    )


@router.get(
    "/spacecraft/{name}/inputs",
    auth=TOKEN_OR_SESSION,
    response=Page[InputOut],
    summary="What came in without a contact",
)
def list_inputs(request: HttpRequest, name: Text, asked: Query[PageQuery]) -> Page[InputOut]:
    """Return what came in, and what was lost, at each input of the link profile."""
    rows, following = in_order(
        selectors.input_counts(viewed(request, name)),
        name_of=lambda row: row.name,
        cursor=asked.cursor,
        limit=asked.limit,
    )
    return Page(
        items=[
            InputOut(
                name=row.name,
                units=row.units,
                octets=row.octets,
                rejected=row.rejected,
                dropped=row.dropped,
                connections=row.connections,
                last_received_at=row.last_received_at,
                last_dropped_at=row.last_dropped_at,
                last_drop_reason=row.last_drop_reason,
            )
            for row in rows
        ],
        next=following,
    )
