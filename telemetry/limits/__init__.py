"""Limit checking: values and the state so far in, states and transitions out. Pure."""

from telemetry.limits.checking import (
    LimitMemory,
    LimitResult,
    Transition,
    check_limits,
    follow_states,
)
from telemetry.limits.definitions import LimitDefinition, definition_of
from telemetry.limits.states import LimitState, display_status

__all__ = [
    "LimitDefinition",
    "LimitMemory",
    "LimitResult",
    "LimitState",
    "Transition",
    "check_limits",
    "definition_of",
    "display_status",
    "follow_states",
]
