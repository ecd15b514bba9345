"""Which of many columns still fit beside what is booked: all of them looked at at once.

Most columns of a busy week fit no more by the time their turn comes. Asked one by one,
they would take most of the time in which a plan is put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from missioncontrol.scheduling.solver.bookings import Bookings, Timeline
from missioncontrol.scheduling.solver.columns import Columns
from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers

_NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class _Line:
    """What each column occupies, with all resources of a kind in one line of time.

    They stand one behind the other, ``row_us`` apart: then one search finds what is
    booked before and after an interval, whatever the resource.
    """

    begins_us: Integers
    ends_us: Integers
    zero_us: int
    row_us: int

    @classmethod
    def of(cls, resource: Integers, begins_us: Integers, ends_us: Integers) -> Self:
        zero_us = int(begins_us.min(initial=0))
        row_us = int(ends_us.max(initial=0)) - zero_us + 1
        at_us = resource * row_us - zero_us
        return cls(at_us + begins_us, at_us + ends_us, zero_us, row_us)

    def occupied(self, some: Integers, timelines: Sequence[Timeline]) -> Booleans:
        """Return of some columns whether something that is booked overlaps them."""
        booked = [
            (number * self.row_us - self.zero_us + np.array(one.intervals(), dtype=np.int64))
            for number, one in enumerate(timelines)
            if len(one)
        ]
        # The last one begins after all and ends before all; to the first, it is what came before.
        begins_us, ends_us = np.concatenate([*booked, [[_NEVER], [-_NEVER]]], axis=1)
        behind = np.searchsorted(begins_us, self.begins_us[some], side="right")
        overlaps: Booleans = (ends_us[behind - 1] > self.begins_us[some]) | (
            begins_us[behind] < self.ends_us[some]
        )
        return overlaps


class Room:
    """The room that bookings leave for columns."""

    def __init__(self, instance: Instance, columns: Columns) -> None:
        self._columns = columns
        table, request = instance.requests, columns.request
        first = np.array([path[0] for path in instance.path_resources], dtype=np.int64)
        antenna = first[columns.path]
        before_us = np.maximum(instance.setup_us[antenna], table.before_us[request])
        after_us = np.maximum(instance.teardown_us[antenna], table.after_us[request])
        self._serves_one = instance.capacity[antenna] == 1
        self._spacecraft = _Line.of(table.spacecraft[request], columns.begins_us, columns.ends_us)
        self._antennas = _Line.of(
            antenna, columns.begins_us - before_us, columns.ends_us + after_us
        )

    def left(self, bookings: Bookings, some: Integers) -> Integers:
        """Return those of some columns that may still be booked; the others never will be.

        An antenna that serves several at once is not looked at, nor a path's second one.
        """
        columns = self._columns
        busy = self._antennas.occupied(some, bookings.antennas) & self._serves_one[some]
        busy |= self._spacecraft.occupied(some, bookings.spacecraft)
        free = ~busy & bookings.may_have(columns.opportunity[some], columns.request[some])
        return np.asarray(some[free])
