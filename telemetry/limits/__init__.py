"""Limit checking: values and the state so far in, states and transitions out. Pure."""

from telemetry.limits.checking import (
    LimitMemory,
    LimitResult,
    Transition,
    check_limits,
    limits_by_context,
)
from telemetry.limits.definitions import LimitDefinition, definition_of, needs_of_limits
from telemetry.limits.screening import NominalScreen
from telemetry.limits.staleness import NEVER_US, STALE_PERIODS, Freshness, freshness
from telemetry.limits.states import LimitState, display_status

__all__ = [
    "NEVER_US",
    "STALE_PERIODS",
    "Freshness",
    "LimitDefinition",
    "LimitMemory",
    "LimitResult",
    "LimitState",
    "NominalScreen",
    "Transition",
    "check_limits",
    "definition_of",
    "display_status",
    "freshness",
    "limits_by_context",
    "needs_of_limits",
]
