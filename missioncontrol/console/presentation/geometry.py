"""Where a station has the spacecraft of a pass: the elevation profile, the look angles."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.look_angles import LookAngle, look_angles
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.scheduling.models import Contact

_PROFILE_POINTS: Final = 41
_PROFILE_HEIGHT: Final = 45.0  # of 90 degrees, in the units of the drawing


def elevation_profile(contact: Contact) -> str:
    """Return SVG points of the elevation over a pass: x 0 to 100, y 45 (0 deg) to 0 (90 deg).

    Empty where the ephemeris in force gives no position.
    """
    trajectory = _trajectory(contact.relay or contact.spacecraft, contact.aos)
    if trajectory is None:
        return ""
    step = (contact.los - contact.aos) / (_PROFILE_POINTS - 1)
    instants = [contact.aos + step * number for number in range(_PROFILE_POINTS)]
    try:
        angles = look_angles(trajectory, fleet.site(contact.antenna.station), instants)
    except PropagationError:
        return ""
    points = [
        f"{100 * number / (_PROFILE_POINTS - 1):.1f},{_PROFILE_HEIGHT * (1 - elevation / 90):.2f}"
        for number, elevation in enumerate(angles.elevation_deg.tolist())
    ]
    return " ".join(points)


def look_angle(spacecraft: Spacecraft, station: GroundStation, at: datetime) -> LookAngle | None:
    """Return the predicted direction and range at one instant, or None without an ephemeris."""
    trajectory = _trajectory(spacecraft, at)
    if trajectory is None:
        return None
    try:
        angles = look_angles(trajectory, fleet.site(station), [at])
    except PropagationError:
        return None
    return LookAngle(
        azimuth_deg=float(angles.azimuth_deg[0]),
        elevation_deg=float(angles.elevation_deg[0]),
        range_m=float(angles.range_m[0]),
        range_rate_m_s=float(angles.range_rate_m_s[0]),
    )


def _trajectory(spacecraft: Spacecraft, at: datetime) -> AnyTrajectory | None:
    ephemeris = fleet.ephemeris_in_force(spacecraft, at)
    if ephemeris is None:
        return None
    try:
        return fleet.trajectory(ephemeris)
    except ElementsError:
        return None
