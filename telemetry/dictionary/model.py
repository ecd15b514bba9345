"""What a telemetry dictionary says, in the words of XTCE.

Plain frozen values: built by :mod:`telemetry.dictionary.xtce`, compiled by
:mod:`telemetry.dictionary.decoder`, shown by whoever wants to show them.

Source: OMG XTCE 1.2 (CCSDS 660.0-B-2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TypeKind(StrEnum):
    """The kinds of parameter type that are understood."""

    INTEGER = "integer"
    FLOAT = "float"
    ENUMERATED = "enumerated"
    BOOLEAN = "boolean"
    STRING = "string"
    BINARY = "binary"
    ABSOLUTE_TIME = "absolute time"


class ConcernLevel(StrEnum):
    """XTCE ConcernLevelsType, least severe first."""

    NORMAL = "normal"
    WATCH = "watch"
    WARNING = "warning"
    DISTRESS = "distress"
    CRITICAL = "critical"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerEncoding:
    size_bits: int  # 1 to 64
    signed: bool = False  # two's complement
    little_endian: bool = False  # whole octets only


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatEncoding:
    size_bits: int  # 32 or 64, IEEE 754
    little_endian: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StringEncoding:
    size_bits: int  # whole octets
    charset: str = "UTF-8"
    terminator: bytes | None = None  # the text ends before it; None: fills the field


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryEncoding:
    size_bits: int  # whole octets


Encoding = IntegerEncoding | FloatEncoding | StringEncoding | BinaryEncoding


@dataclass(frozen=True, slots=True)
class PolynomialCalibrator:
    """Engineering value = sum of ``coefficients[i] * raw ** i``."""

    coefficients: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationLabel:
    value: int
    max_value: int  # the label covers value..max_value, both included
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeScale:
    """Instant = epoch + (raw * scale + offset_s); a UTC day has 86,400 s here."""

    epoch: datetime  # aware, UTC
    scale: float = 1.0
    offset_s: float = 0.0


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
class NumericAlarm:
    ranges: tuple[AlarmRange, ...]
    min_violations: int = 1  # successive values to enter the alarm
    min_conformance: int = 1  # successive values to leave it


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationAlarm:
    levels: tuple[tuple[str, ConcernLevel], ...]  # (label, level)
    default_level: ConcernLevel = ConcernLevel.NORMAL
    min_violations: int = 1
    min_conformance: int = 1


Alarm = NumericAlarm | EnumerationAlarm


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterType:
    name: str
    kind: TypeKind
    encoding: Encoding
    unit: str = ""
    description: str = ""
    calibrator: PolynomialCalibrator | None = None
    labels: tuple[EnumerationLabel, ...] = ()  # of an enumerated type
    one_label: str = "True"  # of a boolean type
    zero_label: str = "False"
    time_scale: TimeScale | None = None  # of an absolute time
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One telemetry parameter. ``name`` is unique in its dictionary."""

    name: str
    qualified_name: str  # /spacecraft/subsystem/name
    subsystem: str  # the innermost SpaceSystem it stands in
    type: ParameterType
    description: str = ""
    aliases: tuple[tuple[str, str], ...] = ()  # (name space, other name)
    line: int = 0  # of the source document

    @property
    def unit(self) -> str:
        return self.type.unit

    @property
    def alarm(self) -> Alarm | None:
        return self.type.alarm

    @property
    def calibrator(self) -> PolynomialCalibrator | None:
        return self.type.calibrator


class ComparisonOperator(StrEnum):
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    parameter: str
    operator: ComparisonOperator
    value: str  # as written; its meaning depends on the parameter
    use_calibrated_value: bool = True
    line: int = 0


class Reference(StrEnum):
    """Where an entry's bit offset counts from."""

    CONTAINER_START = "containerStart"
    PREVIOUS_ENTRY = "previousEntry"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterEntry:
    parameter: str
    offset_bits: int = 0
    reference: Reference = Reference.PREVIOUS_ENTRY
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEntry:
    container: str  # qualified name
    offset_bits: int = 0
    reference: Reference = Reference.PREVIOUS_ENTRY
    line: int = 0


Entry = ParameterEntry | ContainerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One sequence container; its base's entries come first. ``name`` is unique."""

    name: str
    qualified_name: str
    subsystem: str
    entries: tuple[Entry, ...]
    abstract: bool = False
    base: str | None = None  # qualified name
    restrictions: tuple[Comparison, ...] = ()  # all must hold
    expected_period_s: float | None = None  # it comes at least this often
    description: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    name: str
    parameters: Mapping[str, Parameter]  # by name, in the order of the document
    containers: Mapping[str, Container]  # by qualified name, in the order of the document

    @property
    def subsystems(self) -> tuple[str, ...]:
        """The subsystems that hold parameters, in the order of the document."""
        return tuple(dict.fromkeys(p.subsystem for p in self.parameters.values()))
