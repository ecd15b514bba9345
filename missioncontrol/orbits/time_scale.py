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

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EarthOrientation:
    """How fresh the installed Earth-orientation data are: a health figure."""

    last_observed: datetime  # UTC; what is later is predicted
    age_days: float  # below zero within the observed days

    @property
    def is_stale(self) -> bool:
        return self.age_days > EARTH_ORIENTATION_AGE_LIMIT_DAYS

    @property
    def warning(self) -> str:
        """What to tell an operator; empty while all is well."""
        if not self.is_stale:
            return ""
        return (
            f"The Earth's rotation was last observed on {self.last_observed:%Y-%m-%d}, "
            f"{self.age_days:.0f} days ago; the limit is {EARTH_ORIENTATION_AGE_LIMIT_DAYS:.0f}. "
            "Contact windows are off by more and more milliseconds. "
            "Renew the package astropy-iers-data."
        )


def earth_orientation(at: datetime) -> EarthOrientation:
    """Return how fresh the installed Earth-orientation data are at *at*."""
    last_observed = _packaged_last_observed_day()
    return EarthOrientation(
        last_observed=last_observed, age_days=(at - last_observed) / timedelta(days=1)
    )


@cache
def _packaged_last_observed_day() -> datetime:
    return last_observed_day(_packaged_finals())


def _packaged_finals() -> bytes:
    return (resources.files("astropy_iers_data") / "data" / "finals2000A.all").read_bytes()
