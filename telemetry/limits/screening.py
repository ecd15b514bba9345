"""A quick look at whole packets: which parameters hold nothing but nominal values for certain.

Nearly all values of nearly all packets are nominal. Checking each parameter by itself
costs the same whether one value came or a thousand, and a live link brings a few at a
time; comparing the raw values of all parameters of a container at once costs next to
nothing. What this look is not certain of is checked in full.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary import Parameter, straight_line
from telemetry.limits.definitions import LimitDefinition

Column = npt.NDArray[Any]
Range = tuple[float, float]

# Of the numbers that a calibration adds up: many times what rounding can move a limit.
_MARGIN: Final = 1e-9


def nominal_raw_range(definition: LimitDefinition, parameter: Parameter) -> Range | None:
    """Return raw values between which, both excluded, a value is nominal for certain.

    ``None`` where that cannot be said of a value alone, or of no range.
    """
    line = straight_line(parameter.type)
    decided_elsewhere = definition.changes or definition.conditions or definition.contexts
    if line is None or definition.labels is not None or decided_elsewhere:
        return None
    if any(limit.alarm_inside for limit in definition.ranges):
        return None
    low = max((r.minimum for r in definition.ranges if r.minimum is not None), default=-math.inf)
    high = min((r.maximum for r in definition.ranges if r.maximum is not None), default=math.inf)
    gain, offset = line
    known = [abs(limit) for limit in (low, high) if math.isfinite(limit)]
    inwards = _MARGIN * (sum(known) + abs(offset)) + abs(definition.hysteresis)
    low, high = low + inwards, high - inwards
    if not gain or low >= high:
        return None
    ends = ((low - offset) / gain, (high - offset) / gain)
    return min(ends), max(ends)


@dataclass(frozen=True, slots=True)
class _Group:
    """Parameters of one container whose raw values have one type, and their nominal ranges."""

    names: tuple[str, ...]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


class NominalScreen:
    """Knows the nominal ranges of some parameters, and looks at batches of packets."""

    def __init__(self) -> None:
        self._ranges: dict[str, Range] = {}
        self._groups: dict[tuple[tuple[str, ...], str], list[_Group]] = {}

    def add(self, definition: LimitDefinition, parameter: Parameter) -> None:
        """Take the limits of one more parameter."""
        found = nominal_raw_range(definition, parameter)
        if found is not None:
            self._ranges[definition.parameter] = found
            self._groups.clear()

    def nominal(self, columns: Mapping[str, Column]) -> set[str]:
        """Return the parameters all of whose values are nominal for certain.

        Args:
            columns: Raw values by parameter, each of shape (n,), n at least 1.
        """
        nominal: set[str] = set()
        for group in self._groups_of(columns):
            values = np.concatenate([columns[name] for name in group.names])
            rows = values.reshape(len(group.names), -1)
            # NaN is neither above nor below, and so never certain.
            certain = (rows.min(axis=1) > group.low) & (rows.max(axis=1) < group.high)
            nominal.update(name for name, is_so in zip(group.names, certain, strict=True) if is_so)
        return nominal

    def _groups_of(self, columns: Mapping[str, Column]) -> list[_Group]:
        key = (tuple(columns), "".join(column.dtype.char for column in columns.values()))
        groups = self._groups.get(key)
        if groups is None:
            by_type: dict[np.dtype[Any], list[str]] = {}
            for name, column in columns.items():
                if name in self._ranges and column.dtype.kind in "iuf":
                    by_type.setdefault(column.dtype, []).append(name)
            groups = self._groups[key] = [self._group(names) for names in by_type.values()]
        return groups

    def _group(self, names: list[str]) -> _Group:
        low, high = np.array([self._ranges[name] for name in names]).T
        return _Group(tuple(names), low, high)
