"""From a problem to a plan: greedy at once, then nearer and nearer to a bound.

The order of phases: columns, a greedy plan, rows, the relaxation, a plan rounded from
it, then sweeps with ever larger slices until the gap or the time is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from missioncontrol.scheduling.solver.assembly import assemble, congestion_prices
from missioncontrol.scheduling.solver.candidates import all_columns, first_columns
from missioncontrol.scheduling.solver.columns import Columns
from missioncontrol.scheduling.solver.document import digest_of, problem_document
from missioncontrol.scheduling.solver.greedy import by_value, fill, first_come
from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers, index_problem
from missioncontrol.scheduling.solver.plan import Plan, PlanMethod
from missioncontrol.scheduling.solver.problem import Problem
from missioncontrol.scheduling.solver.relaxation import Relaxation, relax
from missioncontrol.scheduling.solver.restriction import Model
from missioncontrol.scheduling.solver.rows import build_rows
from missioncontrol.scheduling.solver.sweeps import (
    Effort,
    RunAll,
    Slice,
    around_edges,
    fixed_sweep,
    priced_sweep,
    slices_between,
)

_FIRST_SLICE: Final = 250  # windows, at least; some hours of a busy day
_CONTACTS_LONG: Final = 20  # a slice against the contacts in it, at least
_LARGER: Final = 3.0
_LAST_LARGER: Final = 1.7
_PARTS_COUNT: Final = 4.0  # columns of a window that make a slice larger, at most
_PARTS_PER_S: Final = 8_000  # of windows; the relaxation takes a third of the time then
_FIXED_PART: Final = 0.5  # of the time left that fixed sweeps may take
_SLICE_GAP: Final = 1e-4
_CLOSING_S: Final = 0.35  # for the last slice's delay, filling up, reasons and the plan itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How long and how a plan is looked for.

    Attributes:
        limit_s: Seconds from the call on.
        elapsed_s: A clock that only runs on; the caller's, since this package has none.
        seed: Of every choice by chance. The same seed gives the same plan, as long
            as there is time enough for every slice.
        target_gap: A plan this near to the bound is good enough.
        run_all: ``map``, or an executor's, which runs slices side by side.
        within: Intervals to work on; None for all. Elsewhere the first plan stays.
        digest: Of the problem's document, where the caller has it already.
    """

    limit_s: float
    elapsed_s: Callable[[], float]
    seed: int = 0
    target_gap: float = 1e-4
    run_all: RunAll = map
    within: tuple[tuple[datetime, datetime], ...] | None = None
    digest: str | None = None


def greedy_plan(
    problem: Problem, method: PlanMethod = PlanMethod.GREEDY, *, digest: str | None = None
) -> Plan:
    """Return a plan at once, without a bound.

    Args:
        problem: What to plan.
        method: GREEDY takes the most valuable contact first, FIRST_COME the earliest;
            FREEZE_FIRST keeps every contact that can stay, then as GREEDY.
        digest: Of the problem's document, where the caller has it already.
    """
    digest = digest or digest_of(problem_document(problem))
    instance = index_problem(problem)
    columns, spans = first_columns(instance)
    filled = fill(instance, columns, _order(instance, columns, method), spans)
    contacts = columns.at(filled.booked).and_then(filled.trimmed)
    return assemble(instance, contacts, filled.bookings, method=method, digest=digest)


def make_plan(problem: Problem, search: Search) -> Plan:
    """Return the best plan found within the time, with its bound.

    There is no bound where windows can be trimmed in more ways than are looked at.

    Raises:
        ProblemError: Frozen contacts that cannot both be.
    """
    run = _Run(search)
    instance = index_problem(problem)
    parts = round(_PARTS_PER_S * search.limit_s)
    columns, spans, complete = all_columns(instance, at_most=parts)
    run.mark("columns")
    method = PlanMethod.FREEZE_FIRST if problem.kept else PlanMethod.GREEDY
    chosen = fill(instance, columns, _order(instance, columns, method)).booked
    run.mark("greedy")
    model = Model(columns, build_rows(instance, columns), columns.worth + columns.bonus)
    run.mark("rows")
    relaxation, digest = _relaxed(model, problem, run)
    run.mark("relaxation")
    chosen, bound = _Improvement(instance, model, relaxation, run).of(chosen)
    # Where every part is a column, none is left to be trimmed.
    rest = None if complete else spans
    filled = fill(instance, columns, np.lexsort((-model.gain, ~chosen)), rest)
    plan = assemble(
        instance,
        columns.at(filled.booked).and_then(filled.trimmed),
        filled.bookings,
        method=PlanMethod.OPTIMISED,
        seed=search.seed,
        bound=bound if complete else None,
        prices=congestion_prices(instance, model, relaxation),
        digest=digest,
    )
    return replace(plan, phases_s=run.closed())


def _relaxed(model: Model, problem: Problem, run: _Run) -> tuple[Relaxation, str]:
    """Return the relaxation, and the digest that another core sees to meanwhile."""
    solved: list[Relaxation] = []

    def solve() -> str:
        solved.append(relax(model, limit_s=run.left_s))
        return ""

    def digest() -> str:
        return run.search.digest or digest_of(problem_document(problem))

    _, found = run.search.run_all(lambda task: task(), [solve, digest])
    return solved[0], found


def _order(instance: Instance, columns: Columns, method: PlanMethod) -> Integers:
    if method is PlanMethod.FIRST_COME:
        return first_come(columns)
    order = by_value(instance, columns)
    if method is PlanMethod.FREEZE_FIRST:
        kept = columns.kept[order]
        order = np.concatenate([order[kept], order[~kept]])
    return order


@dataclass(slots=True)
class _Run:
    """The time spent and left."""

    search: Search
    phases_s: dict[str, float] = field(default_factory=dict)
    _began_s: float = 0.0
    _last_s: float = 0.0

    def __post_init__(self) -> None:
        self._began_s = self._last_s = self.search.elapsed_s()

    def mark(self, phase: str) -> None:
        now_s = self.search.elapsed_s()
        spent_s = self.phases_s.get(phase, 0.0) + now_s - self._last_s
        self.phases_s[phase] = round(spent_s, 4)
        self._last_s = now_s

    @property
    def left_s(self) -> float:
        return self.search.limit_s - (self.search.elapsed_s() - self._began_s)

    def closed(self) -> dict[str, float]:
        self.mark("plan")
        return self.phases_s

    def effort(self, part: float, slices: int) -> Effort:
        """Return the effort for some slices that may use a part of the time left."""
        stop_s = self.search.elapsed_s() + part * (self.left_s - _CLOSING_S)
        return Effort(
            left_s=lambda: max(stop_s - self.search.elapsed_s(), 0.0),
            # The last digits are worth their time only where nothing else is lost.
            gap=self.search.target_gap / 2 if slices == 1 else _SLICE_GAP,
            seed=self.search.seed,
        )


@dataclass(slots=True)
class _Improvement:
    """Rounds the relaxation, then sweeps with ever larger slices."""

    instance: Instance
    model: Model
    relaxation: Relaxation
    run: _Run
    bound: float = field(init=False)

    def __post_init__(self) -> None:
        self.bound = self.relaxation.bound

    def of(self, chosen: Booleans) -> tuple[Booleans, float]:
        """Return a plan at least as good as the one given, and a bound."""
        chosen = self._better(chosen, np.lexsort((-self.model.gain, -self.relaxation.x)))
        self.run.mark("rounding")
        within, size = self._within(), self._first_size()
        begins_us = self.model.columns.begins_us
        while within and not self._near_enough(chosen):
            slices = slices_between(begins_us, round(size), within)
            before_s = self.run.left_s
            chosen = self._sweep(slices, chosen)
            if len(slices) == len(within):
                break
            # Larger slices take longer; begun too late they would prove nothing.
            if 2.0 * self.run.left_s < before_s:
                slices = slices_between(begins_us, round(size * _LAST_LARGER), within)
                return self._fixed_sweeps(slices, chosen, 1.0), self.bound
            size *= _LARGER
        return chosen, self.bound

    def _first_size(self) -> float:
        """Return how many columns the first slices have: long against the contacts in them.

        A window that can be trimmed has many columns, but is one window.
        """
        columns, windows = self.model.columns, self.instance.opportunities
        used = np.unique(columns.opportunity)
        if not len(used):
            return 1.0
        begins_us, ends_us = windows.begins_us[used], windows.ends_us[used]
        span_us = max(int(ends_us.max() - begins_us.min()), 1)
        in_slice = _CONTACTS_LONG * float((ends_us - begins_us).sum()) / span_us
        return max(_FIRST_SLICE, in_slice) * min(_PARTS_COUNT, len(columns) / len(used))

    def _within(self) -> list[Slice]:
        intervals = self.run.search.within
        begins_us = self.model.columns.begins_us
        if intervals is None:
            return [(int(begins_us.min()), int(begins_us.max()) + 1)] if len(begins_us) else []
        instance = self.instance
        return [
            (instance.microseconds(begins), instance.microseconds(ends))
            for begins, ends in intervals
        ]

    def _inside(self) -> Booleans:
        """Return which columns begin within the intervals to work on."""
        begins_us = self.model.columns.begins_us
        inside = np.zeros(len(begins_us), dtype=np.bool_)
        for from_us, until_us in self._within():
            inside |= (begins_us >= from_us) & (begins_us < until_us)
        return inside

    def _near_enough(self, chosen: Booleans) -> bool:
        gap = self.bound - self.model.objective(chosen)
        reached = gap <= self.run.search.target_gap * max(abs(self.bound), 1e-9)
        return reached or self.run.left_s < _CLOSING_S

    def _sweep(self, slices: Sequence[Slice], chosen: Booleans) -> Booleans:
        """Improve the plan slice by slice and across the edges, then prove how good it is."""
        run_all = self.run.search.run_all
        chosen = self._fixed_sweeps(slices, chosen, _FIXED_PART)
        bound, picked = priced_sweep(
            self.model, self.relaxation, slices, chosen, self.run.effort(1.0, len(slices)), run_all
        )
        self.bound = min(self.bound, bound)
        self.run.mark("priced sweeps")
        merged = self._better(chosen, np.lexsort((-self.model.gain, ~picked)))
        if merged is not chosen:
            merged = fixed_sweep(
                self.model,
                around_edges(slices),
                merged,
                self.run.effort(1.0, len(slices)),
                run_all,
            )
            self.run.mark("fixed sweeps")
        return merged

    def _fixed_sweeps(self, slices: Sequence[Slice], chosen: Booleans, part: float) -> Booleans:
        """Improve the plan slice by slice and across the edges, in a part of the time left."""
        effort = self.run.effort(part, len(slices))
        # Neighbours share contacts, so every other slice at a time.
        groups = [slices[::2], slices[1::2], around_edges(slices)]
        behind = sum(map(len, groups))
        for some in groups:
            behind -= len(some)
            own = replace(effort, slices_behind=behind)
            chosen = fixed_sweep(self.model, some, chosen, own, self.run.search.run_all)
        self.run.mark("fixed sweeps")
        return chosen

    def _better(self, chosen: Booleans, order: Integers) -> Booleans:
        """Return the better of a plan and what filling in an order gives."""
        if self.run.search.within is not None:
            outside = np.flatnonzero(chosen & ~self._inside())
            order = np.concatenate([outside, order[self._inside()[order]]])
        other = fill(self.instance, self.model.columns, order).booked
        better = self.model.objective(other) > self.model.objective(chosen)
        return other if better else chosen
