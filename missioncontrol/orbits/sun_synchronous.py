"""Elements of an orbit whose plane follows the Sun, for rehearsal and planning."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

import numpy as np

from missioncontrol.orbits.earth_rotation import midnight_before, sidereal_angle_and_pole
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.wgs84 import EQUATORIAL_RADIUS_KM

# WGS72, the gravity model of SGP4.
_GM_KM3_S2: Final = 398600.8
_EARTH_RADIUS_KM: Final = 6378.135
_J2: Final = 0.001082616

# The mean Sun goes round the equator once in a tropical year.
_SUN_RATE_RAD_PER_MIN: Final = math.tau / (365.24219 * 1440.0)


def sun_synchronous_elements(
    name: str,
    catalogue_number: int,
    altitude_km: float,
    ltan_hours: float,
    epoch: datetime,
    *,
    eccentricity: float = 0.0001,
    argument_of_perigee_deg: float = 90.0,
    mean_anomaly_deg: float = 270.0,
    bstar_per_earth_radius: float = 0.0,
    object_id: str = "",
) -> MeanElements:
    """Return elements of a circular orbit that crosses the equator at one mean solar time.

    The inclination is such that SGP4's own secular rate of the node (J2, its
    square, J4) equals the mean motion of the Sun, so the local time does not
    drift; the first guess is the textbook formula for J2.

    Args:
        name: Name of the spacecraft.
        catalogue_number: Its number in the catalogue.
        altitude_km: Mean semi-major axis less the equatorial radius; 200 to 5,500.
        ltan_hours: Local mean solar time at the ascending node, 0 to 24; 18 is
            a dawn-dusk orbit that goes north in the evening.
        epoch: Epoch of the elements, aware.
        eccentricity: Small; the orbit is meant to be circular.
        argument_of_perigee_deg: With the default anomaly, the epoch is at the node.
        mean_anomaly_deg: Place along the orbit.
        bstar_per_earth_radius: Drag; none by default.
        object_id: International designator, where there is one.

    Raises:
        ValueError: An altitude or a local time outside its range, or an epoch
            without a time zone.
    """
    if not 200.0 <= altitude_km <= 5500.0:
        raise ValueError(
            f"Altitude {altitude_km:g} km of {name} has no sun-synchronous orbit here; "
            "it must lie in 200 to 5500 km."
        )
    if not 0.0 <= ltan_hours <= 24.0:
        raise ValueError(f"Local time {ltan_hours:g} h of {name} must lie in 0 to 24 h.")
    semi_major_axis_km = EQUATORIAL_RADIUS_KM + altitude_km
    mean_motion_rad_s = math.sqrt(_GM_KM3_S2 / semi_major_axis_km**3)
    elements = MeanElements(
        name=name,
        catalogue_number=catalogue_number,
        object_id=object_id,
        epoch=epoch,
        mean_motion_rev_per_day=mean_motion_rad_s * 86400.0 / math.tau,
        eccentricity=eccentricity,
        inclination_deg=_j2_inclination_deg(semi_major_axis_km, mean_motion_rad_s, eccentricity),
        raan_deg=_raan_deg(ltan_hours, epoch),
        argument_of_perigee_deg=argument_of_perigee_deg,
        mean_anomaly_deg=mean_anomaly_deg,
        bstar_per_earth_radius=bstar_per_earth_radius,
    )
    for _ in range(3):  # the two depend on each other only weakly
        elements = _with_semi_major_axis(elements, semi_major_axis_km)
        elements = _with_node_rate(elements, _SUN_RATE_RAD_PER_MIN)
    return elements


def _raan_deg(ltan_hours: float, epoch: datetime) -> float:
    """Return the node's right ascension: that of the mean Sun, and the hours past noon."""
    midnight = midnight_before(epoch)
    seconds = (epoch - midnight).total_seconds()
    gmst, _ = sidereal_angle_and_pole(packaged_time_scale(), midnight, np.array([seconds]))
    # Local time at Greenwich is UTC, so a node at its meridian would have this one.
    return (math.degrees(float(gmst[0])) + 15.0 * (ltan_hours - seconds / 3600.0)) % 360.0


def _j2_inclination_deg(
    semi_major_axis_km: float, mean_motion_rad_s: float, eccentricity: float
) -> float:
    parameter_km = semi_major_axis_km * (1.0 - eccentricity**2)
    rate = 1.5 * _J2 * (_EARTH_RADIUS_KM / parameter_km) ** 2 * mean_motion_rad_s
    return math.degrees(math.acos(-_SUN_RATE_RAD_PER_MIN / 60.0 / rate))


def _with_semi_major_axis(elements: MeanElements, wanted_km: float) -> MeanElements:
    """Change the mean motion (Kozai's) until SGP4's semi-major axis (Brouwer's) fits."""

    def excess(mean_motion: float) -> float:
        satrec = replace(elements, mean_motion_rev_per_day=mean_motion).satrec()
        return float(satrec.a) * _EARTH_RADIUS_KM - wanted_km

    guess = elements.mean_motion_rev_per_day
    return replace(elements, mean_motion_rev_per_day=_secant(excess, guess, guess * 1.0001))


def _with_node_rate(elements: MeanElements, wanted_rad_per_min: float) -> MeanElements:
    def excess(inclination: float) -> float:
        satrec = replace(elements, inclination_deg=inclination).satrec()
        return float(satrec.nodedot) - wanted_rad_per_min

    guess = elements.inclination_deg
    return replace(elements, inclination_deg=_secant(excess, guess, guess + 0.01))


def _secant(function: Callable[[float], float], first: float, second: float) -> float:
    """Return a root of a nearly linear function."""
    at_first, at_second = function(first), function(second)
    for _ in range(8):
        if at_second == at_first:
            break
        first, second = second, second - at_second * (second - first) / (at_second - at_first)
        at_first, at_second = at_second, function(second)
    return second
