"""Mean orbital elements: what a TLE or an OMM says, checked, in one shape.

:mod:`.tle` and :mod:`.omm` read them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.earth_rotation import julian_day
from missioncontrol.orbits.time_grid import longest_sound_step_s
from missioncontrol.orbits.trajectory import PropagationError

# The published error of SGP4 grows by roughly 1-3 km a day: past two weeks a
# window's edge may be off by more than an antenna's acquisition margin.
DEFAULT_ELEMENTS_AGE_LIMIT: Final = timedelta(days=14)

_SGP4_EPOCH: Final = datetime(1949, 12, 31, tzinfo=UTC)
_REV_PER_DAY_TO_RAD_PER_MIN: Final = math.tau / 1440.0
_LARGEST_ALPHA5: Final = 339_999  # "Z9999", the last number that a TLE can carry


class ElementsError(ValueError):
    """A TLE, an OMM or an OEM that does not say what it must."""


class StaleElementsError(ValueError):
    """The orbital elements are too far from the interval asked about."""

    def __init__(
        self, *, name: str, epoch: datetime, start: datetime, end: datetime, limit: timedelta
    ) -> None:
        self.name = name
        self.epoch = epoch
        self.limit = limit
        if end - epoch > limit:
            distance = f"{_days(end - epoch)} days before the end"
            remedy = "Load newer elements."
        else:
            distance = f"{_days(epoch - start)} days after the start"
            remedy = "Load elements of that time."
        super().__init__(
            f"Orbital elements of {name} date from {epoch:%Y-%m-%d %H:%MZ}, {distance} "
            f"of the interval; the limit is {_days(limit)} days. {remedy}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanElements:
    """One SGP4 mean element set (TEME, gravity model WGS72)."""

    name: str
    catalogue_number: int  # NORAD_CAT_ID; may exceed 99,999
    object_id: str  # international designator, 2026-001A; empty when unknown
    epoch: datetime  # aware, UTC
    mean_motion_rev_per_day: float  # Kozai's, as TLE and OMM give it
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    argument_of_perigee_deg: float
    mean_anomaly_deg: float
    bstar_per_earth_radius: float = 0.0
    mean_motion_dot_rev_per_day2: float = 0.0  # half the derivative, as published
    mean_motion_ddot_rev_per_day3: float = 0.0  # a sixth of it, as published
    element_set_number: int = 999
    revolution_at_epoch: int = 0
    classification: str = "U"

    def __post_init__(self) -> None:
        if self.epoch.tzinfo is None:
            raise ElementsError(f"The epoch {self.epoch} of {self.name} carries no time zone.")
        for label, value, low, high in (
            ("eccentricity", self.eccentricity, 0.0, 0.999999),
            ("inclination in degrees", self.inclination_deg, 0.0, 180.0),
            ("mean motion in revolutions per day", self.mean_motion_rev_per_day, 0.01, 20.0),
            ("right ascension of the node in degrees", self.raan_deg, -360.0, 360.0),
            ("argument of perigee in degrees", self.argument_of_perigee_deg, -360.0, 360.0),
            ("mean anomaly in degrees", self.mean_anomaly_deg, -360.0, 360.0),
            ("B* per Earth radius", self.bstar_per_earth_radius, -10.0, 10.0),
        ):
            if not low <= value <= high:  # a NaN fails this comparison too
                raise ElementsError(
                    f"The {label} of {self.name} is {value}; it must lie in {low:g} to {high:g}."
                )

    @property
    def designation(self) -> str:
        """What other systems know the spacecraft by: its number, else its name."""
        return str(self.catalogue_number) if self.catalogue_number else self.name

    @property
    def sound_step_s(self) -> float:
        """The longest step in which a grid of positions describes the orbit."""
        mean_rad_s = self.mean_motion_rev_per_day * math.tau / 86400.0
        shape = math.sqrt(1.0 - self.eccentricity**2) / (1.0 - self.eccentricity) ** 2
        return longest_sound_step_s(
            turning_rad_s=mean_rad_s * shape, eccentricity=self.eccentricity
        )

    def satrec(self) -> Satrec:
        """Return the SGP4 propagator of this set, initialised (``improved`` mode)."""
        satrec = Satrec()
        # Any number beyond Alpha-5 would be refused, and the physics needs none.
        number = self.catalogue_number if self.catalogue_number <= _LARGEST_ALPHA5 else 0
        satrec.sgp4init(
            WGS72,
            "i",
            number,
            (self.epoch - _SGP4_EPOCH) / timedelta(days=1),
            self.bstar_per_earth_radius,
            self.mean_motion_dot_rev_per_day2 * _REV_PER_DAY_TO_RAD_PER_MIN / 1440.0,
            self.mean_motion_ddot_rev_per_day3 * _REV_PER_DAY_TO_RAD_PER_MIN / 1440.0**2,
            self.eccentricity,
            math.radians(self.argument_of_perigee_deg),
            math.radians(self.inclination_deg),
            math.radians(self.mean_anomaly_deg),
            self.mean_motion_rev_per_day * _REV_PER_DAY_TO_RAD_PER_MIN,
            math.radians(self.raan_deg),
        )
        return satrec

    def teme_states(self, midnight: datetime, seconds: Floats) -> tuple[Floats, Floats]:
        """Run SGP4 at any times; see :class:`.trajectory.Trajectory`."""
        whole = np.full_like(seconds, julian_day(midnight))
        errors, position_km, velocity_km_s = self.satrec().sgp4_array(whole, seconds / 86400.0)
        # For odd elements SGP4 answers with no number at all, and calls it no error.
        [wrong] = np.nonzero((errors != 0) | ~np.isfinite(position_km[:, 0]))
        if len(wrong):
            at = midnight + timedelta(seconds=float(seconds[wrong[0]]))
            raise PropagationError.of_sgp4(name=self.name, code=int(errors[wrong[0]]), at=at)
        return position_km, velocity_km_s

    def tle_lines(self) -> tuple[str, str]:
        """Return the set as the two lines of a TLE, rounded to its digits.

        Raises:
            ElementsError: The catalogue number is beyond what a TLE can carry.
        """
        if self.catalogue_number > _LARGEST_ALPHA5:
            raise ElementsError(
                f"Catalogue number {self.catalogue_number} of {self.name} does not fit in a TLE; "
                f"the limit is {_LARGEST_ALPHA5}. Exchange it as an OMM."
            )
        satrec = self.satrec()
        satrec.classification = self.classification
        satrec.intldesg = self.object_id[2:].replace("-", "")
        satrec.ephtype = 0
        satrec.elnum = self.element_set_number
        satrec.revnum = self.revolution_at_epoch
        line1, line2 = export_tle(satrec)
        return line1, line2

    def check_age(self, *, start: datetime, end: datetime, limit: timedelta) -> None:
        """Refuse an interval that reaches further than *limit* from the epoch.

        Raises:
            StaleElementsError: *end* lies more than *limit* after the epoch, or
                *start* more than *limit* before it.
        """
        if end - self.epoch > limit or self.epoch - start > limit:
            raise StaleElementsError(
                name=self.name, epoch=self.epoch, start=start, end=end, limit=limit
            )


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f}".removesuffix(".0")
