from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.scheduling.solver.candidates import all_columns
from missioncontrol.scheduling.solver.instance import index_problem
from missioncontrol.scheduling.solver.rows import RowKind, build_rows, cliques
from tests.unit.missioncontrol.scheduling.solver.problems import (
    antenna,
    problem,
    request,
    window,
)

INTERVALS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=12)


class TestCliques:
    @given(drawn=INTERVALS, capacity=st.integers(1, 3))
    def test_are_the_largest_sets_with_a_moment_in_common(self, drawn, capacity):
        begins = np.array([begin for begin, _ in drawn], dtype=np.int64)
        ends = np.array([begin + length for begin, length in drawn], dtype=np.int64)
        found = [*cliques(np.arange(len(drawn)), begins, ends, capacity)]
        at_moments = {
            frozenset(np.flatnonzero((begins <= moment) & (moment < ends)).tolist())
            for moment in range(45)
        }
        largest = {
            one
            for one in at_moments
            if len(one) > capacity and not any(one < other for other in at_moments)
        }
        assert {frozenset(members) for members, _, _ in found} == largest
        assert len(found) == len(largest)
        for members, from_at, until_at in found:
            assert begins[members].max() == from_at < until_at == ends[members].min()


def rows_of(asked):
    instance = index_problem(asked)
    columns, _, _ = all_columns(instance, at_most=10_000)
    return build_rows(instance, columns), columns


class TestBuildRows:
    def test_counts_set_up_and_tear_down_as_occupied(self):
        windows = [window("a", 0, 300), window("b", 330, 600, spacecraft="DD-2")]
        wanted = [request("r1"), request("r2", spacecraft="DD-2")]
        for setup_s, expected in ((20, 0), (21, 1)):
            busy = antenna(setup_s=setup_s, teardown_s=10)
            rows, _ = rows_of(problem(windows=windows, requests=wanted, antennas=[busy]))
            assert (rows.kind == RowKind.ANTENNA).sum() == expected

    def test_has_a_row_for_a_window_only_where_parts_of_it_are_apart(self):
        for ends_s, expected in ((230, 0), (240, 1)):
            rows, _ = rows_of(
                problem(
                    windows=[window("w", 0, ends_s)],
                    requests=[request(profile="trimmed", minimum_duration_s=120)],
                )
            )
            assert (rows.kind == RowKind.WINDOW).sum() == expected

    def test_counts_other_contacts_for_a_shared_minimum(self):
        windows = [window("a", 0, 300), window("b", 600, 700), window("c", 900, 1300)]
        shared = request(
            "ttc",
            minimum_count=2,
            missing_cost=1,
            shared=True,
            minimum_duration_s=200,
            value_per_s=0,
        )
        rows, columns = rows_of(problem(windows=windows, requests=[request("data"), shared]))
        [row] = np.flatnonzero(rows.kind == RowKind.MINIMUM)
        members = rows.column[rows.start[row] : rows.start[row + 1]]
        counted = {columns.opportunity[member] for member in members}
        assert counted == {0, 2}  # the second is too short
        assert (rows.lower[row], rows.slack_cost[row]) == (2, 1)
