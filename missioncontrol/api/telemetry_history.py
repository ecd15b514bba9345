"""Telemetry over time, for plots and for programs: samples, buckets, packets, gaps, inputs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import BeforeValidator, Field, WithJsonSchema

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.column_answers import ARROW, CSV, Form, column_answer, form_asked
from missioncontrol.api.fields import (
    Asked,
    Instant,
    Text,
    example,
    parse_asked_instant,
    utc_text,
)
from missioncontrol.api.mission import spacecraft_in_path
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry import selectors

router = Router(tags=["telemetry"])

_HOUR: Final = timedelta(hours=1)
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT_SIZE: Final = 1000
_MILLISECONDS: Final = re.compile(r"[0-9]{1,14}")  # until the year 5138


def _parse_moment(value: object) -> datetime:
    """Return a time given as the API gives it, or as milliseconds since 1970."""
    text = str(value)
    if _MILLISECONDS.fullmatch(text):
        return _UNIX_EPOCH + timedelta(milliseconds=int(text))
    return parse_asked_instant(value)


Moment = Annotated[
    datetime,
    BeforeValidator(_parse_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {
                    "type": "integer",
                    "description": "milliseconds since 1970",
                    "minimum": 0,
                    "maximum": 10**14 - 1,
                },
            ],
            "examples": ["2026-12-01T00:12:34.5Z"],
        }
    ),
]


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

    model_config = example(
        spacecraft="DD-1",
        parameter="PWR_BATT_V",
        unit="V",
        start="2026-12-01T12:00:00Z",
        end="2026-12-01T13:00:00Z",
        truncated=False,
        times=["2026-12-01T12:00:00Z", "2026-12-01T12:00:01Z"],
        values=[28.1, 28.2],
    )

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

    model_config = example(
        spacecraft="DD-1",
        parameter="PWR_BATT_V",
        unit="V",
        start="2026-12-01T12:00:00Z",
        end="2026-12-01T13:00:00Z",
        times=["2026-12-01T12:00:00Z", "2026-12-01T12:30:00Z"],
        minimum=[27.9, 27.8],
        maximum=[28.3, 28.2],
        mean=[28.1, 28.0],
        count=[1800, 1800],
    )

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


@router.get(
    "/spacecraft/{name}/telemetry/{path:parameter}/samples",
    auth=TOKEN_OR_SESSION,
    response=SamplesOut | BucketsOut,
    summary="Samples of one parameter, for plots and programs",
    openapi_extra={
        "responses": {
            200: {
                "content": {
                    CSV: {"schema": {"type": "string"}},
                    ARROW: {"schema": {"type": "string", "format": "binary"}},
                }
            }
        }
    },
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
        start, end = interval(asked.start or selectors.BEGINNING, asked.end)
    else:
        start, end = interval(asked.start, asked.end)
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
    start, end = interval(asked.start, asked.end)
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


def viewed(request: HttpRequest, name: str) -> Spacecraft:
    """Return the spacecraft of an address, whose telemetry the asker may see.

    Raises:
        NotFoundError: there is none.
        NotPermittedError: it may not.
    """
    spacecraft = spacecraft_in_path(name)
    principal_of(request).require(Action.TELEMETRY_VIEW, spacecraft.organisation)
    return spacecraft


def interval(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """Return the interval that is asked for; without one the last hour.

    Raises:
        InvalidInputError: it ends before it begins.
    """
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
