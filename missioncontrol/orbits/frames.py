"""From the frames that ephemerides are given in to TEME, the frame of this package.

Sources: IAU 2000A nutation and IAU 2006 precession through Skyfield; frame
names of CCSDS 502.0-B-3 section 3.2.3.3.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
from skyfield.framelib import ICRS_to_J2000
from skyfield.sgp4lib import TEME
from skyfield.timelib import Timescale

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.earth_rotation import (
    EARTH_ROTATION_RATE_RAD_S,
    skyfield_times,
    teme_to_itrs,
)

INERTIAL_FRAMES: Final = ("ICRF", "GCRF", "EME2000", "J2000")
EARTH_FIXED_PREFIX: Final = "ITRF"  # ITRF2000, ITRF-97: they agree to centimetres

_NODE_S: Final = 3600.0  # linear between hourly nodes is good to a millimetre


def is_known(frame: str) -> bool:
    """Return whether positions in this frame can be used here."""
    return frame in ("TEME", *INERTIAL_FRAMES) or frame.startswith(EARTH_FIXED_PREFIX)


def to_teme(
    frame: str,
    position_km: Floats,
    velocity_km_s: Floats,
    *,
    midnight: datetime,
    seconds: Floats,
    time_scale: Timescale,
) -> tuple[Floats, Floats]:
    """Turn positions and velocities, shape (n, 3), into TEME.

    Args:
        frame: One that :func:`is_known`.
        position_km: In that frame.
        velocity_km_s: Likewise.
        midnight: A midnight, UTC.
        seconds: Seconds after it, shape (n,).
        time_scale: With Earth-orientation data.
    """
    if frame == "TEME":
        return position_km, velocity_km_s
    if frame.startswith(EARTH_FIXED_PREFIX):
        turn = np.moveaxis(teme_to_itrs(time_scale, midnight, seconds), 1, 2)
        velocity_km_s = velocity_km_s.copy()
        velocity_km_s[:, 0] -= EARTH_ROTATION_RATE_RAD_S * position_km[:, 1]
        velocity_km_s[:, 1] += EARTH_ROTATION_RATE_RAD_S * position_km[:, 0]
    else:
        turn = _icrf_to_teme(time_scale, midnight, seconds)
        if frame in ("EME2000", "J2000"):
            turn = turn @ ICRS_to_J2000.T
    return (
        np.einsum("nij,nj->ni", turn, position_km),
        np.einsum("nij,nj->ni", turn, velocity_km_s),
    )


def _icrf_to_teme(time_scale: Timescale, midnight: datetime, seconds: Floats) -> Floats:
    """Return rotation matrices, shape (n, 3, 3): precession and nutation, which are slow."""
    first = np.floor(seconds.min() / _NODE_S)
    nodes = np.arange(first, np.ceil(seconds.max() / _NODE_S) + 2.0) * _NODE_S
    at_nodes = TEME.rotation_at(skyfield_times(time_scale, midnight, nodes))  # (3, 3, nodes)
    turn = np.empty((len(seconds), 3, 3))
    for row in range(3):
        for column in range(3):
            turn[:, row, column] = np.interp(seconds, nodes, at_nodes[row, column])
    return turn
