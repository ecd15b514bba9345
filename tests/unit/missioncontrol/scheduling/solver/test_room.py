from __future__ import annotations

from copy import deepcopy

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.scheduling.solver.bookings import Bookings
from missioncontrol.scheduling.solver.candidates import all_columns
from missioncontrol.scheduling.solver.columns import contact_keys
from missioncontrol.scheduling.solver.instance import index_problem
from missioncontrol.scheduling.solver.room import Room
from tests.unit.missioncontrol.scheduling.solver.problems import running_problems


@st.composite
def half_booked(draw):
    """Draw a problem's columns, and bookings of some of them."""
    instance = index_problem(draw(running_problems()))
    columns, _, _ = all_columns(instance, at_most=100)
    contacts, bookings = list(contact_keys(columns)), Bookings(instance)
    for contact in draw(st.permutations(contacts))[: draw(st.integers(0, 4))]:
        bookings.book(contact)
    return instance, columns, contacts, bookings


class TestRoom:
    @settings(deadline=None, max_examples=80)
    @given(drawn=half_booked())
    def test_leaves_out_what_cannot_be_booked_and_nothing_else(self, drawn):
        instance, columns, contacts, bookings = drawn
        left = Room(instance, columns).left(bookings, np.arange(len(contacts)))
        fits = {key for key, one in enumerate(contacts) if deepcopy(bookings).book(one)}
        assert fits <= set(left.tolist())
        resources, capacity = instance.path_resources, instance.capacity
        for key in set(left.tolist()) - fits:
            path = resources[contacts[key][2]]
            assert len(path) > 1 or capacity[path[0]] > 1
