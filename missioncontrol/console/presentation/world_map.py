"""Lines and areas on the equirectangular map of 1800 x 900, as SVG paths.

Longitudes are carried on beyond the date line and the whole is drawn once more
a turn to the side where that is in the picture; what sticks out is clipped there.
So a line runs up to the very edge, and an area is closed along it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.daylight import SubsolarPoint, terminator_latitude_deg

_DEGREE: Final = 5.0  # of the map
_WHOLE: Final = "M0 0H1800V900H0Z"


def map_place(latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Return x and y on the map."""
    return (longitude_deg + 180.0) * _DEGREE, (90.0 - latitude_deg) * _DEGREE


def line_path(latitude_deg: Floats, longitude_deg: Floats) -> str:
    """Return a line through points; from one to the next it takes the shorter way round."""
    longitude = np.unwrap(longitude_deg, period=360.0)
    return "".join(_path(latitude_deg, each) for each in _turns_in_view(longitude))


def ring_path(latitude_deg: Floats, longitude_deg: Floats) -> str:
    """Return the line through points that leads back to the first of them."""
    return line_path(
        np.append(latitude_deg, latitude_deg[0]), np.append(longitude_deg, longitude_deg[0])
    )


def area_path(latitude_deg: Floats, longitude_deg: Floats) -> str:
    """Return the area within a ring of points, to be filled by the even-odd rule.

    The points go round clockwise as seen from above: what is on the right hand
    is inside. A ring that goes round the Earth's axis holds one pole, and the
    map's edge there is a part of the area.
    """
    longitude = np.unwrap(np.append(longitude_deg, longitude_deg[0]), period=360.0)
    latitude = np.append(latitude_deg, latitude_deg[0])
    turn = longitude[-1] - longitude[0]
    if abs(turn) > 180.0:
        # Eastwards round the axis has the south on the right hand.
        pole = -90.0 if turn > 0.0 else 90.0
        longitude = np.append(longitude, [longitude[-1], longitude[0]])
        latitude = np.append(latitude, [pole, pole])
    ring = "".join(f"{_path(latitude, each)}Z" for each in _turns_in_view(longitude))
    if abs(turn) <= 180.0 and _is_anticlockwise(latitude, longitude):
        return _WHOLE + ring  # all but the ring: both poles are inside
    return ring


def night_path(below_sun: SubsolarPoint) -> str:
    """Return the area in which it is night."""
    longitude = np.linspace(-180.0, 180.0, 181)
    latitude = terminator_latitude_deg(below_sun, longitude)
    edge = 900 if below_sun.latitude_deg >= 0.0 else 0
    return f"{_path(latitude, longitude)}V{edge}H0Z"


def _turns_in_view(longitude_deg: Floats) -> Iterator[Floats]:
    """Yield longitudes as often as they are within the map, a turn apart."""
    first = int(np.ceil((-180.0 - longitude_deg.max()) / 360.0))
    last = int(np.floor((180.0 - longitude_deg.min()) / 360.0))
    for turns in range(first, last + 1):
        yield longitude_deg + 360.0 * turns


def _is_anticlockwise(latitude_deg: Floats, longitude_deg: Floats) -> bool:
    east, north = longitude_deg - longitude_deg[0], latitude_deg - latitude_deg[0]
    return bool((east[:-1] * north[1:] - east[1:] * north[:-1]).sum() > 0.0)


def _path(latitude_deg: Floats, longitude_deg: Floats) -> str:
    points = zip(latitude_deg.tolist(), longitude_deg.tolist(), strict=True)
    return "M" + "L".join(
        f"{x:.1f} {y:.1f}" for x, y in (map_place(latitude, east) for latitude, east in points)
    )
