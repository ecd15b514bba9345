from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.live import publish_after_commit
from telemetry.limits import LimitState, display_status
from telemetry.models import Alarm, Severity
from telemetry.pipeline import LimitTransition

_PROCESS: Final = "process:telemetry"
_RANK: Final = {Severity.CAUTION: 1, Severity.SERIOUS: 2, Severity.CRITICAL: 3}


# The mildest limit state that a screen shows as each severity.
_STATES: Final = {
    Severity.CAUTION: LimitState.WATCH,
    Severity.SERIOUS: LimitState.DISTRESS,
    Severity.CRITICAL: LimitState.CRITICAL,
}


class AlarmRefusedError(RefusedError):
    """The alarm cannot be acknowledged."""


def states_in_force(spacecraft: Spacecraft) -> dict[str, LimitState]:
    """Return the limit states that the open alarms tell of, by parameter.

    Whoever goes on watching starts from them: otherwise an alarm whose parameter
    got well while nobody listened would stay open for ever.
    """
    return {
        alarm.parameter: _STATES[Severity(alarm.severity)]
        for alarm in Alarm.objects.filter(spacecraft=spacecraft, cleared_at=None)
    }


@transaction.atomic
def follow_limits(*, spacecraft: Spacecraft, transitions: Iterable[LimitTransition]) -> int:
    """Raise, change and clear alarms as parameters crossed their limits.

    Transitions that a recorder's dump tells of are of the past: they leave the
    alarms in force alone.

    Returns:
        How many alarms were raised, changed or cleared.
    """
    changed = 0
    for transition in transitions:
        if transition.recorded:
            continue
        if transition.current == LimitState.NOMINAL:
            changed += _clear(spacecraft, transition)
        else:
            changed += _raise(spacecraft, transition)
    if changed:
        publish_after_commit({"type": "refresh", "part": "alarms"})
    return changed


def _raise(spacecraft: Spacecraft, transition: LimitTransition) -> bool:
    severity = Severity(display_status(transition.current).value)
    alarm = (
        Alarm.objects.select_for_update()
        .filter(spacecraft=spacecraft, parameter=transition.parameter, cleared_at=None)
        .first()
    )
    if alarm is None:
        alarm = Alarm(
            spacecraft=spacecraft,
            parameter=transition.parameter,
            raised_at=transition.generated_at,
        )
    elif alarm.severity == severity:
        return False
    elif _RANK[severity] > _RANK[Severity(alarm.severity)]:
        # It got worse: whoever acknowledged the milder one has not seen this.
        alarm.acknowledged_at = alarm.acknowledged_by = None
    alarm.severity = severity
    alarm.value = str(transition.value)[:80]
    alarm.limit = transition.limit[:200]
    alarm.save()
    _log("alarm.raise", alarm, transition.generated_at)
    publish_after_commit(
        {
            "type": "alarm",
            "alarm": alarm.pk,
            "parameter": alarm.parameter,
            "severity": alarm.severity,
            "value": alarm.value,
        }
    )
    return True


def _clear(spacecraft: Spacecraft, transition: LimitTransition) -> bool:
    alarm = (
        Alarm.objects.select_for_update()
        .filter(spacecraft=spacecraft, parameter=transition.parameter, cleared_at=None)
        .first()
    )
    if alarm is None:
        return False
    alarm.cleared_at = transition.generated_at
    alarm.save(update_fields=["cleared_at"])
    _log("alarm.clear", alarm, transition.generated_at)
    return True


@transaction.atomic
def acknowledge_alarm(*, alarm_id: int, operator: Operator, at: datetime) -> Alarm:
    """Note that a person has seen an alarm.

    Raises:
        Alarm.DoesNotExist: no such alarm.
        NotPermittedError: *operator* has no role that may.
        AlarmRefusedError: somebody was faster.
    """
    alarm = (
        Alarm.objects.select_for_update(of=("self",))
        .select_related("spacecraft", "spacecraft__organisation", "acknowledged_by")
        .get(pk=alarm_id)
    )
    require(operator, Action.ALARM_ACKNOWLEDGE, alarm.spacecraft.organisation)
    if alarm.acknowledged_at is not None:
        raise AlarmRefusedError(
            f"{alarm.parameter} was acknowledged by {alarm.acknowledged_by} at "
            f"{alarm.acknowledged_at:%H:%M:%SZ} already."
        )
    alarm.acknowledged_at = at
    alarm.acknowledged_by = operator
    alarm.save(update_fields=["acknowledged_at", "acknowledged_by"])
    append_entry(
        action="alarm.acknowledge",
        subject=f"alarm:{alarm.pk}",
        actor=operator,
        at=at,
        organisation=alarm.spacecraft.organisation.slug,
        details={"parameter": alarm.parameter, "severity": alarm.severity},
    )
    publish_after_commit({"type": "refresh", "part": "alarms"})
    return alarm


def _log(action: str, alarm: Alarm, at: datetime) -> None:
    append_entry(
        action=action,
        subject=f"alarm:{alarm.pk}",
        actor=_PROCESS,
        at=at,
        organisation=alarm.spacecraft.organisation.slug,
        details={
            "spacecraft": alarm.spacecraft.name,
            "parameter": alarm.parameter,
            "severity": alarm.severity,
        },
        # Telemetry is shown to those who operate the spacecraft only.
        private={"value": alarm.value, "limit": alarm.limit},
    )
