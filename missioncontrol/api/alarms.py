"""Parameters that left their limits: active, acknowledged, over."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import Instant, Number, Text, example
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from missioncontrol.kernel import clock
from telemetry import services
from telemetry.models import Alarm

router = Router(tags=["alarms"])

_OVER = Q(cleared_at__isnull=False, acknowledged_at__isnull=False)


class AlarmState(StrEnum):
    """Which alarms to list; ended are those both cleared and acknowledged."""

    ACTIVE = "active"
    ENDED = "ended"
    ALL = "all"


class AlarmOut(Schema):
    """A parameter that left its limits."""

    model_config = example(
        id=5,
        spacecraft="DD-1",
        parameter="PWR_BATT_V",
        severity="serious",
        value="44.1",
        limit="below 45",
        raised_at="2026-12-01T12:00:00Z",
        cleared_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
    )

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


class AlarmQuery(PageQuery):
    """Which alarms."""

    spacecraft: Text | None = None
    state: AlarmState = AlarmState.ACTIVE


@router.get("/alarms", auth=TOKEN_OR_SESSION, response=Page[AlarmOut], summary="Alarms")
def list_alarms(request: HttpRequest, asked: Query[AlarmQuery]) -> Page[AlarmOut]:
    """Return alarms, the newest first; unless told otherwise those not cleared or acknowledged."""
    principal = principal_of(request)
    rows = _visible(principal)
    if asked.spacecraft:
        spacecraft = spacecraft_in_field(asked.spacecraft, "query.spacecraft")
        principal.require(Action.TELEMETRY_VIEW, spacecraft.organisation)
        rows = rows.filter(spacecraft=spacecraft)
    if asked.state is AlarmState.ACTIVE:
        rows = rows.exclude(_OVER)
    elif asked.state is AlarmState.ENDED:
        rows = rows.filter(_OVER)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_alarm_out(alarm) for alarm in found], next=cursor)


@router.get(
    "/alarms/{alarm_id}",
    auth=TOKEN_OR_SESSION,
    response=AlarmOut,
    summary="One alarm",
    openapi_extra=READ,
)
def get_alarm(request: HttpRequest, response: HttpResponse, alarm_id: Number) -> AlarmOut:
    """Return one alarm, also one that is over."""
    alarm = _get(principal_of(request), alarm_id)
    return tagged(request, response, _alarm_out(alarm))


@router.post(
    "/alarms/{alarm_id}/acknowledge",
    auth=TOKEN,
    response=AlarmOut,
    summary="Acknowledge an alarm",
    openapi_extra=CHANGE,
)
def acknowledge_alarm(request: HttpRequest, response: HttpResponse, alarm_id: Number) -> AlarmOut:
    """Note that you have seen an alarm.

    With ``If-Match`` what is acknowledged is what was read: one that has become
    worse since is not.
    """
    alarm = _get(principal_of(request), alarm_id)
    principal = permitted(request, Action.ALARM_ACKNOWLEDGE, alarm.spacecraft.organisation)

    def show() -> AlarmOut:
        return _alarm_out(_get(principal, alarm_id))

    with unchanged(request, Alarm.objects.filter(pk=alarm_id), show):
        services.acknowledge_alarm(alarm_id=alarm_id, operator=principal.operator, at=clock.now())
    return tagged(request, response, show())


def _visible(principal: Principal) -> QuerySet[Alarm]:
    principal.require(Action.TELEMETRY_VIEW)
    return _alarms().filter(
        spacecraft__organisation__in=principal.organisations_with(Action.TELEMETRY_VIEW)
    )


def _alarms() -> QuerySet[Alarm]:
    return Alarm.objects.select_related("spacecraft__organisation", "acknowledged_by")


def _get(principal: Principal, alarm_id: int) -> Alarm:
    """Return an alarm; one of another's spacecraft is answered like one that does not exist."""
    alarm = _alarms().filter(pk=alarm_id).first()
    if alarm is None:
        raise NotFoundError(f"There is no alarm {alarm_id}, or it is of another's spacecraft.")
    principal.require(Action.TELEMETRY_VIEW, alarm.spacecraft.organisation)
    return alarm


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
