"""Current values, the health of subsystems, and history."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import (
    Asked,
    AskedInstant,
    Instant,
    PageSize,
    Text,
    Value,
    example,
    finite,
    utc_text,
)
from missioncontrol.api.mission import spacecraft_in_path
from missioncontrol.api.paging import Page, PageQuery, in_order
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry import selectors
from telemetry.selectors import CurrentValue, SubsystemHealth

router = Router(tags=["telemetry"])

_HOUR: Final = timedelta(hours=1)


class CurrentValueOut(Schema):
    """The newest value of one parameter; null and ``off`` before the first.

    ``state`` is normal, caution, serious, critical, standby or off.
    """

    model_config = example(
        name="PWR_BATT_V",
        subsystem="power",
        description="Battery voltage",
        unit="V",
        value=51.5,
        raw=2060,
        state="normal",
        generated_at="2026-12-01T11:58:00Z",
    )

    name: str
    subsystem: str
    description: str
    unit: str
    value: Value
    raw: Value
    state: str
    generated_at: Instant | None


class LatestOut(Page[CurrentValueOut]):
    """The newest values of one spacecraft, in the order of its dictionary."""

    spacecraft: str


class SubsystemOut(Schema):
    """The worst state of a subsystem's parameters, and how many are in trouble."""

    model_config = example(
        name="power",
        state="normal",
        parameters=12,
        in_trouble=0,
        newest_at="2026-12-01T11:58:00Z",
    )

    name: str
    state: str
    parameters: int
    in_trouble: int
    newest_at: Instant | None


class HistoryOut(Schema):
    """Values of one parameter, column by column.

    With ``size`` each entry is a bucket: ``times`` its begin, ``values`` its
    mean, ``minimum`` and ``maximum`` its ends; without, these two are null.
    ``truncated``: only the newest samples of the interval are here.
    """

    model_config = example(
        spacecraft="DD-1",
        parameter="PWR_BATT_V",
        unit="V",
        start="2026-12-01T11:00:00Z",
        end="2026-12-01T12:00:00Z",
        times=["2026-12-01T11:58:00Z", "2026-12-01T11:59:00Z"],
        values=[51.5, 53.0],
        minimum=None,
        maximum=None,
        truncated=False,
    )

    spacecraft: str
    parameter: str
    unit: str
    start: Instant
    end: Instant
    times: list[Instant]
    values: list[Value]
    minimum: list[Value] | None
    maximum: list[Value] | None
    truncated: bool


class LatestQuery(PageQuery):
    """Which parameters; none: all."""

    parameter: list[Text] = Field(default=[], max_length=200)
    limit: Annotated[PageSize, Field(description="items on a page")] = 500


class HistoryQuery(Asked):
    """Which samples; without an interval those of the last hour."""

    start: AskedInstant | None = None
    end: AskedInstant | None = None
    size: Annotated[
        int | None, Field(ge=1, le=10_000, description="how many buckets; without: every sample")
    ] = None


@router.get(
    "/spacecraft/{name}/telemetry/latest",
    auth=TOKEN_OR_SESSION,
    response=LatestOut,
    summary="Newest values",
)
def get_latest(request: HttpRequest, name: Text, asked: Query[LatestQuery]) -> LatestOut:
    """Return the newest value of every parameter, or of those named (``?parameter=A&…``)."""
    spacecraft = _viewed(request, name)
    known = selectors.parameters_of(spacecraft)
    for parameter in asked.parameter:
        if parameter not in known:
            raise invalid(
                "query.parameter",
                parameter,
                f"a parameter of {spacecraft}; without this field all {len(known)} are listed",
            )
    names, cursor = in_order(
        list(dict.fromkeys(asked.parameter)) or list(known),
        name_of=str,
        cursor=asked.cursor,
        limit=asked.limit,
    )
    values = selectors.latest_values(spacecraft, names=names)
    return LatestOut(
        spacecraft=spacecraft.name, items=[_value_out(value) for value in values], next=cursor
    )


@router.get(
    "/spacecraft/{name}/subsystems",
    auth=TOKEN_OR_SESSION,
    response=Page[SubsystemOut],
    summary="Health of the subsystems",
)
def list_subsystems(
    request: HttpRequest, name: Text, asked: Query[PageQuery]
) -> Page[SubsystemOut]:
    """Return the worst state in each subsystem, in the order of the dictionary."""
    health = selectors.subsystem_health(selectors.latest_values(_viewed(request, name)))
    found, cursor = in_order(
        health, name_of=lambda each: each.name, cursor=asked.cursor, limit=asked.limit
    )
    return Page(items=[_subsystem_out(each) for each in found], next=cursor)


@router.get(
    # Two of one name are told apart by the paths of their systems: with slashes.
    "/spacecraft/{name}/telemetry/{path:parameter}",
    auth=TOKEN_OR_SESSION,
    response=HistoryOut,
    summary="History of one parameter",
)
def get_history(
    request: HttpRequest, name: Text, parameter: Text, asked: Query[HistoryQuery]
) -> HistoryOut:
    """Return the samples generated from ``start`` to before ``end``, by time."""
    spacecraft = _viewed(request, name)
    if parameter not in selectors.parameters_of(spacecraft):
        raise NotFoundError(f"{spacecraft} has no parameter {parameter!r}.")
    end = asked.end or (asked.start + _HOUR if asked.start else clock.now())
    start = asked.start or end - _HOUR
    if end <= start:
        raise invalid("query.end", utc_text(end), f"a time after the start {utc_text(start)}")
    try:
        history = selectors.history(spacecraft, parameter, start=start, end=end, size=asked.size)
    except selectors.TelemetryRefusedError as refusal:  # buckets of what is no number
        raise invalid("query.size", asked.size, str(refusal)) from refusal
    return HistoryOut(
        spacecraft=spacecraft.name,
        parameter=parameter,
        unit=history.unit,
        start=start,
        end=end,
        times=history.times,
        values=[finite(value) for value in history.values],
        minimum=_column(history.minimum),
        maximum=_column(history.maximum),
        truncated=asked.size is None and len(history.times) >= selectors.MAX_SAMPLES,
    )


def _viewed(request: HttpRequest, name: str) -> Spacecraft:
    spacecraft = spacecraft_in_path(name)
    principal_of(request).require(Action.TELEMETRY_VIEW, spacecraft.organisation)
    return spacecraft


def _column(values: list[float] | None) -> list[Value] | None:
    return None if values is None else [finite(value) for value in values]


def _subsystem_out(health: SubsystemHealth) -> SubsystemOut:
    return SubsystemOut(
        name=health.name,
        state=health.state,
        parameters=health.parameters,
        in_trouble=health.in_trouble,
        newest_at=health.newest_at,
    )


def _value_out(value: CurrentValue) -> CurrentValueOut:
    return CurrentValueOut(
        name=value.name,
        subsystem=value.subsystem,
        description=value.description,
        unit=value.unit,
        value=finite(value.value),
        raw=finite(value.raw),
        state=value.state,
        generated_at=value.generated_at,
    )
