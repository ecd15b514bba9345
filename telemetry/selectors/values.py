from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missioncontrol.fleet.models import Spacecraft
from telemetry.definition import compiled, plain
from telemetry.dictionary import engineering, raw_values
from telemetry.limits import LimitState, definition_of, display_status
from telemetry.models import Alarm, Severity
from telemetry.selectors.archives import archive_reader, instant, known_parameter

_NORMAL: Final = "normal"
SEVERITY_RANK: Final = {
    _NORMAL: 0,
    Severity.CAUTION: 1,
    Severity.SERIOUS: 2,
    Severity.CRITICAL: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentValue:
    """The newest value of one parameter; ``generated_at`` is None before the first."""

    name: str
    subsystem: str
    description: str
    unit: str
    value: float | int | str | None
    raw: float | int | str | None
    state: str  # normal, caution, serious, critical; off before the first value
    generated_at: datetime | None
    expected_period_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsystemHealth:
    """The worst state in a subsystem and how many parameters are in trouble."""

    name: str
    state: str
    parameters: int
    in_trouble: int
    newest_at: datetime | None


def latest_values(
    spacecraft: Spacecraft, *, names: Collection[str] | None = None
) -> list[CurrentValue]:
    """Return the newest value of every parameter (or of *names*), in dictionary order.

    Raises:
        TelemetryRefusedError: a name is not in the dictionary.
    """
    what = compiled(spacecraft.telemetry_dictionary)
    wanted = list(what.dictionary.parameters) if names is None else list(names)
    for name in wanted:
        known_parameter(spacecraft, what, name)
    with archive_reader(spacecraft) as reader:
        newest = reader.latest(spacecraft=spacecraft.name, parameters=wanted)
    alarms = {
        alarm.parameter: alarm.severity
        for alarm in Alarm.objects.filter(spacecraft=spacecraft, cleared_at=None)
    }
    limits = {limit.parameter: limit for limit in what.limits}
    values = []
    for name in wanted:
        parameter = what.dictionary.parameters[name]
        latest = newest.get(name)
        state = "off"
        value: Any = None
        if latest is not None:
            calibrated = engineering(parameter, latest.raw)
            value = plain(calibrated[0])
            state = _NORMAL
            limit = limits.get(name) or definition_of(parameter, what.dictionary.parameters)
            if limit is not None:
                own = LimitState(int(limit.states(calibrated)[0]))
                # The alarm in force knows of persistence; a recorded value does not clear it.
                state = alarms.get(name) or display_status(own).value
        values.append(
            CurrentValue(
                name=name,
                subsystem=parameter.subsystem,
                description=parameter.description or parameter.type.description,
                unit=parameter.unit,
                value=value,
                raw=plain(raw_values(parameter, latest.raw)[0]) if latest is not None else None,
                state=state,
                generated_at=instant(latest.time_us) if latest is not None else None,
                expected_period_s=what.expected_period_s.get(name),
            )
        )
    return values


def subsystem_health(values: Collection[CurrentValue]) -> list[SubsystemHealth]:
    """Return the health of each subsystem that has limits or values, in dictionary order."""
    by_name: dict[str, list[CurrentValue]] = {}
    for value in values:
        by_name.setdefault(value.subsystem, []).append(value)
    return [_health(name, members) for name, members in by_name.items()]


def _health(name: str, members: list[CurrentValue]) -> SubsystemHealth:
    seen = [value for value in members if value.generated_at is not None]
    worst = max(
        (value.state for value in seen), key=lambda state: SEVERITY_RANK[state], default="off"
    )
    return SubsystemHealth(
        name=name,
        state=worst,
        parameters=len(members),
        in_trouble=sum(value.state not in {_NORMAL, "off"} for value in members),
        newest_at=max((value.generated_at for value in seen if value.generated_at), default=None),
    )
