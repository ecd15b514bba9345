"""From spacecraft and stations to columns of windows and paths, ready to be stored.

No database: what is needed of it is passed in. An interval is computed in two
parts, before its start and after it: so a pass that is under way at the start
is whole, and a window that is open for days goes on from what was known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from missioncontrol.orbits.contact_windows import ContactWindows, find_contact_windows
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.relay_paths import RelayPaths, find_relay_paths
from missioncontrol.orbits.relay_windows import find_relay_windows
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.windows import Refusal

# What is under way at the start of an interval is followed back as far as this.
_BEFORE: Final = timedelta(hours=2)
# And what is under way at its end forward as far as this.
_BEHIND: Final = timedelta(hours=1)

Columns = dict[str, NDArray[Any]]
Key = tuple[int, ...]  # primary keys of who sees whom
Known = Mapping[Key, Mapping[str, Any]]  # what was known of a window, by its key


@dataclass(frozen=True, slots=True)
class Fleet:
    """Spacecraft, or relays, with what they fly on; columns of one length."""

    ids: NDArray[np.int64]  # primary keys
    trajectories: Sequence[AnyTrajectory]


@dataclass(frozen=True, slots=True)
class Ground:
    """Stations; columns of one length."""

    ids: NDArray[np.int64]  # primary keys
    sites: Sequence[Site]


@dataclass(frozen=True, slots=True)
class Interval:
    """What is to be computed: what begins in it, and what is under way at its start."""

    start: datetime
    end: datetime

    @property
    def before(self) -> tuple[datetime, datetime]:
        return self.start - _BEFORE, self.start

    @property
    def after(self) -> tuple[datetime, datetime]:
        return self.start, self.end + _BEHIND

    @property
    def seam(self) -> datetime:
        """From here on the past is computed anew; what is older is known or unknown."""
        return self.start - _BEFORE


@dataclass(frozen=True, slots=True)
class Prediction:
    """Columns by the names of a table's fields, and who was refused."""

    columns: Columns
    refused: list[Refusal]


def predict_windows(
    spacecraft: Fleet, ground: Ground, interval: Interval, known: Known
) -> Prediction:
    """Return the contact windows of spacecraft over stations.

    Args:
        spacecraft: With their elements or ephemerides.
        ground: The stations.
        interval: Start and end, UTC.
        known: Windows open at the interval's ``seam``, by spacecraft and station,
            that were predicted with the same elements: their ``aos``,
            ``aos_azimuth_deg``, ``clipped_start``, ``tca``, ``max_elevation_deg``.
    """

    def compute(start: datetime, end: datetime) -> tuple[Columns, list[Refusal]]:
        found = find_contact_windows(
            elements=spacecraft.trajectories, sites=ground.sites, start=start, end=end
        )
        return _window_columns(found, spacecraft, ground), found.refused

    return _predict(compute, interval, known, keys=("spacecraft_id", "station_id"))


def predict_paths(
    spacecraft: Fleet,
    relays: Fleet,
    allowed: NDArray[np.bool_],
    ground: Ground,
    interval: Interval,
    known: Known,
) -> Prediction:
    """Return the paths from spacecraft over relays to stations.

    Args:
        spacecraft: Who may use relays.
        relays: The relays.
        allowed: Who may use which, shape (spacecraft, relays).
        ground: The stations.
        interval: Start and end, UTC.
        known: Paths open at the interval's ``seam``, by spacecraft, relay and
            station, as for windows.
    """

    def compute(start: datetime, end: datetime) -> tuple[Columns, list[Refusal]]:
        first_hops = find_relay_windows(
            spacecraft=spacecraft.trajectories,
            relays=relays.trajectories,
            start=start,
            end=end,
        )
        second_hops = find_contact_windows(
            elements=relays.trajectories, sites=ground.sites, start=start, end=end
        )
        paths = find_relay_paths(first_hops, second_hops)
        columns = _path_columns(paths, second_hops, spacecraft, relays, ground)
        usable = allowed[paths.spacecraft_index, paths.relay_index]
        return _taking(columns, usable), first_hops.refused

    keys = ("spacecraft_id", "relay_id", "station_id")
    return _predict(compute, interval, known, keys=keys)


def _predict(
    compute: Callable[[datetime, datetime], tuple[Columns, list[Refusal]]],
    interval: Interval,
    known: Known,
    *,
    keys: tuple[str, ...],
) -> Prediction:
    earlier, _ = compute(*interval.before)
    columns, refused = compute(*interval.after)
    _continue_from(columns, earlier, known, interval, keys)
    return Prediction(_taking(columns, columns["aos"] < utc64(interval.end)), refused)


def _continue_from(
    columns: Columns, earlier: Columns, known: Known, interval: Interval, keys: tuple[str, ...]
) -> None:
    """Let windows that are open at the start begin where they began, in place."""
    start, seam = utc64(interval.start), utc64(interval.seam)
    before = {_key(earlier, row, keys): row for row in _rows(earlier["los"] == start)}
    for row in _rows((columns["aos"] == start) & columns["clipped_start"]):
        key = _key(columns, row, keys)
        if key not in before:
            continue
        part = {name: column[before[key]] for name, column in earlier.items()}
        if part["aos"] > seam:
            _extend(columns, row, part)
        elif key in known:  # open since before the seam: as was known
            _extend(columns, row, part)
            _extend(columns, row, known[key])


def _rows(which: NDArray[np.bool_]) -> list[int]:
    rows: list[int] = np.flatnonzero(which).tolist()
    return rows


def _key(columns: Columns, row: int, keys: tuple[str, ...]) -> Key:
    return tuple(int(columns[name][row]) for name in keys)


def _extend(columns: Columns, row: int, earlier: Mapping[str, Any]) -> None:
    """Give a window the beginning of its earlier part, and its height if that is greater."""
    for name in ("aos", "aos_azimuth_deg", "clipped_start"):
        if name in columns:
            columns[name][row] = earlier[name]
    if earlier["max_elevation_deg"] > columns["max_elevation_deg"][row]:
        for name in ("max_elevation_deg", "tca"):
            if name in columns:
                columns[name][row] = earlier[name]


def _window_columns(windows: ContactWindows, spacecraft: Fleet, ground: Ground) -> Columns:
    return {
        "spacecraft_id": spacecraft.ids[windows.satellite_index],
        "station_id": ground.ids[windows.site_index],
        "aos": _times(windows.start, windows.aos_s),
        "tca": _times(windows.start, windows.tca_s),
        "los": _times(windows.start, windows.los_s),
        "max_elevation_deg": windows.max_elevation_deg.copy(),
        "aos_azimuth_deg": windows.aos_azimuth_deg.copy(),
        "los_azimuth_deg": windows.los_azimuth_deg,
        "clipped_start": windows.clipped_start.copy(),
        "clipped_end": windows.clipped_end,
    }


def _path_columns(
    paths: RelayPaths,
    second_hops: ContactWindows,
    spacecraft: Fleet,
    relays: Fleet,
    ground: Ground,
) -> Columns:
    return {
        "spacecraft_id": spacecraft.ids[paths.spacecraft_index],
        "relay_id": relays.ids[paths.relay_index],
        "station_id": ground.ids[paths.site_index],
        "aos": _times(paths.start, paths.aos_s),
        "los": _times(paths.start, paths.los_s),
        "max_elevation_deg": second_hops.max_elevation_deg[paths.second_hop],
        "clipped_start": paths.clipped_start.copy(),
        "clipped_end": paths.clipped_end,
    }


def utc64(at: datetime) -> np.datetime64:
    """Return an aware time as NumPy has it: UTC, in microseconds."""
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


def _times(start: datetime, seconds: NDArray[np.float64]) -> NDArray[Any]:
    return utc64(start) + np.round(seconds * 1e6).astype("timedelta64[us]")


def _taking(columns: Columns, which: NDArray[np.bool_]) -> Columns:
    return {name: column[which] for name, column in columns.items()}
