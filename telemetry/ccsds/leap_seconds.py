"""Leap seconds: how far the atomic time scale TAI is ahead of UTC.

Pure. The table ends with the newest leap second known; a later one needs a line here.
A test compares it with the table of the Earth orientation data that this project
renews. Source: IERS Bulletin C; before 1972, where UTC ran at another rate, the first
value is used.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

_FIRST_TAI_MINUS_UTC_S: Final = 10
_DATES: Final = (
    *("1972-07-01", "1973-01-01", "1974-01-01", "1975-01-01", "1976-01-01", "1977-01-01"),
    *("1978-01-01", "1979-01-01", "1980-01-01", "1981-07-01", "1982-07-01", "1983-07-01"),
    *("1985-07-01", "1988-01-01", "1990-01-01", "1991-01-01", "1992-07-01", "1993-07-01"),
    *("1994-07-01", "1996-01-01", "1997-07-01", "1999-01-01", "2006-01-01", "2009-01-01"),
    *("2012-07-01", "2015-07-01", "2017-01-01"),
)
_US_PER_S: Final = 1_000_000
# UTC instants, and the same on the TAI scale, from which each difference holds.
LEAPS_UTC_US: Final = np.array(_DATES, dtype="datetime64[us]").astype(np.int64)
_LEAPS_TAI_US: Final = LEAPS_UTC_US + (
    (_FIRST_TAI_MINUS_UTC_S + 1 + np.arange(len(_DATES))) * _US_PER_S
)


def tai_minus_utc_s(utc_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the difference for UTC instants, microseconds since 1970."""
    found: Any = np.searchsorted(LEAPS_UTC_US, utc_us, side="right")
    return np.asarray(found + _FIRST_TAI_MINUS_UTC_S, dtype=np.int64)


def utc_us_of_tai(tai_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return UTC, microseconds since 1970, of the readings of a TAI clock.

    A leap second itself reads as the first second of the next day.

    Args:
        tai_us: Microseconds since 1970-01-01T00:00:00 as that clock shows it.
    """
    found: Any = np.searchsorted(_LEAPS_TAI_US, tai_us, side="right")
    return np.asarray(tai_us - (found + _FIRST_TAI_MINUS_UTC_S) * _US_PER_S, dtype=np.int64)
