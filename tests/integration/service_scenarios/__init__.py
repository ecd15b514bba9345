"""What each public function of a ``services`` room does to the log, by example.

A module here for each app: a *scenario* calls a function so that it changes
something; ``unlogged`` says of one that writes no entry why that is right. Who
adds a service adds one of the two (tests/integration/test_every_service_is_logged.py).
"""

from __future__ import annotations

from collections.abc import Callable

# Given the function as something to call; makes what the call needs, and calls it.
Scenario = Callable[[Callable], None]

SCENARIOS: dict[str, Scenario] = {}
UNLOGGED: dict[str, str] = {}


def scenario(service: Callable) -> Callable[[Scenario], Scenario]:
    """Register the decorated function as the scenario of *service*."""

    def register(play: Scenario) -> Scenario:
        SCENARIOS[f"{service.__module__}.{service.__qualname__}"] = play
        return play

    return register


def unlogged(reason: str, *services: Callable) -> None:
    """Say why *services* write no entry."""
    for service in services:
        UNLOGGED[f"{service.__module__}.{service.__qualname__}"] = reason
