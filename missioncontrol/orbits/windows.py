"""What a computation of contact windows returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Booleans, Floats, Integers

_SEAM_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Refusal:
    """A spacecraft whose windows cannot be computed, and why."""

    satellite: str
    satellite_index: int  # in the elements passed in
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWindow:
    """One interval above the mask. Times are UTC."""

    satellite: str
    site: str
    satellite_index: int
    site_index: int
    aos: datetime
    tca: datetime  # of the highest elevation within the window
    los: datetime
    max_elevation_deg: float
    aos_azimuth_deg: float
    los_azimuth_deg: float
    clipped_start: bool  # already open at the start of the interval
    clipped_end: bool  # still open at its end

    @property
    def duration_s(self) -> float:
        return (self.los - self.aos).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowColumns:
    """Windows as columns of equal length; times in seconds after some moment."""

    satellite_index: Integers
    site_index: Integers
    aos_s: Floats
    tca_s: Floats
    los_s: Floats
    max_elevation_deg: Floats
    aos_azimuth_deg: Floats
    los_azimuth_deg: Floats
    clipped_start: Booleans
    clipped_end: Booleans

    def __len__(self) -> int:
        return len(self.aos_s)


def no_windows() -> WindowColumns:
    """Return columns without a row."""
    whole, real, flag = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
    return WindowColumns(
        satellite_index=whole,
        site_index=whole,
        aos_s=real,
        tca_s=real,
        los_s=real,
        max_elevation_deg=real,
        aos_azimuth_deg=real,
        los_azimuth_deg=real,
        clipped_start=flag,
        clipped_end=flag,
    )


def appended(parts: Sequence[WindowColumns]) -> WindowColumns:
    """Return the rows of several parts, one part behind the other."""
    return WindowColumns(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(WindowColumns)
        }
    )


def in_order(columns: WindowColumns) -> WindowColumns:
    """Return the rows by spacecraft, site and acquisition.

    Args:
        columns: Ordered by acquisition within each pair of spacecraft and site.
    """
    order = np.argsort(_pair(columns), kind="stable")
    return _taking(columns, order)


def without_seams(columns: WindowColumns) -> WindowColumns:
    """Join windows that end where the next of the same pair begins, as segments do.

    Args:
        columns: Ordered.
    """
    pair = _pair(columns)
    seam = (pair[1:] == pair[:-1]) & (np.abs(columns.aos_s[1:] - columns.los_s[:-1]) < _SEAM_S)
    if not seam.any():
        return columns
    [first] = np.nonzero(np.append(True, ~seam))
    last = np.append(first[1:] - 1, len(pair) - 1)
    number = np.cumsum(np.append(True, ~seam)) - 1
    by_height = np.lexsort((columns.max_elevation_deg, number))
    highest = by_height[last]  # of each joined window the part that goes highest
    return replace(
        _taking(columns, first),
        los_s=columns.los_s[last],
        los_azimuth_deg=columns.los_azimuth_deg[last],
        clipped_end=columns.clipped_end[last],
        tca_s=columns.tca_s[highest],
        max_elevation_deg=columns.max_elevation_deg[highest],
    )


def _pair(columns: WindowColumns) -> Integers:
    sites = int(columns.site_index.max(initial=0)) + 1
    return columns.satellite_index * sites + columns.site_index


def _taking(columns: WindowColumns, which: Integers) -> WindowColumns:
    return WindowColumns(
        **{field.name: getattr(columns, field.name)[which] for field in fields(WindowColumns)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWindows(WindowColumns):
    """The windows of a computation, and who was refused.

    Ordered by spacecraft, then site, then acquisition. Times are seconds after
    ``start``; iterate to get :class:`ContactWindow` objects instead.
    """

    start: datetime
    satellites: tuple[str, ...]
    sites: tuple[str, ...]
    computed: range  # indices of the spacecraft that the columns are about
    refused: list[Refusal]

    @classmethod
    def of(
        cls,
        columns: WindowColumns,
        *,
        start: datetime,
        satellites: tuple[str, ...],
        sites: tuple[str, ...],
        computed: range,
        refused: list[Refusal],
    ) -> ContactWindows:
        return cls(
            **{field.name: getattr(columns, field.name) for field in fields(WindowColumns)},
            start=start,
            satellites=satellites,
            sites=sites,
            computed=computed,
            refused=refused,
        )

    def __iter__(self) -> Iterator[ContactWindow]:
        for number in range(len(self)):
            satellite, site = int(self.satellite_index[number]), int(self.site_index[number])
            yield ContactWindow(
                satellite=self.satellites[satellite],
                site=self.sites[site],
                satellite_index=satellite,
                site_index=site,
                aos=self.start + timedelta(seconds=float(self.aos_s[number])),
                tca=self.start + timedelta(seconds=float(self.tca_s[number])),
                los=self.start + timedelta(seconds=float(self.los_s[number])),
                max_elevation_deg=float(self.max_elevation_deg[number]),
                aos_azimuth_deg=float(self.aos_azimuth_deg[number]),
                los_azimuth_deg=float(self.los_azimuth_deg[number]),
                clipped_start=bool(self.clipped_start[number]),
                clipped_end=bool(self.clipped_end[number]),
            )
