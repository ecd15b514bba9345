"""When spacecraft see each other, so that one may serve as a relay for the other.

The same search as for ground stations, with another clearance
(:mod:`.relay_clearance`). No antenna pattern and no limit of range: what is
found is where geometry leaves the line free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits.arrays import Booleans, Floats, Integers, dot
from missioncontrol.orbits.elements import DEFAULT_ELEMENTS_AGE_LIMIT, MeanElements
from missioncontrol.orbits.fleet_ephemerides import FleetEphemerides, Group, Span
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.passes import PassSearch
from missioncontrol.orbits.relay_clearance import RelayClearance, flies_above, grazing_axes_km
from missioncontrol.orbits.spans import best_within, cut
from missioncontrol.orbits.time_grid import MARGIN_NODES, TimeGrid, exact_grid, seconds_of
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.windows import Refusal

# Below it the atmosphere bends and weakens what passes through.
DEFAULT_GRAZING_HEIGHT_M: Final = 100_000.0
_POINTS_AT_ONCE: Final = 300_000  # spacecraft x nodes held in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayWindow:
    """One interval in which a spacecraft and a relay see each other. Times are UTC."""

    spacecraft: str
    relay: str
    spacecraft_index: int
    relay_index: int
    aos: datetime
    nearest: datetime  # when they are nearest to each other within the window
    los: datetime
    nearest_range_m: float
    clipped_start: bool  # already open at the start of what is known
    clipped_end: bool  # still open at its end


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayColumns:
    """Windows as columns of equal length; times in seconds after some moment."""

    spacecraft_index: Integers
    relay_index: Integers
    aos_s: Floats
    nearest_s: Floats
    los_s: Floats
    nearest_range_m: Floats
    clipped_start: Booleans
    clipped_end: Booleans

    def __len__(self) -> int:
        return len(self.aos_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayWindows(RelayColumns):
    """The windows of a computation, by spacecraft, relay and time, and who was refused."""

    start: datetime
    spacecraft: tuple[str, ...]
    relays: tuple[str, ...]
    refused: list[Refusal]  # of the spacecraft
    refused_relays: list[Refusal]

    def __iter__(self) -> Iterator[RelayWindow]:
        for number in range(len(self)):
            spacecraft, relay = int(self.spacecraft_index[number]), int(self.relay_index[number])
            yield RelayWindow(
                spacecraft=self.spacecraft[spacecraft],
                relay=self.relays[relay],
                spacecraft_index=spacecraft,
                relay_index=relay,
                aos=self.start + timedelta(seconds=float(self.aos_s[number])),
                nearest=self.start + timedelta(seconds=float(self.nearest_s[number])),
                los=self.start + timedelta(seconds=float(self.los_s[number])),
                nearest_range_m=float(self.nearest_range_m[number]),
                clipped_start=bool(self.clipped_start[number]),
                clipped_end=bool(self.clipped_end[number]),
            )


def find_relay_windows(
    *,
    spacecraft: Sequence[AnyTrajectory],
    relays: Sequence[AnyTrajectory],
    start: datetime,
    end: datetime,
    grazing_height_m: float = DEFAULT_GRAZING_HEIGHT_M,
    elements_age_limit: timedelta = DEFAULT_ELEMENTS_AGE_LIMIT,
    time_scale: Timescale | None = None,
) -> RelayWindows:
    """Return every window in which a spacecraft sees a relay past the Earth.

    A spacecraft that stands in both lists is no relay of its own. Of one with
    an ephemeris that covers a part of the interval, the windows of that part
    are found.

    Args:
        spacecraft: Mean elements or an ephemeris, one for each.
        relays: Likewise.
        start: First instant, aware.
        end: Last instant, aware; later than *start*.
        grazing_height_m: How far above the WGS84 ellipsoid the line must stay.
        elements_age_limit: How far the interval may reach from an epoch.
        time_scale: Other than the packaged one, see :mod:`.time_scale`.

    Raises:
        ValueError: A time without a zone, or *end* not later than *start*.
    """
    _, origin_s, _ = seconds_of(start, end)
    fleets = [
        FleetEphemerides(
            one,
            start=start,
            end=end,
            age_limit=elements_age_limit,
            time_scale=time_scale or packaged_time_scale(),
        )
        for one in (spacecraft, relays)
    ]
    search = _Search(spacecraft, relays, fleets[0], fleets[1], grazing_height_m)
    columns = _joined([_no_windows(), *search.run(origin_s)])
    return RelayWindows(
        **{field.name: getattr(columns, field.name) for field in fields(RelayColumns)},
        start=start,
        spacecraft=tuple(one.name for one in spacecraft),
        relays=tuple(one.name for one in relays),
        refused=search.refused,
        refused_relays=search.refused_relays,
    )


class _Search:
    """One search of all pairs, a few spacecraft over one relay at a time."""

    def __init__(
        self,
        spacecraft: Sequence[AnyTrajectory],
        relays: Sequence[AnyTrajectory],
        fleet: FleetEphemerides,
        others: FleetEphemerides,
        grazing_height_m: float,
    ) -> None:
        self._spacecraft = spacecraft
        self._relays = relays
        self._fleet = fleet
        self._others = others
        self._grazing_height_m = grazing_height_m
        self._axes_km = grazing_axes_km(grazing_height_m)
        self._step_s = min(
            (one.sound_step_s for one in (*spacecraft, *relays)), default=float("inf")
        )
        self._on_relay_grid: dict[tuple[int, TimeGrid], list[Group]] = {}
        self.refused: list[Refusal] = []
        self.refused_relays: list[Refusal] = []

    def run(self, origin_s: float) -> Iterator[RelayColumns]:
        """Yield the windows of each group over each relay."""
        for indices in self._chunks():
            on_grid: dict[TimeGrid, list[Group]] = {}
            for number in range(len(self._relays)):
                for grid in self._common_grids(indices[0], number):
                    if grid not in on_grid:
                        groups = self._fleet.on_grid(indices, grid, self.refused)
                        on_grid[grid] = self._above(groups, self._spacecraft, self.refused)
                    for relay in self._relay(number, grid):
                        for group in on_grid[grid]:
                            yield self._between(group, relay, origin_s)

    def _chunks(self) -> Iterator[list[int]]:
        """Yield spacecraft whose motion is known in the same span: by elements, or one."""
        chunk: list[int] = []
        for index, one in enumerate(self._spacecraft):
            if not isinstance(one, MeanElements):
                yield [index]
                continue
            chunk.append(index)
            if len(chunk) * self._nodes(index) > _POINTS_AT_ONCE:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _nodes(self, index: int) -> int:
        return int(sum(one.length_s for one in self._fleet.spans(index)) / self._step_s) + 1

    def _common_grids(self, index: int, number: int) -> Iterator[TimeGrid]:
        for ours in self._fleet.spans(index):
            for theirs in self._others.spans(number):
                common = ours.within(theirs.start_s, theirs.end_s)
                if common is not None:
                    yield _grid(common, self._step_s)

    def _relay(self, number: int, grid: TimeGrid) -> list[Group]:
        key = number, grid
        if key not in self._on_relay_grid:
            groups = self._others.on_grid([number], grid, self.refused_relays)
            self._on_relay_grid[key] = self._above(groups, self._relays, self.refused_relays)
        return self._on_relay_grid[key]

    def _above(
        self, groups: Iterator[Group], fleet: Sequence[AnyTrajectory], refused: list[Refusal]
    ) -> list[Group]:
        """Return the groups without those who fly within the layer that no line may graze."""
        kept = []
        for group in groups:
            above = flies_above(group.ephemerides, self._axes_km)
            refused += [
                Refusal(
                    fleet[index].name,
                    int(index),
                    f"{fleet[index].name} flies lower than the grazing height of "
                    f"{self._grazing_height_m / 1000.0:g} km. Give a lower height.",
                )
                for index in group.indices[~above]
            ]
            if above.any():
                kept.append(Group(group.indices[above], group.ephemerides.taking(above)))
        return kept

    def _between(self, group: Group, relay: Group, origin_s: float) -> RelayColumns:
        grid, number = group.ephemerides.grid, int(relay.indices[0])
        clearance = RelayClearance(group.ephemerides, relay.ephemerides, self._axes_km)
        passes = PassSearch(clearance).find()
        aos, los = cut(passes, clearance)

        def nearness(_pair: Integers, line_of_sight_km: Floats) -> Floats:
            return -np.sqrt(dot(line_of_sight_km, line_of_sight_km))

        nearest_s, nearness_km = best_within(aos, los, passes.best, grid, nearness)
        spacecraft = group.indices[aos.pair]
        columns = RelayColumns(
            spacecraft_index=spacecraft,
            relay_index=np.full(len(spacecraft), number),
            aos_s=aos.at_s - origin_s,
            nearest_s=nearest_s - origin_s,
            los_s=los.at_s - origin_s,
            nearest_range_m=-1000.0 * nearness_km,
            clipped_start=aos.at_s <= grid.start_s,
            clipped_end=los.at_s >= grid.end_s,
        )
        itself = [self._spacecraft[index] == self._relays[number] for index in spacecraft]
        return _taking(columns, ~np.array(itself, dtype=np.bool_))


def _grid(span: Span, step_s: float) -> TimeGrid:
    return exact_grid(span.midnight, span.start_s, span.end_s, step_s, margin=MARGIN_NODES)


def _no_windows() -> RelayColumns:
    whole, real, flag = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
    return RelayColumns(
        spacecraft_index=whole,
        relay_index=whole,
        aos_s=real,
        nearest_s=real,
        los_s=real,
        nearest_range_m=real,
        clipped_start=flag,
        clipped_end=flag,
    )


def _joined(parts: Sequence[RelayColumns]) -> RelayColumns:
    """Return the rows of all parts by spacecraft, relay and time."""
    columns = RelayColumns(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(RelayColumns)
        }
    )
    order = np.lexsort((columns.aos_s, columns.relay_index, columns.spacecraft_index))
    return _taking(columns, order)


def _taking(columns: RelayColumns, which: Integers | Booleans) -> RelayColumns:
    return RelayColumns(
        **{field.name: getattr(columns, field.name)[which] for field in fields(RelayColumns)}
    )
