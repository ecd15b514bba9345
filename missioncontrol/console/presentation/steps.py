"""The steps of something on its way, as the step bar draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Position = Literal["done", "current", "todo", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, how far it is, when, and who did it."""

    name: str
    position: Position
    at: datetime | None = None
    by: str = ""


def done(name: str, at: datetime | None, by: str = "") -> Step:
    """Return a step that is behind."""
    return Step(name, "done", at, by)


def current(name: str, at: datetime | None = None) -> Step:
    """Return the step that is under way or waited for."""
    return Step(name, "current", at)


def todo(name: str) -> Step:
    """Return a step still to come."""
    return Step(name, "todo")


def failed(name: str, at: datetime | None, by: str = "") -> Step:
    """Return the step at which it ended."""
    return Step(name, "failed", at, by)


@dataclass(frozen=True, slots=True)
class Milestone:
    """What is noted when a step is reached; ``at`` is None before."""

    name: str
    at: datetime | None
    by: str = ""


def way(
    milestones: Sequence[Milestone], *, ended_badly_at: datetime | None, over: bool
) -> list[Step]:
    """Return the steps of a way whose milestones are reached in order.

    A milestone without a time before one that has it was passed unseen.

    Args:
        milestones: In order; the first ones have their times.
        ended_badly_at: When it failed or was rejected; None where it was not.
        over: Nothing more is waited for.
    """
    reached = max((place for place, one in enumerate(milestones) if one.at), default=-1)
    steps = []
    for place, milestone in enumerate(milestones):
        if place <= reached:
            steps.append(done(milestone.name, milestone.at, milestone.by))
        elif place == reached + 1 and ended_badly_at is not None:
            steps.append(failed(milestone.name, ended_badly_at))
        elif place == reached + 1 and not over:
            steps.append(current(milestone.name))
        else:
            steps.append(todo(milestone.name))
    return steps
