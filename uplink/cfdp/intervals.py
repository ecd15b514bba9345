"""Which octets of a file: sorted, disjoint, merged intervals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Interval = tuple[int, int]  # start, end; end exclusive


class IntervalSet:
    """A set of octet positions kept as few intervals.

    Adding and removing cost a binary search, plus the intervals they touch.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in intervals:
            self.add(start, end)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __iter__(self) -> Iterator[Interval]:
        return zip(self._starts, self._ends, strict=True)

    @property
    def total(self) -> int:
        """How many positions are in the set."""
        return sum(self._ends) - sum(self._starts)

    @property
    def end(self) -> int:
        """One past the last position, 0 for the empty set."""
        return self._ends[-1] if self._ends else 0

    def add(self, start: int, end: int) -> None:
        """Add the positions from *start* up to *end*, merging with what they touch."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def remove(self, start: int, end: int) -> None:
        """Remove the positions from *start* up to *end*, where present."""
        if start >= end:
            return
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        if first >= last:
            return
        kept = [
            (low, high)
            for low, high in (
                (self._starts[first], start),
                (end, self._ends[last - 1]),
            )
            if low < high
        ]
        self._starts[first:last] = [low for low, _ in kept]
        self._ends[first:last] = [high for _, high in kept]

    def gaps(self, start: int, end: int, *, limit: int | None = None) -> list[Interval]:
        """Return what of *start* up to *end* is not in the set, in order, at most *limit*."""
        gaps: list[Interval] = []
        index = bisect_right(self._ends, start)
        while start < end and len(gaps) != limit:
            if index == len(self._starts) or self._starts[index] >= end:
                gaps.append((start, end))
                break
            if self._starts[index] > start:
                gaps.append((start, self._starts[index]))
            start = self._ends[index]
            index += 1
        return gaps

    def first(self, length: int) -> Interval | None:
        """Return the first interval, cut to at most *length*; None for the empty set."""
        if not self._starts:
            return None
        return self._starts[0], min(self._ends[0], self._starts[0] + length)
