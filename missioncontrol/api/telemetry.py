"""Current values, history and alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import Asked, Instant, Number, Text, Value, finite, utc_text
from missioncontrol.api.mission import spacecraft_in_field, spacecraft_in_path
from missioncontrol.api.paging import Page
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry import selectors, services
from telemetry.models import Alarm
from telemetry.selectors import CurrentValue

router = Router(tags=["telemetry"])

_HOUR: Final = timedelta(hours=1)


class CurrentValueOut(Schema):
    """The newest value of one parameter; null and ``off`` before the first.

    ``state`` is normal, caution, serious, critical, standby or off.
    """

    name: str
    subsystem: str
    description: str
    unit: str
    value: Value
    raw: Value
    state: str
    generated_at: Instant | None


class LatestOut(Schema):
    """The newest values of one spacecraft, in the order of its dictionary."""

    spacecraft: str
    items: list[CurrentValueOut]


class HistoryOut(Schema):
    """Values of one parameter, column by column.

    With ``size`` each entry is a bucket: ``times`` its begin, ``values`` its
    mean, ``minimum`` and ``maximum`` its ends; without, these two are null.
    ``truncated``: only the newest samples of the interval are here.
    """

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


class AlarmOut(Schema):
    """A parameter that left its limits."""

    id: int
    spacecraft: str
    parameter: str
    severity: str
    value: str
    limit: str
    raised_at: Instant
    cleared_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None


class LatestQuery(Asked):
    """Which parameters; none: all."""

    parameter: list[Text] = Field(default=[], max_length=200)


class HistoryQuery(Asked):
    """Which samples; without an interval those of the last hour."""

    start: Instant | None = None
    end: Instant | None = None
    size: Annotated[
        int | None, Field(ge=1, le=10_000, description="how many buckets; without: every sample")
    ] = None


class AlarmQuery(Asked):
    """Whose alarms."""

    spacecraft: Text | None = None


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
    values = selectors.latest_values(spacecraft, names=asked.parameter or None)
    return LatestOut(spacecraft=spacecraft.name, items=[_value_out(value) for value in values])


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


@router.get("/alarms", auth=TOKEN_OR_SESSION, response=Page[AlarmOut], summary="Alarms")
def list_alarms(request: HttpRequest, asked: Query[AlarmQuery]) -> Page[AlarmOut]:
    """Return the alarms that are not cleared or not acknowledged, the worst first."""
    principal = principal_of(request)
    principal.require(Action.TELEMETRY_VIEW)
    watched = fleet.active_spacecraft()
    if asked.spacecraft:
        watched = [spacecraft_in_field(asked.spacecraft, "query.spacecraft")]
        principal.require(Action.TELEMETRY_VIEW, watched[0].organisation)
    items = [
        _alarm_out(alarm)
        for spacecraft in watched
        if principal.may(Action.TELEMETRY_VIEW, spacecraft.organisation)
        for alarm in selectors.active_alarms(spacecraft=spacecraft)
    ]
    return Page(items=items)


@router.post(
    "/alarms/{alarm_id}/acknowledge", auth=TOKEN, response=AlarmOut, summary="Acknowledge an alarm"
)
def acknowledge_alarm(request: HttpRequest, alarm_id: Number) -> AlarmOut:
    """Note that you have seen an alarm."""
    principal = principal_of(request)
    alarm = Alarm.objects.select_related("spacecraft__organisation").filter(pk=alarm_id).first()
    if alarm is None:
        raise NotFoundError(f"There is no alarm {alarm_id}.")
    principal.require(Action.ALARM_ACKNOWLEDGE, alarm.spacecraft.organisation)
    return _alarm_out(
        services.acknowledge_alarm(alarm_id=alarm_id, operator=principal.operator, at=clock.now())
    )


def _viewed(request: HttpRequest, name: str) -> Spacecraft:
    spacecraft = spacecraft_in_path(name)
    principal_of(request).require(Action.TELEMETRY_VIEW, spacecraft.organisation)
    return spacecraft


def _column(values: list[float] | None) -> list[Value] | None:
    return None if values is None else [finite(value) for value in values]


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


def _alarm_out(alarm: Alarm) -> AlarmOut:
    by = alarm.acknowledged_by
    return AlarmOut(
        id=alarm.pk,
        spacecraft=alarm.spacecraft.name,
        parameter=alarm.parameter,
        severity=alarm.severity,
        value=alarm.value,
        limit=alarm.limit,
        raised_at=alarm.raised_at,
        cleared_at=alarm.cleared_at,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=by.username if by is not None else None,
    )
