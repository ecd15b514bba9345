"""What is taken: antennas, relays, spacecraft, windows and counts while a plan is put together."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter

import numpy as np

from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers

Chosen = tuple[int, int, int, int, int]  # window, request, path, begin, end


class Timeline:
    """Half-open intervals on one resource, ``capacity`` of them at once."""

    __slots__ = ("_begins", "_capacity", "_contacts", "_ends", "_longest_us")

    def __init__(self, capacity: int = 1) -> None:
        self._capacity = capacity
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._contacts: list[Chosen] = []
        self._longest_us = 0

    def __len__(self) -> int:
        return len(self._begins)

    def intervals(self) -> tuple[list[int], list[int]]:
        """Return the begins and the ends, in order of begin."""
        return self._begins, self._ends

    def add(self, begins_us: int, ends_us: int, contact: Chosen) -> None:
        at = bisect_right(self._begins, begins_us)
        self._begins.insert(at, begins_us)
        self._ends.insert(at, ends_us)
        self._contacts.insert(at, contact)
        if ends_us - begins_us > self._longest_us:
            self._longest_us = ends_us - begins_us

    def has_room(self, begins_us: int, ends_us: int) -> bool:
        """Return whether one more interval fits."""
        if self._capacity > 1:
            return self._deepest(begins_us, ends_us) < self._capacity
        at = bisect_right(self._begins, begins_us)
        if at and self._ends[at - 1] > begins_us:
            return False
        return at == len(self._begins) or self._begins[at] >= ends_us

    def contacts_within(self, begins_us: int, ends_us: int) -> list[Chosen]:
        """Return the contacts that overlap an interval."""
        return [self._contacts[at] for at in self._overlapping(begins_us, ends_us)]

    def free(self, begins_us: int, ends_us: int) -> list[tuple[int, int]]:
        """Return the parts of an interval in which one more fits throughout."""
        taken = [*self._overlapping(begins_us, ends_us)]
        edges = sorted(
            {begins_us, ends_us}
            | {self._begins[at] for at in taken if self._begins[at] > begins_us}
            | {self._ends[at] for at in taken if self._ends[at] < ends_us}
        )
        parts: list[tuple[int, int]] = []
        for left, right in pairwise(edges):
            depth = sum(self._begins[at] <= left < self._ends[at] for at in taken)
            if depth >= self._capacity:
                continue
            if parts and parts[-1][1] == left:
                parts[-1] = (parts[-1][0], right)
            else:
                parts.append((left, right))
        return parts

    def _overlapping(self, begins_us: int, ends_us: int) -> Iterator[int]:
        first = bisect_left(self._begins, begins_us - self._longest_us)
        last = bisect_left(self._begins, ends_us)
        return (at for at in range(first, last) if self._ends[at] > begins_us)

    def _deepest(self, begins_us: int, ends_us: int) -> int:
        """Return how many intervals there are at once, at most, within an interval."""
        ends: list[int] = []
        deepest = 0
        for at in self._overlapping(begins_us, ends_us):
            begin = max(self._begins[at], begins_us)
            del ends[: bisect_right(ends, begin)]
            insort(ends, self._ends[at])
            deepest = max(deepest, len(ends))
        return deepest


class Bookings:
    """Contacts chosen so far, one in a window."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.antennas = [Timeline(capacity) for capacity in instance.capacity.tolist()]
        self.spacecraft = [Timeline() for _ in instance.spacecraft]
        self._windows: set[int] = set()
        self._left: list[int] = instance.requests.maximum_count.tolist()
        self._own: list[int] = instance.requests.spacecraft.tolist()
        self._profiles, self._profile_of = _profiles(instance)
        self._margins: dict[tuple[int, int], list[tuple[Timeline, int, int]]] = {}

    def book(self, contact: Chosen) -> bool:
        """Take a contact if everything that it needs is free; return whether it was."""
        window, request, path, begins_us, ends_us = contact
        if self._left[request] <= 0 or window in self._windows:
            return False
        spacecraft = self.spacecraft[self._own[request]]
        if not spacecraft.has_room(begins_us, ends_us):
            return False
        margins = self._around(path, request)
        for antenna, before_us, after_us in margins:
            if not antenna.has_room(begins_us - before_us, ends_us + after_us):
                return False
        for antenna, before_us, after_us in margins:
            antenna.add(begins_us - before_us, ends_us + after_us, contact)
        spacecraft.add(begins_us, ends_us, contact)
        self._windows.add(window)
        self._left[request] -= 1
        return True

    def may_have(self, windows: Integers, requests: Integers) -> Booleans:
        """Return which windows are unused and wanted by a request that may have one more."""
        used = np.zeros(int(windows.max(initial=0)) + 1, dtype=np.bool_)
        used[[one for one in self._windows if one < len(used)]] = True
        return ~used[windows] & (np.array(self._left)[requests] > 0)

    def is_open(self, window: int, request: int) -> bool:
        """Return whether a window is unused and its request may have one contact more."""
        return self._left[request] > 0 and window not in self._windows

    def free_parts(
        self, request: int, path: int, begins_us: int, ends_us: int
    ) -> list[tuple[int, int]]:
        """Return the parts of an interval in which a contact could be."""
        spacecraft = self.spacecraft[self._own[request]]
        parts = spacecraft.free(begins_us, ends_us)
        for antenna, before_us, after_us in self._around(path, request):
            around = antenna.free(begins_us - before_us, ends_us + after_us)
            parts = _common(
                parts, [(left + before_us, right - after_us) for left, right in around]
            )
        return parts

    def in_the_way(self, contact: Chosen) -> list[Chosen]:
        """Return the contacts that leave no room for a contact, in order of time."""
        _window, request, path, begins_us, ends_us = contact
        found = set(self.spacecraft[self._own[request]].contacts_within(begins_us, ends_us))
        for antenna, before_us, after_us in self._around(path, request):
            interval = begins_us - before_us, ends_us + after_us
            if not antenna.has_room(*interval):
                found.update(antenna.contacts_within(*interval))
        return sorted(found, key=itemgetter(3, 0))

    def _around(self, path: int, request: int) -> list[tuple[Timeline, int, int]]:
        """Return (antenna, time before, time after) for what a path occupies."""
        profile = self._profile_of[request]
        found = self._margins.get((path, profile))
        if found is None:
            instance, (before_us, after_us) = self._instance, self._profiles[profile]
            found = [
                (
                    self.antennas[resource],
                    max(int(instance.setup_us[resource]), before_us),
                    max(int(instance.teardown_us[resource]), after_us),
                )
                for resource in instance.path_resources[path]
            ]
            self._margins[path, profile] = found
        return found


def _profiles(instance: Instance) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the different (pre-pass, post-pass) there are, and which each request has."""
    table = instance.requests
    pairs = list(zip(table.before_us.tolist(), table.after_us.tolist(), strict=True))
    place = {pair: at for at, pair in enumerate(dict.fromkeys(pairs))}
    return list(place), [place[pair] for pair in pairs]


def _common(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) < min(b, d)]
