"""Which limits of a parameter were in force when: they may change with their context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from missioncontrol.fleet.models import Spacecraft
from telemetry.archive import ArchiveReader, Samples
from telemetry.archive.sample_series import interleaved
from telemetry.definition import compiled
from telemetry.dictionary import Parameter, engineering
from telemetry.dictionary.conditions import LookUp, Mask
from telemetry.dictionary.model import AlarmRange, ParameterInstance
from telemetry.limits import LimitDefinition, definition_of, limits_by_context
from telemetry.pipeline import unix_us
from telemetry.selectors.archives import archive_reader, instant, known_parameter
from telemetry.selectors.history import BEGINNING, MAX_SAMPLES

_MOST_STRETCHES: Final = 500
_Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStretch:
    """Some time in which the same ranges were in force."""

    begin: datetime | None  # None: before the interval that was asked about
    end: datetime | None  # None: to its end, and beyond for what is known
    ranges: tuple[AlarmRange, ...]


def limits_in_force(
    spacecraft: Spacecraft, parameter: str, *, start: datetime, end: datetime
) -> list[LimitStretch]:
    """Return the limits that a parameter had from *start* to *end*, by time.

    Limits without a context are one stretch. A context looks at other parameters by their
    generation time: at the newest value that each had. The newest 100,000 values of each
    are looked at, and 500 stretches returned; before that nothing is said.

    Raises:
        TelemetryRefusedError: unknown parameter.
    """
    what = compiled(spacecraft.telemetry_dictionary)
    parameters = what.dictionary.parameters
    definition = definition_of(known_parameter(spacecraft, what, parameter), parameters)
    if definition is None:
        return []
    if not definition.contexts:
        return [LimitStretch(begin=None, end=None, ranges=definition.ranges)]
    with archive_reader(spacecraft) as reader:
        found = {
            name: _values_of(reader, spacecraft.name, name, start, end)
            for name in sorted(definition.needs)
        }
    begins_us = [int(own.times_us[0]) for own in found.values() if len(own) >= MAX_SAMPLES]
    begin_us = max([unix_us(start), *begins_us])
    times_us = np.unique(np.concatenate([[begin_us], *(own.times_us for own in found.values())]))
    times_us = times_us[times_us >= begin_us]
    return _stretches(definition, times_us, _look_up(parameters, found, times_us), begins_us)


def _values_of(
    reader: ArchiveReader, spacecraft: str, name: str, start: datetime, end: datetime
) -> Samples:
    """Return the values in an interval, after the one that was the newest when it began."""
    asked: dict[str, Any] = {"spacecraft": spacecraft, "parameter": name}
    inside = reader.read(**asked, start=start, end=end, limit=MAX_SAMPLES)
    if len(inside) >= MAX_SAMPLES:
        return inside
    before = reader.read(**asked, start=BEGINNING, end=start, limit=1)
    return interleaved([before, inside], name)


def _look_up(
    parameters: Mapping[str, Parameter], found: Mapping[str, Samples], times_us: _Times
) -> LookUp:
    def look_up(instance: ParameterInstance) -> tuple[npt.NDArray[Any], Mask]:
        own = found[instance.parameter]
        places = np.searchsorted(own.times_us, times_us, side="right") - 1
        if not len(own):
            return np.zeros(len(times_us)), places >= 0
        values = own.values[np.maximum(places, 0)]
        if instance.use_calibrated_value:
            values = engineering(parameters[instance.parameter], values)
        return values, places >= 0

    return look_up


def _stretches(
    definition: LimitDefinition, times_us: _Times, look_up: LookUp, cut_us: list[int]
) -> list[LimitStretch]:
    stretches = [
        LimitStretch(
            begin=instant(times_us[first]) if first or cut_us else None,
            end=instant(times_us[end]) if end < len(times_us) else None,
            ranges=limits.ranges,
        )
        for first, end, limits in limits_by_context(definition, len(times_us), look_up)
    ]
    return stretches[-_MOST_STRETCHES:]
