"""Windows pinned in a problem, or the reason why no plan can have them so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from missioncontrol.scheduling.solver.bookings import Bookings, Chosen
from missioncontrol.scheduling.solver.candidates import first_columns
from missioncontrol.scheduling.solver.columns import contact_columns, contact_keys
from missioncontrol.scheduling.solver.instance import index_problem
from missioncontrol.scheduling.solver.outages import first_outage
from missioncontrol.scheduling.solver.pins import Pin
from missioncontrol.scheduling.solver.problem import Problem
from missioncontrol.scheduling.solver.spans import wanted_spans

_TIME: Final = "%Y-%m-%d %H:%M:%SZ"


class PinError(ValueError):
    """No plan can have windows booked or free like this; the text says what is against it."""


def pin_windows(problem: Problem, *, booked: Sequence[str], free: Sequence[str]) -> Problem:
    """Return a problem whose plans have some windows booked and others free.

    A window is booked for the request that it is worth most to, among those that
    may have one contact more beside the running plan's. What stays whatever is
    asked, a frozen contact, is regarded here: what is returned has a plan.

    Args:
        problem: Without pins.
        booked: Windows that must be booked, by id, or kept contacts that must stay.
        free: Windows in which nothing may be booked.

    Raises:
        PinError: There can be no such plan.
    """
    if not (booked or free):
        return problem
    _refuse_contradictions([*booked, *free])
    _refuse_freeing_frozen(problem, free)
    pins = [*_Wish(problem, booked, free).pins()]
    pins += [Pin(window=name, request=None) for name in free]
    return replace(problem, pins=tuple(pins))


def _refuse_contradictions(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise PinError(f"Window {name} is asked for twice; name it once, booked or free.")


def _refuse_freeing_frozen(problem: Problem, free: Iterable[str]) -> None:
    frozen = {one.contact.id for one in problem.kept if one.frozen}
    for name in free:
        if name in frozen:
            raise PinError(
                f"Window {name} cannot be left free: its contact has begun, is about to begin, "
                "or reaches over the end of the horizon, and stays."
            )


class _Wish:
    """The windows to be booked, and the running plan: a small part of the problem."""

    def __init__(self, problem: Problem, booked: Sequence[str], free: Sequence[str]) -> None:
        self._names = booked
        part = replace(
            problem,
            opportunities=tuple(one for one in problem.opportunities if one.id in {*booked}),
            kept=tuple(one for one in problem.kept if one.contact.id not in {*free}),
        )
        self._problem = part
        self._instance = index_problem(part)
        self._columns, _ = first_columns(self._instance)
        self._keys = [*contact_keys(self._columns)]
        self._places = {name: at for at, name in enumerate(self._instance.opportunities.ids)}
        frozen = np.flatnonzero(self._columns.frozen).tolist()
        self._settled = Bookings(self._instance)  # what stays, and what is pinned so far
        self._running = Bookings(self._instance)
        self._served = np.zeros(len(part.requests), dtype=np.int64)
        for key in frozen:
            self._settled.book(self._keys[key])
        for key in [*frozen, *np.flatnonzero(self._columns.kept).tolist()]:
            if self._running.book(self._keys[key]):
                self._served[self._columns.request[key]] += 1

    def pins(self) -> Iterator[Pin]:
        """Yield a pin for each window, if all of them can be booked together."""
        for name in self._names:
            ways = self._ways(name)
            if not ways:
                raise PinError(f"Window {name} cannot be booked: {self._unusable(name)}.")
            taken = next((way for way in ways if self._take(way)), None)
            if taken is None:
                raise PinError(f"Window {name} cannot be booked: {self._opposed(ways[0])}.")
            request = self._problem.requests[int(self._columns.request[taken])]
            yield Pin(window=name, request=request.id)

    def _ways(self, name: str) -> list[int]:
        """Return the columns of a window, the best first."""
        columns = self._columns
        gain = columns.worth + columns.bonus
        own = np.flatnonzero(columns.opportunity == self._places[name]).tolist()
        return sorted(
            own,
            key=lambda way: (columns.frozen[way], self._has_room(way), gain[way]),
            reverse=True,
        )

    def _has_room(self, way: int) -> bool:
        """Return whether a request may have a contact more, beside those that can stay."""
        request = int(self._columns.request[way])
        give_way = self._running.in_the_way(self._keys[way])
        gone = sum(theirs == request for _window, theirs, *_ in give_way)
        most = int(self._instance.requests.maximum_count[request])
        return int(self._served[request]) - gone < most

    def _take(self, way: int) -> bool:
        return bool(self._columns.frozen[way]) or self._settled.book(self._keys[way])

    def _unusable(self, name: str) -> str:
        """Return why no request can have a window."""
        instance, place = self._instance, self._places[name]
        spans = wanted_spans(instance)
        own = spans.at(spans.opportunity == place)
        if len(own):
            columns = contact_columns(
                instance, own.opportunity, own.request, own.begins_us, own.ends_us
            )
            met = self._problem.outages[int(first_outage(instance, columns).max())]
            why = f": {met.reason}" if met.reason else ""
            return (
                f"{met.resource} is out {met.begins:{_TIME}} to {met.ends:{_TIME}}{why}; "
                "set-up and tear-down must lie outside, too"
            )
        windows, requests = instance.opportunities, instance.requests
        shortest_us = requests.shortest_us[requests.spacecraft == windows.spacecraft[place]]
        lasts_us = int(windows.ends_us[place] - windows.begins_us[place])
        if (shortest_us > lasts_us).all() and len(shortest_us):
            shortest_s = int(shortest_us.min()) / 1e6
            return f"it lasts {lasts_us / 1e6:.0f} s, the shortest contact {shortest_s:.0f} s"
        return "no request of its spacecraft has it within its times"

    def _opposed(self, way: int) -> str:
        """Return what stays and leaves no room for a column."""
        others = self._settled.in_the_way(self._keys[way])
        if not others:
            return "every request of its spacecraft has as many contacts as it may have"
        return "; ".join(self._opponent(other, way) for other in others)

    def _opponent(self, other: Chosen, way: int) -> str:
        columns, instance = self._columns, self._instance
        window, request, path, begins_us, ends_us = other
        common = {*instance.path_resources[path]}
        common &= {*instance.path_resources[int(columns.path[way])]}
        busy = "has the spacecraft"
        for resource in sorted(common)[:1]:
            table = instance.requests
            begins_us -= max(int(instance.setup_us[resource]), int(table.before_us[request]))
            ends_us += max(int(instance.teardown_us[resource]), int(table.after_us[request]))
            busy = f"occupies {instance.antennas[resource]}, set-up and tear-down included,"
        frozen = columns.frozen & (columns.opportunity == window)
        stays = "stays" if frozen.any() else "is asked for as well"
        begins, ends = instance.instant(begins_us), instance.instant(ends_us)
        name = instance.opportunities.ids[window]
        return f"contact {name}, which {stays}, {busy} {begins:{_TIME}} to {ends:{_TIME}}"
