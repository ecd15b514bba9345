"""Paths of two hops: from a spacecraft over a relay to a ground station.

A path is open while the spacecraft sees the relay and the relay the station:
what goes in at one end comes out at the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.contact_windows import ContactWindows
from missioncontrol.orbits.relay_windows import RelayWindows


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPath:
    """One interval in which a spacecraft reaches a station over a relay. Times are UTC."""

    spacecraft: str
    relay: str
    site: str
    spacecraft_index: int
    relay_index: int
    site_index: int
    aos: datetime
    los: datetime
    clipped_start: bool
    clipped_end: bool

    @property
    def duration_s(self) -> float:
        return (self.los - self.aos).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPaths:
    """Paths as columns of equal length, by spacecraft, relay, site and time."""

    start: datetime
    spacecraft: tuple[str, ...]
    relays: tuple[str, ...]
    sites: tuple[str, ...]
    first_hop: Integers  # row of the window between spacecraft and relay
    second_hop: Integers  # row of the window between relay and station
    spacecraft_index: Integers
    relay_index: Integers
    site_index: Integers
    aos_s: Floats
    los_s: Floats
    clipped_start: Booleans
    clipped_end: Booleans

    def __len__(self) -> int:
        return len(self.aos_s)

    def __iter__(self) -> Iterator[RelayPath]:
        for number in range(len(self)):
            spacecraft, relay, site = (
                int(column[number])
                for column in (self.spacecraft_index, self.relay_index, self.site_index)
            )
            yield RelayPath(
                spacecraft=self.spacecraft[spacecraft],
                relay=self.relays[relay],
                site=self.sites[site],
                spacecraft_index=spacecraft,
                relay_index=relay,
                site_index=site,
                aos=self.start + timedelta(seconds=float(self.aos_s[number])),
                los=self.start + timedelta(seconds=float(self.los_s[number])),
                clipped_start=bool(self.clipped_start[number]),
                clipped_end=bool(self.clipped_end[number]),
            )


def find_relay_paths(
    first_hops: RelayWindows, second_hops: ContactWindows, *, minimum_s: float = 0.0
) -> RelayPaths:
    """Return where windows of both hops overlap.

    Args:
        first_hops: Between spacecraft and relays.
        second_hops: Of the same relays, in the same order, over stations; computed
            for the same interval.
        minimum_s: Shorter paths are left out.

    Raises:
        ValueError: The hops are not of the same relays and the same start.
    """
    if first_hops.start != second_hops.start or first_hops.relays != second_hops.satellites:
        raise ValueError(
            "The hops do not fit: windows between spacecraft and relays, and windows of the "
            "same relays over stations, must be computed for the same interval."
        )
    first, second = _overlapping(first_hops, second_hops)
    aos_s = np.maximum(first_hops.aos_s[first], second_hops.aos_s[second])
    los_s = np.minimum(first_hops.los_s[first], second_hops.los_s[second])
    [long_enough] = np.nonzero((los_s > aos_s) & (los_s - aos_s >= minimum_s))
    first, second = first[long_enough], second[long_enough]
    order = np.lexsort(
        (
            aos_s[long_enough],
            second_hops.site_index[second],
            first_hops.relay_index[first],
            first_hops.spacecraft_index[first],
        )
    )
    first, second = first[order], second[order]
    aos_s, los_s = aos_s[long_enough][order], los_s[long_enough][order]
    return RelayPaths(
        start=first_hops.start,
        spacecraft=first_hops.spacecraft,
        relays=first_hops.relays,
        sites=second_hops.sites,
        first_hop=first,
        second_hop=second,
        spacecraft_index=first_hops.spacecraft_index[first],
        relay_index=first_hops.relay_index[first],
        site_index=second_hops.site_index[second],
        aos_s=aos_s,
        los_s=los_s,
        # Cut where the hop that begins later, or ends earlier, is cut.
        clipped_start=_cut_at(aos_s, first_hops.aos_s[first], first_hops.clipped_start[first])
        | _cut_at(aos_s, second_hops.aos_s[second], second_hops.clipped_start[second]),
        clipped_end=_cut_at(los_s, first_hops.los_s[first], first_hops.clipped_end[first])
        | _cut_at(los_s, second_hops.los_s[second], second_hops.clipped_end[second]),
    )


def _cut_at(path_s: Floats, hop_s: Floats, clipped: Booleans) -> Booleans:
    cut: Booleans = clipped & (path_s == hop_s)
    return cut


def _overlapping(
    first_hops: RelayWindows, second_hops: ContactWindows
) -> tuple[Integers, Integers]:
    """Return the pairs of rows whose windows have time in common."""
    found_first, found_second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for relay in range(len(first_hops.relays)):
        [ours] = np.nonzero(first_hops.relay_index == relay)
        for site in range(len(second_hops.sites)):
            [theirs] = np.nonzero(
                (second_hops.satellite_index == relay) & (second_hops.site_index == site)
            )
            # Windows of one relay over one site are in order and apart from each other.
            begin = np.searchsorted(second_hops.los_s[theirs], first_hops.aos_s[ours], "right")
            end = np.searchsorted(second_hops.aos_s[theirs], first_hops.los_s[ours], "left")
            count = np.maximum(end - begin, 0)
            within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            found_first.append(np.repeat(ours, count))
            found_second.append(theirs[np.repeat(begin, count) + within])
    return np.concatenate(found_first), np.concatenate(found_second)
