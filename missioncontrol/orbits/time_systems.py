"""From the time systems of navigation messages to UTC (502.0-B-3 section 3.2.3.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from skyfield.timelib import tdb_minus_tt

from missioncontrol.orbits.earth_rotation import julian_day, midnight_before
from missioncontrol.orbits.time_scale import packaged_time_scale

_TT_MINUS_TAI: Final = timedelta(seconds=32.184)
_TAI_MINUS_GPS: Final = timedelta(seconds=19)

TIME_SYSTEMS: Final = ("UTC", "TAI", "TT", "TDB", "GPS")


def utc_from(system: str, clock: datetime) -> datetime:
    """Return the UTC at which a clock of another system shows *clock*.

    Args:
        system: One of ``TIME_SYSTEMS``.
        clock: What that clock shows, written as if it were UTC; since 1972.
    """
    if system == "UTC":
        return clock
    return _utc_from_tai(clock + _tai_minus(system, clock))


def _tai_minus(system: str, clock: datetime) -> timedelta:
    if system == "GPS":
        return _TAI_MINUS_GPS
    if system == "TAI":
        return timedelta(0)
    if system == "TT":
        return -_TT_MINUS_TAI
    midnight = midnight_before(clock)
    days = julian_day(midnight) + (clock - midnight) / timedelta(days=1)
    return -_TT_MINUS_TAI - timedelta(seconds=float(tdb_minus_tt(days)))


def _utc_from_tai(tai: datetime) -> datetime:
    scale = packaged_time_scale()
    for since, offset_s in zip(scale.leap_dates[::-1], scale.leap_offsets[::-1], strict=True):
        utc = tai - timedelta(seconds=float(offset_s))
        if julian_day(midnight_before(utc)) >= since:
            return utc
    raise ValueError(f"{tai:%Y-%m-%d} is before the first leap second.")
