"""Measure pass planning: proven gaps against time, and the repair of an outage.

    make bench-plan                      # about seven minutes
    SEEDS=1 make bench-plan              # one seed only

Every plan is checked by the verifier, which shares nothing with the solver. Notes
go to the screen; the last line is one JSON object:

* ``windows`` in the problem of 24 spacecraft, 12 stations and 7 days;
* ``gap_5s``, ``gap_30s``: the proven gap after so many seconds, building the model
  included, as a fraction of the bound; worst of the seeds;
* ``greedy_below``, ``first_come_below``: how far the simple ways stay below the bound;
  mean of the seeds;
* ``repair_s``: from a running plan and a station that is out for 12 hours to a
  better plan, worst of the seeds; ``repair_unrelated_moved``: contacts moved that the
  outage does not hit, worst; ``repair_value_share``: of a full solution anew, worst;
* ``gap_200x1d``: 200 spacecraft, one day, 30 s.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import mean
from typing import Final

from missioncontrol.scheduling.plan_verifier import verify_plan
from missioncontrol.scheduling.solver.difference import difference
from missioncontrol.scheduling.solver.document import digest_of, plan_document, problem_document
from missioncontrol.scheduling.solver.plan import Plan, PlanMethod
from missioncontrol.scheduling.solver.planning import Search, greedy_plan, make_plan
from missioncontrol.scheduling.solver.problem import Problem
from missioncontrol.scheduling.solver.repair import (
    freeze_first,
    keep_running_plan,
    moving_few,
    repair_plan,
)
from tests.benchmarks.planning_instances import planning_problem, station_outage

SEEDS: Final = [int(seed) for seed in os.environ.get("SEEDS", "1,2,3,4,5").split(",")]
CORES: Final = 2
MOST_MOVED: Final = 2  # contacts that no outage hits, by a repair
REPAIR_LIMIT_S: Final = 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one seed gives."""

    windows: int
    gap_5s: float
    gap_30s: float
    greedy_below: float
    first_come_below: float
    repair_s: float
    repair_unrelated_moved: int
    repair_value_share: float


def main() -> None:
    """Measure every seed, then the large constellation; print the figures."""
    with ThreadPoolExecutor(CORES) as threads:
        bench = Bench(threads)
        seeds = [bench.measure(seed) for seed in SEEDS]
        bench.trimmed(SEEDS[0])
        gap_200x1d = bench.constellation(SEEDS[0])
    figures = {
        "windows": seeds[0].windows,
        "gap_5s": max(one.gap_5s for one in seeds),
        "gap_30s": max(one.gap_30s for one in seeds),
        "greedy_below": mean(one.greedy_below for one in seeds),
        "first_come_below": mean(one.first_come_below for one in seeds),
        "repair_s": max(one.repair_s for one in seeds),
        "repair_unrelated_moved": max(one.repair_unrelated_moved for one in seeds),
        "repair_value_share": min(one.repair_value_share for one in seeds),
        "gap_200x1d": gap_200x1d,
    }
    print(json.dumps({name: round(figure, 6) for name, figure in figures.items()}))


class Bench:
    """Runs plans, verifies and prints them."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def measure(self, seed: int) -> Figures:
        """Return one seed's figures."""
        problem = planning_problem(seed)
        print(f"seed {seed}: {_size(problem)}")
        greedy = self.simple(problem, PlanMethod.GREEDY)
        first_come = self.simple(problem, PlanMethod.FIRST_COME)
        soon, later = (self.solve(problem, limit_s, seed) for limit_s in (5.0, 30.0))
        assert soon.gap is not None
        assert later.gap is not None
        assert later.bound is not None
        repair_s, moved, share = self.repair(problem, later, seed)
        return Figures(
            windows=len(problem.opportunities),
            gap_5s=soon.gap,
            gap_30s=later.gap,
            greedy_below=1.0 - greedy.objective / later.bound,
            first_come_below=1.0 - first_come.objective / later.bound,
            repair_s=repair_s,
            repair_unrelated_moved=moved,
            repair_value_share=share,
        )

    def simple(self, problem: Problem, method: PlanMethod) -> Plan:
        digest = digest_of(problem_document(problem))
        with stopwatch() as took_s:
            plan = greedy_plan(problem, method, digest=digest)
        verified(problem, plan)
        print(f"  {method.value.lower():12} {took_s():6.3f} s  objective {plan.objective:12.1f}")
        return plan

    def solve(self, problem: Problem, limit_s: float, seed: int) -> Plan:
        with stopwatch() as took_s:
            plan = make_plan(problem, self._search(limit_s, seed))
        verified(problem, plan)
        gap = "not proven" if plan.gap is None else f"{plan.gap:.4%}"
        print(
            f"  limit {limit_s:4.0f} s {took_s():6.2f} s  objective {plan.objective:12.1f}  "
            f"gap {gap}  {len(plan.contacts)} contacts, {len(plan.unserved)} requests unserved  "
            f"{_phases(plan)}"
        )
        return plan

    def repair(self, problem: Problem, running: Plan, seed: int) -> tuple[float, int, float]:
        """Return the seconds, the unrelated contacts moved, and the share of the value."""
        outage = station_outage(seed)
        with stopwatch() as took_s:
            mending = keep_running_plan(problem, running.contacts, outages=[outage])
            digest = digest_of(problem_document(mending))
            frozen = freeze_first(mending, digest=digest)
            at_once_s = took_s()
            search = replace(self._search(REPAIR_LIMIT_S - at_once_s, seed), digest=digest)
            mended = repair_plan(mending, search)
            mended = moving_few(mending, mended, frozen, most_moved=MOST_MOVED)
        verified(mending, frozen)
        verified(mending, mended)
        anew = self.solve(replace(problem, outages=(*problem.outages, outage)), 30.0, seed)
        changes = difference(mending, running.contacts, mended.contacts)
        anew_moved = difference(mending, running.contacts, anew.contacts).unrelated
        print(
            f"  {outage.resource} out for 12 h: freeze-first {at_once_s:.2f} s, "
            f"{frozen.value / anew.value:.3%} of a full solution; repaired {took_s():.2f} s, "
            f"{mended.value / anew.value:.3%}, gap {mended.gap:.4%}, "
            f"{len(changes.changes)} changes, {len(changes.unrelated)} unrelated "
            f"(anew {len(anew_moved)})  {_phases(mended)}"
        )
        return took_s(), len(changes.unrelated), mended.value / anew.value

    def trimmed(self, seed: int) -> None:
        print(f"seed {seed}, windows may be trimmed in steps of 120 s")
        self.solve(planning_problem(seed, trim_step_s=120.0), 30.0, seed)

    def constellation(self, seed: int) -> float:
        """Return the gap of 200 spacecraft in one day."""
        problem = planning_problem(seed, spacecraft=200, days=1)
        print(f"200 spacecraft: {_size(problem)}")
        gap = self.solve(problem, 30.0, seed).gap
        assert gap is not None
        return gap

    def _search(self, limit_s: float, seed: int) -> Search:
        return Search(
            limit_s=limit_s,
            elapsed_s=time.perf_counter,
            seed=seed,
            target_gap=1e-5,
            run_all=self._threads.map,
        )


def verified(problem: Problem, plan: Plan) -> None:
    """Let the verifier judge a plan as it would be stored."""
    verify_plan(json.loads(json.dumps(plan_document(problem, plan))))


@contextmanager
def stopwatch() -> Iterator:
    """Give a function that says the seconds since the block began, until it ended."""
    began_s, ended_s = time.perf_counter(), []
    yield lambda: (ended_s[0] if ended_s else time.perf_counter()) - began_s
    ended_s.append(time.perf_counter())


def _size(problem: Problem) -> str:
    return (
        f"{len(problem.opportunities)} windows, {len(problem.requests)} requests, "
        f"{len(problem.members)} members, {len(problem.antennas)} antennas"
    )


def _phases(plan: Plan) -> str:
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in plan.phases_s.items())


if __name__ == "__main__":
    main()
