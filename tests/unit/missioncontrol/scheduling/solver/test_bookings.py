from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.scheduling.solver.bookings import Timeline

INTERVALS = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)


def depth(taken, moment):
    return sum(begins <= moment < ends for begins, ends in taken)


@st.composite
def timelines(draw):
    """Draw a timeline and what is on it; only what fits was added."""
    capacity = draw(st.integers(1, 3))
    timeline, taken = Timeline(capacity), []
    for begins, ends in draw(st.lists(INTERVALS, max_size=12)):
        if timeline.has_room(begins, ends):
            timeline.add(begins, ends, (len(taken), 0, 0, begins, ends))
            taken.append((begins, ends))
    return timeline, taken, capacity


class TestTimeline:
    @given(drawn=timelines(), wanted=INTERVALS)
    def test_has_room_where_no_moment_is_full(self, drawn, wanted):
        timeline, taken, capacity = drawn
        full = any(depth(taken, moment) >= capacity for moment in range(*wanted))
        assert timeline.has_room(*wanted) is not full

    @given(drawn=timelines(), wanted=INTERVALS)
    def test_names_what_overlaps(self, drawn, wanted):
        timeline, taken, _ = drawn
        overlapping = {
            (window, 0, 0, begins, ends)
            for window, (begins, ends) in enumerate(taken)
            if begins < wanted[1] and wanted[0] < ends
        }
        assert set(timeline.contacts_within(*wanted)) == overlapping

    @given(drawn=timelines(), wanted=INTERVALS)
    def test_gives_the_free_parts_whole_and_apart(self, drawn, wanted):
        timeline, taken, capacity = drawn
        parts = timeline.free(*wanted)
        free = {moment for moment in range(*wanted) if depth(taken, moment) < capacity}
        assert {moment for part in parts for moment in range(*part)} == free
        assert all(one[1] < other[0] for one, other in pairwise(parts))
