"""A plan: who is served when, how good that is, and why somebody is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from missioncontrol.scheduling.solver.problem import Contact


class PlanMethod(StrEnum):
    """How a plan came about."""

    GREEDY = "GREEDY"  # the most valuable first
    FIRST_COME = "FIRST_COME"
    FREEZE_FIRST = "FREEZE_FIRST"  # all that can stay stays; what is free is filled
    OPTIMISED = "OPTIMISED"
    REPAIRED = "REPAIRED"  # optimised about the outages, what runs kept


class ReasonCode(StrEnum):
    """Why a request is not served."""

    NO_WINDOW = "NO_WINDOW"
    TOO_SHORT = "TOO_SHORT"
    OUTAGE = "OUTAGE"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A window that would have served, and the contacts that are in the way."""

    opportunity: str
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A request with too few contacts, and why."""

    request: str
    missing: int
    code: ReasonCode
    reason: str
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CongestionPrice:
    """What an antenna's time is worth to those that compete for it in an interval.

    A contact that covers any part of the interval keeps others out that would bring
    this much; the dual of the interval's row in the relaxation.
    """

    antenna: str
    begins: datetime
    ends: datetime
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One answer to one problem. ``input_digest`` says to which."""

    method: PlanMethod
    contacts: tuple[Contact, ...]  # by begin
    objective: float  # with the bonus of kept contacts
    bonus: float  # that part of the objective
    bound: float | None  # no plan has a larger objective; None where none was computed
    seed: int
    solver: str
    input_digest: str
    unserved: tuple[Unserved, ...] = ()
    prices: tuple[CongestionPrice, ...] = ()
    phases_s: dict[str, float] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """Return what the contacts are worth, less what falls short."""
        return self.objective - self.bonus

    @property
    def gap(self) -> float | None:
        """Return by which part of the bound the objective may be below the optimum."""
        if self.bound is None:
            return None
        if self.bound <= self.objective:
            return 0.0
        return (self.bound - self.objective) / max(abs(self.bound), 1e-9)
