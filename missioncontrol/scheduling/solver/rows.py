"""Rows: what the columns of one plan must respect together.

Contacts that overlap on an antenna or a spacecraft form cliques, and as intervals
have the Helly property, each maximal clique is all that covers one instant. One row
for each such instant describes a resource's polytope exactly; only together do the
resources leave room for fractions, which is why the bound is so near.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import zip_longest

import numpy as np

from missioncontrol.scheduling.solver.columns import Columns
from missioncontrol.scheduling.solver.instance import Booleans, Floats, Instance, Integers


class RowKind(IntEnum):
    """What a row is about; ``Rows.subject`` is the number of that."""

    ANTENNA = 0  # at one instant: no more contacts than its capacity
    SPACECRAFT = 1  # at one instant: one contact
    WINDOW = 2  # one contact in a window
    MAXIMUM = 3  # of a request's contacts
    MINIMUM = 4  # of contacts that count for a request; short of it by its slack
    SHARE = 5  # a member's seconds; short of them by its slack


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix over columns, by rows: row r has the entries start[r] to start[r + 1].

    ``lower <= entries * chosen + slack <= upper``, 0 <= slack <= slack_limit, and each
    unit of slack costs ``slack_cost``. Rows of an instant hold for all contacts
    that cover ``from_us``; those listed have all of [from_us, until_us) in common.
    """

    start: Integers
    row: Integers  # of each entry
    column: Integers
    value: Floats
    lower: Floats
    upper: Floats
    slack_limit: Floats
    slack_cost: Floats
    kind: Integers
    subject: Integers
    from_us: Integers
    until_us: Integers

    def __len__(self) -> int:
        return len(self.lower)

    def activity(self, weights: Floats) -> Floats:
        """Return each row's sum over the columns, weighted."""
        sums = np.bincount(
            self.row, weights=self.value * weights[self.column], minlength=len(self)
        )
        return sums.astype(np.float64)

    def priced(self, prices: Floats, columns: int) -> Floats:
        """Return what each of the columns pays at the rows' prices."""
        sums = np.bincount(self.column, weights=self.value * prices[self.row], minlength=columns)
        return sums.astype(np.float64)


@dataclass(slots=True)
class _Collected:
    """Rows while they are put together."""

    column: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    about: list[tuple[float, ...]] = field(default_factory=list)

    def instant(
        self, kind: RowKind, subject: int, capacity: int, clique: tuple[list[int], int, int]
    ) -> None:
        members, from_us, until_us = clique
        self.column += members
        self.value += [1.0] * len(members)
        self.length.append(len(members))
        self.about.append((-np.inf, capacity, 0.0, 0.0, kind, subject, from_us, until_us))

    def at_most(self, kind: RowKind, subject: int, members: Integers, upper: float) -> None:
        self._sum(members, np.ones(len(members)))
        self.about.append((-np.inf, upper, 0.0, 0.0, kind, subject, 0, 0))

    def at_least(
        self,
        kind: RowKind,
        subject: int,
        members: Integers,
        values: Floats,
        lower: float,
        cost: float,
    ) -> None:
        self._sum(members, values)
        self.about.append((lower, np.inf, lower, cost, kind, subject, 0, 0))

    def _sum(self, members: Integers, values: Floats) -> None:
        self.column += members.tolist()
        self.value += values.tolist()
        self.length.append(len(members))

    def as_rows(self) -> Rows:
        about = np.array(self.about, dtype=np.float64).reshape(-1, 8).T
        whole = [part.astype(np.int64) for part in about[4:]]
        return Rows(
            np.concatenate([[0], np.cumsum(self.length, dtype=np.int64)]),
            np.repeat(np.arange(len(self.length)), self.length),
            np.array(self.column, dtype=np.int64),
            np.array(self.value, dtype=np.float64),
            *about[:4],
            *whole,
        )


def build_rows(instance: Instance, columns: Columns) -> Rows:
    """Return all rows of a problem over some columns."""
    rows = _Collected()
    for resource, capacity in enumerate(instance.capacity.tolist()):
        members, begins_us, ends_us = _occupying(instance, columns, resource)
        for clique in cliques(members, begins_us, ends_us, capacity):
            rows.instant(RowKind.ANTENNA, resource, capacity, clique)
    own = instance.opportunities.spacecraft[columns.opportunity]
    for spacecraft, members in _groups(own, len(instance.spacecraft)):
        for clique in cliques(members, columns.begins_us[members], columns.ends_us[members], 1):
            rows.instant(RowKind.SPACECRAFT, spacecraft, 1, clique)
    _add_windows(rows, columns)
    _add_counts(rows, instance, columns)
    _add_shares(rows, instance, columns)
    return rows.as_rows()


def cliques(
    members: Integers, begins_us: Integers, ends_us: Integers, capacity: int
) -> Iterator[tuple[list[int], int, int]]:
    """Yield each maximal set of overlapping intervals that is larger than the capacity.

    Yields:
        Its members, and the interval that all of them have in common.
    """
    order = np.argsort(begins_us, kind="stable")
    begins, ends = begins_us[order].tolist(), ends_us[order].tolist()
    active: list[tuple[int, int]] = []
    for member, begin, end, next_begin in zip_longest(
        members[order].tolist(), begins, ends, begins[1:]
    ):
        while active and active[0][0] <= begin:
            heapq.heappop(active)
        heapq.heappush(active, (end, member))
        first_end = active[0][0]
        # Maximal once somebody leaves before the next one comes.
        if len(active) > capacity and (next_begin is None or first_end <= next_begin):
            yield [one for _, one in active], begin, first_end


def _occupying(
    instance: Instance, columns: Columns, resource: int
) -> tuple[Integers, Integers, Integers]:
    """Return the columns on an antenna, and when each of them occupies it."""
    uses = np.array([resource in path for path in instance.path_resources], dtype=np.bool_)
    members = np.flatnonzero(uses[columns.path])
    requests = instance.requests
    wanted = columns.request[members]
    before_us = np.maximum(instance.setup_us[resource], requests.before_us[wanted])
    after_us = np.maximum(instance.teardown_us[resource], requests.after_us[wanted])
    return (
        members,
        columns.begins_us[members] - before_us,
        columns.ends_us[members] + after_us,
    )


def _groups(subject: Integers, count: int) -> Iterator[tuple[int, Integers]]:
    """Yield each subject that has columns, with them."""
    order = np.argsort(subject, kind="stable")
    edges = np.searchsorted(subject[order], np.arange(count + 1))
    for one in range(count):
        if edges[one] < edges[one + 1]:
            yield one, order[edges[one] : edges[one + 1]]


def _add_windows(rows: _Collected, columns: Columns) -> None:
    """Columns of one window mostly overlap, which their spacecraft forbids; else a row does."""
    if not len(columns):
        return
    count = int(columns.opportunity.max()) + 1
    latest_begin = np.full(count, np.iinfo(np.int64).min)
    first_end = np.full(count, np.iinfo(np.int64).max)
    np.maximum.at(latest_begin, columns.opportunity, columns.begins_us)
    np.minimum.at(first_end, columns.opportunity, columns.ends_us)
    apart = (latest_begin >= first_end)[columns.opportunity]
    some = np.flatnonzero(apart)
    for window, members in _groups(columns.opportunity[some], count):
        rows.at_most(RowKind.WINDOW, window, some[members], 1)


def _add_counts(rows: _Collected, instance: Instance, columns: Columns) -> None:
    table = instance.requests
    for request, members in _groups(columns.request, len(table.owner)):
        if len(members) > table.maximum_count[request]:
            most = float(table.maximum_count[request])
            rows.at_most(RowKind.MAXIMUM, request, members, most)
    costly = (table.minimum_count > 0) & (table.missing_cost > 0)
    for request in np.flatnonzero(costly).tolist():
        members = np.flatnonzero(counting(instance, columns, request))
        rows.at_least(
            RowKind.MINIMUM,
            request,
            members,
            np.ones(len(members)),
            float(table.minimum_count[request]),
            float(table.missing_cost[request]),
        )


def counting(instance: Instance, columns: Columns, request: int) -> Booleans:
    """Return which columns count towards a request's minimum."""
    table = instance.requests
    own: Booleans = columns.request == request
    if not table.shared[request]:
        return own
    duration_us = columns.ends_us - columns.begins_us
    terms: Booleans = (
        (table.spacecraft[columns.request] == table.spacecraft[request])
        & (columns.begins_us >= table.earliest_us[request])
        & (columns.begins_us <= table.latest_us[request])
        & (columns.ends_us <= table.deadline_us[request])
        & (duration_us >= table.shortest_us[request])
        & instance.allowed[request][columns.path]
    )
    return own | terms


def counted(instance: Instance, chosen: Columns) -> Integers:
    """Return how many of the chosen contacts count for each request."""
    table = instance.requests
    counts = np.bincount(chosen.request, minlength=len(table.owner))
    own = dict(_groups(table.spacecraft[chosen.request], len(instance.spacecraft)))
    parts = {spacecraft: chosen.at(members) for spacecraft, members in own.items()}
    for request in np.flatnonzero(table.shared).tolist():
        part = parts.get(int(table.spacecraft[request]))
        if part is not None:
            counts[request] = int(counting(instance, part, request).sum())
    return counts.astype(np.int64)


def _add_shares(rows: _Collected, instance: Instance, columns: Columns) -> None:
    owner = instance.requests.owner[columns.request]
    for member, one in enumerate(instance.problem.members):
        if one.entitled_s <= 0 or one.cost_per_missing_s <= 0:
            continue
        own = np.flatnonzero(owner == member)
        seconds = (columns.ends_us[own] - columns.begins_us[own]) / 1e6
        rows.at_least(RowKind.SHARE, member, own, seconds, one.entitled_s, one.cost_per_missing_s)
