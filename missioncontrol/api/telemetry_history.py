"""Telemetry over time, for plots and for programs: samples, buckets, packets, gaps, inputs."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import BeforeValidator, Field

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.column_answers import Form, column_answer, form_asked
from missioncontrol.api.fields import (
    Asked,
    Instant,
    Number,
    PageSize,
    Text,
    parse_instant,
    utc_text,
)
from missioncontrol.api.mission import spacecraft_in_path
from missioncontrol.api.paging import Page, newest_first
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry import selectors
from telemetry.archive import ArchiveError
from telemetry.models import BadFrame

router = Router(tags=["telemetry"])

_HOUR: Final = timedelta(hours=1)
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT_SIZE: Final = 1000


def _parse_moment(value: object) -> datetime:
    """Return a time given as the API gives it, or as milliseconds since 1970."""
    text = str(value)
    if text.lstrip("-").isdigit() and len(text) <= 15:
        return _UNIX_EPOCH + timedelta(milliseconds=int(text))
    return parse_instant(value)


Moment = Annotated[Instant, BeforeValidator(_parse_moment)]


class Strategy(StrEnum):
    """What is answered where an interval holds more samples than are wanted."""

    MINMAX = "minmax"
    LATEST = "latest"


class SamplesQuery(Asked):
    """Which samples, and how many."""

    start: Moment | None = None
    end: Moment | None = None
    strategy: Strategy | None = None
    size: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    format: Form | None = None


class SamplesOut(Schema):
    """Samples of one parameter, column by column, in order of time."""

    spacecraft: str
    parameter: str
    unit: str
    start: Instant
    end: Instant
    truncated: bool
    times: list[Instant]
    values: list[float | int | str]


class BucketsOut(Schema):
    """Parts of an interval, column by column: least, greatest and mean value, and how many."""

    spacecraft: str
    parameter: str
    unit: str
    start: Instant
    end: Instant
    times: list[Instant]
    minimum: list[float]
    maximum: list[float]
    mean: list[float]
    count: list[int]


class PacketOut(Schema):
    """A space packet as it was received."""

    cursor: int
    apid: int
    sequence_count: int
    generated_at: Instant
    received_at: Instant
    octets: str  # base64


class PacketsOut(Schema):
    """Packets in order of arrival; ``next`` goes into ``cursor``, also at the end of the log."""

    items: list[PacketOut]
    next: int


class BadFrameOut(Schema):
    """Octets that could not be used, and why."""

    id: int
    station: str
    received_at: Instant
    reason: str
    octets: str  # base64


class GapOut(Schema):
    """Packets that are missing between two that are there."""

    apid: int
    after: Instant
    before: Instant
    missing: int


class InputOut(Schema):
    """What came in and what was lost at an input."""

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


class BadFramesQuery(Asked):
    """Which page."""

    cursor: Text | None = None
    limit: PageSize = 100


class IntervalQuery(Asked):
    """Which interval; without one the last hour."""

    start: Moment | None = None
    end: Moment | None = None


@router.get(
    "/spacecraft/{name}/telemetry/{path:parameter}/samples",
    auth=TOKEN_OR_SESSION,
    response=SamplesOut | BucketsOut,
    summary="Samples of one parameter, for plots and programs",
)
def get_samples(
    request: HttpRequest, name: Text, parameter: Text, asked: Query[SamplesQuery]
) -> HttpResponse:
    """Return the samples generated from ``start`` to before ``end``.

    ``strategy=minmax`` answers with at most ``size`` buckets, ``strategy=latest`` with the
    newest ``size`` samples; without a strategy every sample is sent (in JSON the newest
    100,000). Times may be milliseconds since 1970. The form is JSON, CSV
    (``Accept: text/csv`` or ``format=csv``) or an Arrow stream
    (``application/vnd.apache.arrow.stream``, ``format=arrow``).
    """
    spacecraft = viewed(request, name)
    if parameter not in selectors.parameters_of(spacecraft):
        raise NotFoundError(f"{spacecraft} has no parameter {parameter!r}.")
    form = form_asked(request, asked.format)
    try:
        if asked.strategy is Strategy.MINMAX:
            return _buckets(spacecraft, parameter, asked, form)
        return _samples(spacecraft, parameter, asked, form)
    except selectors.TelemetryRefusedError as refusal:
        raise invalid("query.size", asked.size, str(refusal)) from refusal


def _samples(
    spacecraft: Spacecraft, parameter: str, asked: SamplesQuery, form: Form
) -> HttpResponse:
    newest = asked.size
    if asked.strategy is Strategy.LATEST:
        newest = asked.size or 1
        start, end = _interval(asked.start or selectors.BEGINNING, asked.end)
    else:
        start, end = _interval(asked.start, asked.end)
    if form is Form.JSON:
        newest = min(newest or selectors.MAX_SAMPLES, selectors.MAX_SAMPLES)
    found = selectors.samples(spacecraft, parameter, start=start, end=end, newest=newest)
    about = _about(spacecraft, parameter, found.unit, start, end)
    about["truncated"] = newest is not None and len(found) >= newest
    columns = {"time_us": found.times_us, "values": found.values}
    return column_answer(form, columns, about=about, name=f"{spacecraft}-{parameter}")


def _buckets(
    spacecraft: Spacecraft, parameter: str, asked: SamplesQuery, form: Form
) -> HttpResponse:
    start, end = _interval(asked.start, asked.end)
    found = selectors.buckets(
        spacecraft, parameter, start=start, end=end, size=asked.size or _DEFAULT_SIZE
    )
    columns = {
        "time_us": found.starts_us,
        "minimum": found.minimum,
        "maximum": found.maximum,
        "mean": found.mean,
        "count": found.count,
    }
    about = _about(spacecraft, parameter, found.unit, start, end)
    return column_answer(form, columns, about=about, name=f"{spacecraft}-{parameter}")


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
    "/spacecraft/{name}/bad-frames",
    auth=TOKEN_OR_SESSION,
    response=Page[BadFrameOut],
    summary="Frames and packets that could not be used",
)
def list_bad_frames(
    request: HttpRequest, name: Text, asked: Query[BadFramesQuery]
) -> Page[BadFrameOut]:
    """Return what could not be used and why, the newest first."""
    rows = BadFrame.objects.filter(spacecraft=viewed(request, name))
    found, following = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    items = [
        BadFrameOut(
            id=row.pk,
            station=row.station,
            received_at=row.received_at,
            reason=row.reason,
            octets=base64.b64encode(bytes(row.octets)).decode(),
        )
        for row in found
    ]
    return Page(items=items, next=following)


@router.get(
    "/spacecraft/{name}/gaps",
    auth=TOKEN_OR_SESSION,
    response=Page[GapOut],
    summary="Where packets are missing",
)
def list_gaps(request: HttpRequest, name: Text, asked: Query[IntervalQuery]) -> Page[GapOut]:
    """Return the gaps in the packets' counts, by generation time, 1,000 at most."""
    spacecraft = viewed(request, name)
    start, end = _interval(asked.start, asked.end)
    gaps = selectors.packet_gaps(spacecraft, start=start, end=end)
    return Page(
        items=[
            GapOut(apid=gap.apid, after=gap.after, before=gap.before, missing=gap.missing)
            for gap in gaps
        ]
    )


@router.get(
    "/spacecraft/{name}/inputs",
    auth=TOKEN_OR_SESSION,
    response=Page[InputOut],
    summary="What came in without a contact",
)
def list_inputs(request: HttpRequest, name: Text) -> Page[InputOut]:
    """Return what came in, and what was lost, at each input of the link profile."""
    rows = selectors.input_counts(viewed(request, name))
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
        ]
    )


def viewed(request: HttpRequest, name: str) -> Spacecraft:
    """Return the spacecraft of an address, whose telemetry the asker may see.

    Raises:
        NotFoundError: there is none.
        NotPermittedError: it may not.
    """
    spacecraft = spacecraft_in_path(name)
    principal_of(request).require(Action.TELEMETRY_VIEW, spacecraft.organisation)
    return spacecraft


def _interval(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    end = end or (start + _HOUR if start and start != selectors.BEGINNING else clock.now())
    start = start or end - _HOUR
    if end <= start:
        raise invalid("query.end", utc_text(end), f"a time after the start {utc_text(start)}")
    return start, end


def _about(
    spacecraft: Spacecraft, parameter: str, unit: str, start: datetime, end: datetime
) -> dict[str, Any]:
    return {
        "spacecraft": spacecraft.name,
        "parameter": parameter,
        "unit": unit,
        "start": utc_text(start),
        "end": utc_text(end),
    }
