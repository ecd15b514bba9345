"""The states a value can be in, and how an operator's screen calls them.

Source: XTCE 1.2 ConcernLevelsType; Astro UXDS status system.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final


class LimitState(IntEnum):
    """Least severe first, so that the maximum of several is the worst of them."""

    NOMINAL = 0
    WATCH = 1
    WARNING = 2
    DISTRESS = 3
    CRITICAL = 4
    SEVERE = 5


class DisplayStatus(StrEnum):
    NORMAL = "normal"
    CAUTION = "caution"
    SERIOUS = "serious"
    CRITICAL = "critical"


_STATUSES: Final = {
    LimitState.NOMINAL: DisplayStatus.NORMAL,
    LimitState.WATCH: DisplayStatus.CAUTION,
    LimitState.WARNING: DisplayStatus.CAUTION,
    LimitState.DISTRESS: DisplayStatus.SERIOUS,
    LimitState.CRITICAL: DisplayStatus.CRITICAL,
    LimitState.SEVERE: DisplayStatus.CRITICAL,
}


def display_status(state: LimitState) -> DisplayStatus:
    """Return the status that the screens show for *state*."""
    return _STATUSES[state]
