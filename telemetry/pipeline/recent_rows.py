"""Which packets came before: known by generation time and sequence count."""

from __future__ import annotations

from collections import OrderedDict, deque

import numpy as np
import numpy.typing as npt


class RecentRows:
    """The last *limit* different packets of one container that were added."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._columns: deque[tuple[list[int], list[int]]] = deque()  # not among the keys yet
        self._waiting = 0
        self._newest_us: int | None = None

    def add(
        self, times_us: npt.NDArray[np.int64], counts: npt.NDArray[np.uint16]
    ) -> npt.NDArray[np.bool_]:
        """Add packets in order of arrival; return which of them are new."""
        if not len(times_us):
            return np.zeros(0, dtype=np.bool_)
        newest_us = int(times_us.max())
        if self._newest_us is None or int(times_us.min()) > self._newest_us:
            # Newer than all before: only the same packets among these can be repeats.
            is_new = _first_of_each(times_us, counts)
            self._keep(times_us[is_new].tolist(), counts[is_new].tolist())
        else:
            is_new = self._add_one_by_one(times_us.tolist(), counts.tolist())
            newest_us = max(newest_us, self._newest_us)
        self._newest_us = newest_us
        return is_new

    def _keep(self, times_us: list[int], counts: list[int]) -> None:
        """Keep a column as it is: it is looked up only when something comes late."""
        self._columns.append((times_us, counts))
        self._waiting += len(times_us)
        while self._waiting - len(self._columns[0][0]) >= self._limit:
            self._waiting -= len(self._columns.popleft()[0])

    def _add_one_by_one(self, times_us: list[int], counts: list[int]) -> npt.NDArray[np.bool_]:
        while self._columns:
            self._keys.update(dict.fromkeys(zip(*self._columns.popleft(), strict=True)))
        self._waiting = 0
        is_new = np.zeros(len(times_us), dtype=np.bool_)
        for row, key in enumerate(zip(times_us, counts, strict=True)):
            if key not in self._keys:
                is_new[row] = True
                self._keys[key] = None
        while len(self._keys) > self._limit:
            self._keys.popitem(last=False)
        return is_new


def _first_of_each(
    times_us: npt.NDArray[np.int64], counts: npt.NDArray[np.uint16]
) -> npt.NDArray[np.bool_]:
    order = np.lexsort((counts, times_us))  # stable: the first that came comes first
    times, numbers = times_us[order], counts[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (times[1:] != times[:-1]) | (numbers[1:] != numbers[:-1])
    result = np.empty(len(order), dtype=np.bool_)
    result[order] = is_first
    return result
