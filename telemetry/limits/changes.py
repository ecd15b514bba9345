"""How fast a value changes, and whether that is too fast or too slow.

Source: XTCE 1.2 ChangeAlarmRangesType.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.model import ChangeAlarm
from telemetry.limits.definitions import States, range_states

_US_PER_S: Final = 1_000_000
_REMEMBERED_SAMPLES: Final = 4096

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


def _no_times() -> Times:
    return np.zeros(0, dtype=np.int64)


def _no_values() -> Values:
    return np.zeros(0, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Values of one parameter with their times, in order."""

    times_us: Times = field(default_factory=_no_times)
    values: Values = field(default_factory=_no_values)

    def followed_by(self, times_us: Times, values: npt.NDArray[Any]) -> Samples:
        return Samples(
            np.concatenate([self.times_us, times_us]),
            np.concatenate([self.values, values.astype(np.float64)]),
        )

    def needed_for(self, changes: tuple[ChangeAlarm, ...]) -> Samples:
        """Return the newest ones, as many as the changes of later values look back on."""
        if not len(self.times_us) or not changes:
            return Samples()
        span_us = int(max(change.span_s for change in changes) * _US_PER_S)
        inside = np.searchsorted(self.times_us, self.times_us[-1] - span_us, side="right") - 1
        back = max(change.span_samples for change in changes)
        first = min(max(int(inside), 0), max(len(self.times_us) - back, 0))
        first = max(first, len(self.times_us) - _REMEMBERED_SAMPLES)
        return Samples(self.times_us[first:], self.values[first:])


def change_states(change: ChangeAlarm, samples: Samples, count: int) -> States:
    """Return the state that the rate of change of each of the last *count* samples calls for.

    A sample that has none far enough before it calls for nothing.

    Args:
        change: What is watched.
        samples: With those from before.
        count: How many of them, at the end, are new.
    """
    times, values = samples.times_us, samples.values
    new = np.arange(len(times) - count, len(times))
    before = new - change.span_samples
    if change.span_s:
        far_enough = times[new] - int(change.span_s * _US_PER_S)
        before = np.minimum(before, np.searchsorted(times, far_enough, side="right") - 1)
    known = before >= 0
    earlier = np.maximum(before, 0)
    elapsed_s = (times[new] - times[earlier]) / _US_PER_S
    if change.per_second:
        known &= elapsed_s > 0
    with np.errstate(all="ignore"):
        changed = values[new] - values[earlier]
        if change.relative:
            changed = 100.0 * changed / np.abs(values[earlier])
        if change.per_second:
            changed = changed / elapsed_s
    states = np.zeros(count, dtype=np.uint8)
    states[known] = range_states(change.ranges, changed[known])
    return states
