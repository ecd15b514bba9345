from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import Viewer
from missioncontrol.console.presentation.parameters import unit_text
from missioncontrol.fleet.models import Spacecraft
from telemetry import selectors as telemetry
from telemetry.models import Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """An alarm as the lists show it."""

    pk: int
    status: str
    parameter: str
    spacecraft: str
    subsystem: str
    text: str
    raised_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    may_acknowledge: bool


def alarm_rows(alarms: Iterable[Alarm], viewer: Viewer) -> list[AlarmRow]:
    """Return *alarms*, all of spacecraft that *viewer* may see, in their order."""
    mine = {craft.pk: craft for craft in viewer.spacecraft(Action.TELEMETRY_VIEW)}
    return [_row(alarm, mine[alarm.spacecraft_id], viewer) for alarm in alarms]


def _row(alarm: Alarm, spacecraft: Spacecraft, viewer: Viewer) -> AlarmRow:
    parameter = telemetry.parameters_of(spacecraft).get(alarm.parameter)
    unit = f" {unit_text(parameter.unit)}" if parameter is not None and parameter.unit else ""
    person = alarm.acknowledged_by
    return AlarmRow(
        pk=alarm.pk,
        status=alarm.severity,
        parameter=alarm.parameter,
        spacecraft=spacecraft.name,
        subsystem=parameter.subsystem if parameter is not None else "",
        text=f"{alarm.value}{unit}; {alarm.limit}",
        raised_at=alarm.raised_at,
        ended_at=alarm.cleared_at,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=(person.display_name or person.username) if person is not None else "",
        may_acknowledge=viewer.may(Action.ALARM_ACKNOWLEDGE, spacecraft.organisation),
    )
