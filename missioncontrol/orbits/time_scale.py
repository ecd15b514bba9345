"""The time scale: UTC to UT1, and polar motion, from fresh Earth-orientation data.

Skyfield's built-in UT1 is stale by more than a tenth of a second, which is tens
of metres at the equator and milliseconds of a contact window, and nothing warns
about it. So the scale is built from the IERS table ``finals2000A.all`` of the
package ``astropy-iers-data``, which is renewed every month and predicts a year
ahead. The table comes with an installed package and is read through
``importlib.resources``; to use another one, pass its octets to
:func:`time_scale_from_finals`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from io import BytesIO
from typing import Final

from skyfield.data import iers
from skyfield.timelib import Timescale

# Past this the UT1 predictions are off by enough to matter; the table is monthly.
EARTH_ORIENTATION_AGE_LIMIT_DAYS: Final = 60.0

_MODIFIED_JULIAN_DAY_ZERO: Final = datetime(1858, 11, 17, tzinfo=UTC)
_MJD_COLUMNS: Final = slice(7, 15)
_UT1_FLAG_COLUMN: Final = 57  # "I": observed; "P": predicted


def time_scale_from_finals(octets: bytes) -> Timescale:
    """Return a Skyfield time scale built from an IERS ``finals2000A.all`` table.

    Args:
        octets: The file as the IERS publishes it, all lines since 1973.

    Raises:
        ValueError: The octets hold no row of such a table, or not its years of
            leap seconds.
    """
    table = iers.parse_x_y_dut1_from_finals_all(BytesIO(octets))
    if len(table) == 0:
        raise ValueError(
            f"None of the {len(octets)} octets reads as a row of finals2000A.all. "
            "Install the package astropy-iers-data again."
        )
    daily_tt, daily_delta_t, leap_dates, leap_offsets = iers.build_timescale_arrays(
        table["utc_mjd"], table["dut1"]
    )
    if len(leap_dates) == 0:
        raise ValueError(
            f"The {len(table)} rows of finals2000A.all hold no leap second; "
            "give the whole table, from 1973 on."
        )
    scale = Timescale((daily_tt, daily_delta_t), leap_dates, leap_offsets)
    iers.install_polar_motion_table(scale, table)
    return scale


def last_observed_day(octets: bytes) -> datetime:
    """Return the last day whose UT1 the table gives as observed, not predicted."""
    for line in reversed(octets.splitlines()):
        if line[_UT1_FLAG_COLUMN : _UT1_FLAG_COLUMN + 1] == b"I":
            days = float(line[_MJD_COLUMNS])
            return _MODIFIED_JULIAN_DAY_ZERO + timedelta(days=days)
    raise ValueError("The Earth-orientation table holds no observed day.")


@cache
def packaged_time_scale() -> Timescale:
    """Return the time scale of the installed Earth-orientation table, built once."""
    return time_scale_from_finals(_packaged_finals())


def earth_orientation_age_days(at: datetime) -> float:
    """Return how long before *at* the Earth's rotation was last observed.

    A health figure: past ``EARTH_ORIENTATION_AGE_LIMIT_DAYS`` renew the package
    ``astropy-iers-data``. Negative when *at* lies within the observed days.
    """
    return (at - _packaged_last_observed_day()) / timedelta(days=1)


@cache
def _packaged_last_observed_day() -> datetime:
    return last_observed_day(_packaged_finals())


def _packaged_finals() -> bytes:
    return (resources.files("astropy_iers_data") / "data" / "finals2000A.all").read_bytes()
