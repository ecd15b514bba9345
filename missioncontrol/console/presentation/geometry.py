"""Where the spacecraft is and was: for the map, the elevation profile, the look angles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.orbits.eclipse import sunlit_fraction
from missioncontrol.orbits.elements import ElementsError, MeanElements
from missioncontrol.orbits.look_angles import LookAngle, look_angles, subpoints
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.scheduling.models import Contact

_PROFILE_POINTS: Final = 41
_TRACK_POINTS: Final = 181
_PROFILE_HEIGHT: Final = 45.0  # of 90 degrees, in the units of the drawing
_DEGREE: Final = 5.0  # on the map of 1800 x 900


@dataclass(frozen=True, slots=True, kw_only=True)
class CraftOnMap:
    """A spacecraft above the map, and the ground track of its next orbit."""

    name: str
    x: float
    y: float
    track: str  # SVG path, broken at the date line
    eclipsed: bool


def map_place(latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Return x and y on the equirectangular map of 1800 x 900."""
    return (longitude_deg + 180.0) * _DEGREE, (90.0 - latitude_deg) * _DEGREE


def elevation_profile(contact: Contact) -> str:
    """Return SVG points of the elevation over a pass: x 0 to 100, y 45 (0 deg) to 0 (90 deg).

    Empty where the elements in force give no position.
    """
    elements = _elements(contact.relay or contact.spacecraft, contact.aos)
    if elements is None:
        return ""
    step = (contact.los - contact.aos) / (_PROFILE_POINTS - 1)
    instants = [contact.aos + step * number for number in range(_PROFILE_POINTS)]
    try:
        angles = look_angles(elements, fleet.site(contact.antenna.station), instants)
    except PropagationError:
        return ""
    points = [
        f"{100 * number / (_PROFILE_POINTS - 1):.1f},{_PROFILE_HEIGHT * (1 - elevation / 90):.2f}"
        for number, elevation in enumerate(angles.elevation_deg.tolist())
    ]
    return " ".join(points)


def look_angle(spacecraft: Spacecraft, station: GroundStation, at: datetime) -> LookAngle | None:
    """Return the predicted direction and range at one instant, or None without elements."""
    elements = _elements(spacecraft, at)
    if elements is None:
        return None
    try:
        angles = look_angles(elements, fleet.site(station), [at])
    except PropagationError:
        return None
    return LookAngle(
        azimuth_deg=float(angles.azimuth_deg[0]),
        elevation_deg=float(angles.elevation_deg[0]),
        range_m=float(angles.range_m[0]),
        range_rate_m_s=float(angles.range_rate_m_s[0]),
    )


def craft_on_map(spacecraft: Spacecraft, at: datetime) -> CraftOnMap | None:
    """Return where *spacecraft* is at *at* and where it goes in one orbit from there."""
    elements = _elements(spacecraft, at)
    if elements is None:
        return None
    orbit = timedelta(days=1 / elements.mean_motion_rev_per_day)
    instants = [at + orbit * number / (_TRACK_POINTS - 1) for number in range(_TRACK_POINTS)]
    try:
        below = subpoints(elements, instants)
        sunlit = float(sunlit_fraction(elements, [at])[0])
    except PropagationError:
        return None
    places = [
        map_place(latitude, longitude)
        for latitude, longitude in zip(
            below.latitude_deg.tolist(), below.longitude_deg.tolist(), strict=True
        )
    ]
    x, y = places[0]
    return CraftOnMap(
        name=spacecraft.name, x=x, y=y, track=svg_path(places), eclipsed=sunlit < 0.5
    )


def svg_path(places: list[tuple[float, float]]) -> str:
    """Return a path through *places*, begun anew where it leaves the map at the date line."""
    parts = []
    before = None
    for x, y in places:
        broken = before is None or abs(x - before) > 900
        parts.append(f"{'M' if broken else 'L'}{x:.1f} {y:.1f}")
        before = x
    return "".join(parts)


def _elements(spacecraft: Spacecraft, at: datetime) -> MeanElements | None:
    ephemeris = fleet.ephemeris_in_force(spacecraft, at)
    if ephemeris is None:
        return None
    try:
        return fleet.mean_elements(ephemeris)
    except ElementsError:
        return None
