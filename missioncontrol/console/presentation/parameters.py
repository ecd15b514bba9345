from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missioncontrol.fleet.models import Spacecraft
from telemetry import selectors as telemetry
from telemetry.dictionary.model import (
    ConcernLevel,
    EnumerationAlarm,
    FloatEncoding,
    NumericAlarm,
    Parameter,
    PolynomialCalibrator,
    TypeKind,
)
from telemetry.limits import STALE_PERIODS
from telemetry.selectors import CurrentValue, SubsystemHealth

_OUT_OF_LIMITS: Final = {"critical", "serious", "caution"}
_UNITS: Final = {"degC": "°C", "deg": "°", "deg/s": "°/s", "um": "µm", "Ohm": "Ω"}
_FLOAT_DECIMALS: Final = 3
_MOST_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRow:
    """A parameter with its newest value."""

    name: str
    subsystem: str
    description: str
    value: str
    unit: str
    status: str
    state: str
    limits: str
    at: datetime | None
    period_s: float | None
    decimals: int | None
    plotted: bool
    numeric: bool
    stale: bool
    hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFilter:
    """What the table is narrowed to; empty shows all."""

    q: str = ""
    subsystem: str = ""
    only: str = ""  # "out" of limits, or "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterTotals:
    """Counts over all parameters."""

    parameters: int
    out_of_limits: int
    stale: int


def parameter_rows(
    spacecraft: Spacecraft, *, at: datetime, wanted: ParameterFilter, plotted: Collection[str]
) -> list[ParameterRow]:
    """Return every parameter; those that *wanted* leaves out are marked hidden."""
    known = telemetry.parameters_of(spacecraft)
    return [
        _row(value, known[value.name], at, wanted, value.name in plotted)
        for value in telemetry.latest_values(spacecraft)
    ]


def totals(rows: Sequence[ParameterRow]) -> ParameterTotals:
    """Return how many parameters there are, out of limits and stale."""
    return ParameterTotals(
        parameters=len(rows),
        out_of_limits=sum(row.status in _OUT_OF_LIMITS for row in rows),
        stale=sum(row.stale for row in rows),
    )


def _row(
    value: CurrentValue, parameter: Parameter, at: datetime, wanted: ParameterFilter, plotted: bool
) -> ParameterRow:
    decimals = decimals_of(parameter)
    stale = is_stale(value, at)
    return ParameterRow(
        name=value.name,
        subsystem=value.subsystem,
        description=value.description,
        value=written(value.value, decimals),
        unit=unit_text(value.unit),
        status=value.state,
        state="never seen" if value.generated_at is None else value.state,
        limits=limits_text(parameter),
        at=value.generated_at,
        period_s=value.expected_period_s,
        decimals=decimals,
        plotted=plotted,
        numeric=is_numeric(parameter),
        stale=stale,
        hidden=not _fits(value, stale, wanted),
    )


def is_stale(value: CurrentValue, at: datetime) -> bool:
    """Tell whether a value is older than it should be; one never seen is stale too."""
    if value.generated_at is None:
        return True
    if value.expected_period_s is None:
        return False
    age_s = (at - value.generated_at).total_seconds()
    # clock.js says the same of the page.
    return age_s > STALE_PERIODS * value.expected_period_s


def first_to_plot(spacecraft: Spacecraft) -> list[str]:
    """Return what to plot for somebody who has chosen nothing: the first number with limits."""
    known = telemetry.parameters_of(spacecraft).values()
    return [each.name for each in known if is_numeric(each) and each.alarm is not None][:1]


def is_numeric(parameter: Parameter) -> bool:
    """Tell whether a parameter can be plotted."""
    return parameter.type.kind in {TypeKind.INTEGER, TypeKind.FLOAT}


def decimals_of(parameter: Parameter) -> int | None:
    """Return how many decimals a value deserves: what one bit of the raw value is worth.

    None for what is no decimal number.
    """
    if parameter.type.kind is not TypeKind.FLOAT:
        return None
    calibrator = parameter.calibrator
    if not isinstance(calibrator, PolynomialCalibrator) or isinstance(
        parameter.type.encoding, FloatEncoding
    ):
        return _FLOAT_DECIMALS
    slope = next((abs(one) for one in calibrator.coefficients[1:] if one), 1.0)
    return min(_MOST_DECIMALS, max(0, math.ceil(-math.log10(slope) - 1e-9)))


def written(value: float | int | str | None, decimals: int | None) -> str:
    """Return a value as the table writes it; live.js writes the same."""
    if value is None:
        return ""
    if isinstance(value, float) and decimals is not None:
        return f"{value:.{decimals}f}"
    return str(value)


def unit_text(unit: str) -> str:
    """Return a unit as readers write it, where the dictionary keeps to ASCII."""
    return _UNITS.get(unit, unit)


def limits_text(parameter: Parameter) -> str:
    """Return the mildest limits of a parameter, e.g. ``10 … 45``; empty where it has none."""
    alarm = parameter.alarm
    if isinstance(alarm, EnumerationAlarm):
        bad = [label for label, level in alarm.levels if level is not ConcernLevel.NORMAL]
        return f"not {', '.join(bad)}" if bad else ""
    if not isinstance(alarm, NumericAlarm):
        return ""
    order = list(ConcernLevel)
    outside = [one for one in alarm.ranges if not one.alarm_inside]
    if not outside:
        return ""
    mildest = min(outside, key=lambda one: order.index(one.level))
    if mildest.minimum is None:
        return f"≤ {mildest.maximum:g}"
    if mildest.maximum is None:
        return f"≥ {mildest.minimum:g}"
    return f"{mildest.minimum:g} … {mildest.maximum:g}"


def _fits(value: CurrentValue, stale: bool, wanted: ParameterFilter) -> bool:
    text = f"{value.name} {value.description} {value.subsystem} {value.unit}".lower()
    return (
        all(word in text for word in wanted.q.lower().split())
        and wanted.subsystem in {"", value.subsystem}
        and (wanted.only != "out" or value.state in _OUT_OF_LIMITS)
        and (wanted.only != "stale" or stale)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsystemTile:
    """The health of one subsystem; ``worst`` names the parameter in the worst state."""

    name: str
    status: str
    parameters: int
    out_of_limits: int
    stale: int
    worst: str
    spacecraft: str


def subsystem_tiles(spacecraft: Spacecraft, *, at: datetime) -> list[SubsystemTile]:
    """Return one tile for each subsystem, in the order of the dictionary."""
    values = telemetry.latest_values(spacecraft)
    members: dict[str, list[CurrentValue]] = {}
    for value in values:
        members.setdefault(value.subsystem, []).append(value)
    # What stands in the dictionary's root are the packets' headers: no subsystem.
    return [
        _tile(health, members[health.name], spacecraft, at)
        for health in telemetry.subsystem_health(values)
        if health.name != spacecraft.name
    ]


def _tile(
    health: SubsystemHealth, members: Sequence[CurrentValue], spacecraft: Spacecraft, at: datetime
) -> SubsystemTile:
    stale = sum(is_stale(value, at) for value in members)
    # Nobody knows how a subsystem is that has been silent; only an alarm outlives silence.
    unknown = stale == len(members) and health.state not in _OUT_OF_LIMITS
    return SubsystemTile(
        name=health.name,
        status="off" if unknown else health.state,
        parameters=health.parameters,
        out_of_limits=health.in_trouble,
        stale=stale,
        worst=_worst(members, health.state),
        spacecraft=spacecraft.name,
    )


def _worst(members: Sequence[CurrentValue], state: str) -> str:
    if state not in _OUT_OF_LIMITS:
        return ""
    worst = next(value for value in members if value.state == state)
    unit = f" {unit_text(worst.unit)}" if worst.unit else ""
    return f"{worst.name} {worst.value}{unit}"
