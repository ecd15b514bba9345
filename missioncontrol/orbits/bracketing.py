"""Times found by narrowing brackets, many at once, where no derivative is at hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Booleans, Floats

_HALVINGS: Final = 45  # of four minutes: far below a nanosecond
_GOLDEN_CUTS: Final = 45
_GOLDEN: Final = (5.0**0.5 - 1.0) / 2.0


def switch_times(
    condition: Callable[[Floats], Booleans], low: Floats, high: Floats, at_low: Booleans
) -> Floats:
    """Return when each condition switches, by halving its bracket.

    Args:
        condition: Of as many times as there are brackets, each in its bracket.
        low: Lower ends; there the condition is *at_low*, at the upper ends it is not.
        high: Upper ends.
        at_low: What the condition is at the lower ends.
    """
    for _ in range(_HALVINGS if len(low) else 0):
        middle = 0.5 * (low + high)
        same = condition(middle) == at_low
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return 0.5 * (low + high)


def maxima(function: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Return where each function is highest in its bracket, by golden section.

    Each function must rise to one maximum within its bracket and fall after it.
    """
    for _ in range(_GOLDEN_CUTS if len(low) else 0):
        width = _GOLDEN * (high - low)
        left, right = high - width, low + width
        rising = function(left) < function(right)
        low, high = np.where(rising, left, low), np.where(rising, high, right)
    return 0.5 * (low + high)
