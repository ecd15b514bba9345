"""When a value is out of limits, as a dictionary says it.

Source: OMG XTCE 1.2, AlarmType and what derives from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telemetry.dictionary.model.criteria import Criteria


class ConcernLevel(StrEnum):
    """XTCE ConcernLevelsType, least severe first."""

    NORMAL = "normal"
    WATCH = "watch"
    WARNING = "warning"
    DISTRESS = "distress"
    CRITICAL = "critical"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRange:
    """One range of engineering values; ``None`` leaves that side open."""

    level: ConcernLevel
    minimum: float | None = None
    maximum: float | None = None
    min_exclusive: bool = False
    max_exclusive: bool = False
    alarm_inside: bool = False  # XTCE rangeForm; by default values outside are the alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAlarm:
    """Ranges of how fast a value changes.

    Attributes:
        ranges: Of the change, in engineering units; in percent where ``relative``.
        per_second: The change is divided by the seconds it took; else it is taken as it is.
        relative: The change in percent of the earlier value.
        span_samples: How many samples back the earlier value is, at least 1.
        span_s: With ``per_second``, the earlier value is at least so many seconds back.
    """

    ranges: tuple[AlarmRange, ...]
    per_second: bool = True
    relative: bool = False
    span_samples: int = 1
    span_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericAlarm:
    """Limits of a number.

    Attributes:
        ranges: Of the engineering value.
        changes: Of its rate of change.
        conditions: Levels that conditions on any parameters call for.
        min_violations: Successive values to enter the alarm.
        min_conformance: Successive values to leave it.
        hysteresis: How far inside a limit a value must come back, in engineering units.
    """

    ranges: tuple[AlarmRange, ...] = ()
    changes: tuple[ChangeAlarm, ...] = ()
    conditions: tuple[tuple[ConcernLevel, Criteria], ...] = ()
    min_violations: int = 1
    min_conformance: int = 1
    hysteresis: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationAlarm:
    """Levels of labels, of an enumeration or a boolean."""

    levels: tuple[tuple[str, ConcernLevel], ...] = ()  # (label, level)
    default_level: ConcernLevel = ConcernLevel.NORMAL
    conditions: tuple[tuple[ConcernLevel, Criteria], ...] = ()
    min_violations: int = 1
    min_conformance: int = 1


Alarm = NumericAlarm | EnumerationAlarm


@dataclass(frozen=True, slots=True)
class ContextAlarm:
    """Applies, instead of the default alarm, while *criteria* hold."""

    criteria: Criteria
    alarm: Alarm
