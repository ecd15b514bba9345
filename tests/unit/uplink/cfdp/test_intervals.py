from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uplink.cfdp.intervals import IntervalSet

EDGE = st.integers(0, 30)
OPERATIONS = st.lists(st.tuples(st.booleans(), EDGE, EDGE), max_size=25)


def built(operations):
    """The same operations on an interval set and on a set of positions."""
    intervals, positions = IntervalSet(), set()
    for adds, start, end in operations:
        if adds:
            intervals.add(start, end)
            positions |= set(range(start, end))
        else:
            intervals.remove(start, end)
            positions -= set(range(start, end))
    return intervals, positions


class TestIntervalSet:
    @given(operations=OPERATIONS)
    def test_holds_what_a_set_of_positions_holds(self, operations):
        intervals, positions = built(operations)
        assert {at for start, end in intervals for at in range(start, end)} == positions
        assert intervals.total == len(positions)
        assert intervals.end == max(positions, default=-1) + 1
        assert bool(intervals) == bool(positions)

    @given(operations=OPERATIONS)
    def test_keeps_its_intervals_apart_and_in_order(self, operations):
        intervals, _ = built(operations)
        edges = [edge for interval in intervals for edge in interval]
        assert edges == sorted(set(edges))

    @given(operations=OPERATIONS, start=EDGE, end=EDGE)
    def test_gaps_are_the_positions_it_lacks(self, operations, start, end):
        intervals, positions = built(operations)
        gaps = intervals.gaps(start, end)
        assert {at for low, high in gaps for at in range(low, high)} == (
            set(range(start, end)) - positions
        )
        assert intervals.gaps(start, end, limit=2) == gaps[:2]

    def test_first_is_cut_to_the_length_asked_for(self):
        intervals = IntervalSet([(10, 20), (3, 6)])
        assert intervals.first(2) == (3, 5)
        assert intervals.first(100) == (3, 6)
        assert IntervalSet().first(1) is None
