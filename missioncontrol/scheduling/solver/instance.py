"""A problem in numbers: names become indices, instants microseconds after the horizon's begin.

Whole microseconds, so that two intervals either touch or overlap and no
tolerance decides. An interval is half open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from missioncontrol.scheduling.solver.problem import (
    Contact,
    ContactRequest,
    Opportunity,
    Problem,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

NO_LIMIT: Final = 1 << 60
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests as columns; times in microseconds, values with their weight."""

    spacecraft: Integers
    owner: Integers  # member, -1 for one without a share
    before_us: Integers  # pre-pass
    after_us: Integers  # post-pass
    shortest_us: Integers
    longest_us: Integers
    step_us: Integers  # 0: windows are taken whole
    earliest_us: Integers
    latest_us: Integers
    deadline_us: Integers
    value: Floats
    value_per_us: Floats
    minimum_count: Integers
    maximum_count: Integers
    missing_cost: Floats
    shared: Booleans


@dataclass(frozen=True, slots=True)
class Opportunities:
    """The windows as columns; kept contacts without a window stand behind them."""

    ids: list[str]
    spacecraft: Integers
    path: Integers
    begins_us: Integers
    ends_us: Integers
    quality: Floats


@dataclass(frozen=True, slots=True)
class Outages:
    """Who serves nobody when; ``resource`` or ``spacecraft`` is -1."""

    resource: Integers
    spacecraft: Integers
    begins_us: Integers
    ends_us: Integers


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem, indexed. ``path_resources[p]`` lists what path p occupies."""

    problem: Problem
    spacecraft: list[str]
    antennas: list[str]
    setup_us: Integers
    teardown_us: Integers
    capacity: Integers
    paths: list[tuple[str, ...]]
    path_resources: list[tuple[int, ...]]
    requests: Requests
    opportunities: Opportunities
    outages: Outages
    allowed: Booleans  # request, path

    def microseconds(self, at: datetime) -> int:
        return (at - self.problem.begins) // _MICROSECOND

    def instant(self, at_us: int) -> datetime:
        return self.problem.begins + timedelta(microseconds=at_us)

    def worth(self, opportunity: Integers, request: Integers, duration_us: Integers) -> Floats:
        """Return what contacts are worth, their kept bonus not included."""
        table = self.requests
        worth: Floats = self.opportunities.quality[opportunity] * (
            table.value[request] + table.value_per_us[request] * duration_us
        )
        return worth


def index_problem(problem: Problem) -> Instance:
    """Return the problem in numbers."""
    antennas = {one.name: at for at, one in enumerate(problem.antennas)}
    spacecraft: dict[str, int] = {}
    for one in problem.opportunities:
        spacecraft.setdefault(one.spacecraft, len(spacecraft))
    for request in problem.requests:
        spacecraft.setdefault(request.spacecraft, len(spacecraft))
    # A kept contact may run along another path than its window does now.
    along = [one.path for one in problem.opportunities]
    along += [one.contact.path for one in problem.kept]
    paths = {path: at for at, path in enumerate(dict.fromkeys(along))}
    return Instance(
        problem=problem,
        spacecraft=list(spacecraft),
        antennas=list(antennas),
        setup_us=_us([one.setup_s for one in problem.antennas]),
        teardown_us=_us([one.teardown_s for one in problem.antennas]),
        capacity=np.array([one.capacity for one in problem.antennas], dtype=np.int64),
        paths=list(paths),
        path_resources=[tuple(antennas[name] for name in path) for path in paths],
        requests=_requests(problem, spacecraft),
        opportunities=_opportunities(problem, spacecraft, paths),
        outages=_outages(problem, spacecraft, antennas),
        allowed=_allowed(problem.requests, list(paths)),
    )


def _us(seconds: Sequence[float]) -> Integers:
    return np.rint(np.array(seconds, dtype=np.float64) * 1e6).astype(np.int64)


def _opportunities(
    problem: Problem, spacecraft: dict[str, int], paths: dict[tuple[str, ...], int]
) -> Opportunities:
    windows = problem.opportunities
    known = {one.id for one in windows}
    # Kept contacts whose windows are gone.
    loose = [one.contact for one in problem.kept if one.contact.id not in known]
    everything: list[Opportunity | Contact] = [*windows, *loose]
    zero = problem.begins
    return Opportunities(
        ids=[one.id for one in everything],
        spacecraft=np.array([spacecraft[one.spacecraft] for one in everything], dtype=np.int64),
        path=np.array([paths[one.path] for one in everything], dtype=np.int64),
        begins_us=np.array([(one.begins - zero) // _MICROSECOND for one in everything], np.int64),
        ends_us=np.array([(one.ends - zero) // _MICROSECOND for one in everything], np.int64),
        quality=np.array([one.quality for one in windows] + [1.0] * len(loose)),
    )


def _requests(problem: Problem, spacecraft: dict[str, int]) -> Requests:
    profiles = {one.name: one for one in problem.profiles}
    members = {one.name: at for at, one in enumerate(problem.members)}
    wanted = problem.requests
    of = [profiles[one.profile] for one in wanted]
    zero, end_us = problem.begins, (problem.ends - problem.begins) // _MICROSECOND

    def whole(numbers: list[int]) -> Integers:
        return np.array(numbers, dtype=np.int64)

    return Requests(
        spacecraft=whole([spacecraft[one.spacecraft] for one in wanted]),
        owner=whole([members.get(one.owner, -1) for one in wanted]),
        before_us=_us([one.pre_pass_s for one in of]),
        after_us=_us([one.post_pass_s for one in of]),
        shortest_us=_us(
            [
                max(one.minimum_duration_s, profile.minimum_contact_s)
                for one, profile in zip(wanted, of, strict=True)
            ]
        ),
        longest_us=whole(
            [
                NO_LIMIT if one.maximum_duration_s is None else round(one.maximum_duration_s * 1e6)
                for one in wanted
            ]
        ),
        step_us=_us([one.trim_step_s or 0.0 for one in of]),
        earliest_us=whole([max(0, (one.earliest - zero) // _MICROSECOND) for one in wanted]),
        latest_us=whole(
            [
                NO_LIMIT if one.latest is None else (one.latest - zero) // _MICROSECOND
                for one in wanted
            ]
        ),
        deadline_us=whole([min(end_us, (one.deadline - zero) // _MICROSECOND) for one in wanted]),
        value=np.array([one.weight * one.value for one in wanted], dtype=np.float64),
        value_per_us=np.array(
            [one.weight * one.value_per_s / 1e6 for one in wanted], dtype=np.float64
        ),
        minimum_count=whole([one.minimum_count for one in wanted]),
        maximum_count=whole(
            [NO_LIMIT if one.maximum_count is None else one.maximum_count for one in wanted]
        ),
        missing_cost=np.array([one.weight * one.missing_cost for one in wanted], np.float64),
        shared=np.array([one.shared for one in wanted], dtype=np.bool_),
    )


def _outages(problem: Problem, spacecraft: dict[str, int], antennas: dict[str, int]) -> Outages:
    zero, outages = problem.begins, problem.outages
    return Outages(
        resource=np.array([antennas.get(one.resource, -1) for one in outages], dtype=np.int64),
        spacecraft=np.array([spacecraft.get(one.resource, -1) for one in outages], dtype=np.int64),
        begins_us=np.array([(one.begins - zero) // _MICROSECOND for one in outages], np.int64),
        ends_us=np.array([(one.ends - zero) // _MICROSECOND for one in outages], np.int64),
    )


def _allowed(requests: Sequence[ContactRequest], paths: list[tuple[str, ...]]) -> Booleans:
    allowed = np.ones((len(requests), len(paths)), dtype=np.bool_)
    for at, request in enumerate(requests):
        if request.antennas is not None:
            allowed[at] = [request.antennas.issuperset(path) for path in paths]
    return allowed
