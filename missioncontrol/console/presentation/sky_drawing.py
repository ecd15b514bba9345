"""Points, rings and labels on a plot of the sky: 0, 0 is the zenith, 100 the horizon."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.sites import Site

LABEL_AWAY: Final = 9.0  # of events; no two ticks nearer than this have labels

_RADIUS: Final = 100.0
_TICK_LABEL_AWAY: Final = 5.0
_LABEL_LONG: Final = 45.0

Place = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A whole minute on the track; its label beside it is empty where there is no room."""

    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An event of the pass; ``anchor`` is of its label."""

    name: str
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str
    azimuth_deg: float


def place_on_sky(azimuth_deg: float, elevation_deg: float) -> Place:
    """Return x and y: the zenith in the middle, north above, east on the right.

    The horizon is a circle of 100; what is below it lies outside.
    """
    azimuth, distance = math.radians(azimuth_deg), _RADIUS * (90.0 - elevation_deg) / 90.0
    return distance * math.sin(azimuth), -distance * math.cos(azimuth)


def mask_path(site: Site) -> str:
    """Return the path of the horizon and of the mask; between them nothing is received."""
    azimuth = np.union1d(np.arange(0.0, 360.0, 3.0), [knot for knot, _ in site.horizon_mask])
    return f"{_ring(azimuth, np.zeros_like(azimuth))}{_ring(azimuth, site.mask_at_deg(azimuth))}"


def _ring(azimuth_deg: Floats, elevation_deg: Floats) -> str:
    return f"M{points(azimuth_deg, elevation_deg).replace(' ', 'L')}Z"


def points(azimuth_deg: Floats, elevation_deg: Floats) -> str:
    """Return directions as the points of an SVG polyline."""
    angles = zip(azimuth_deg.tolist(), elevation_deg.tolist(), strict=True)
    return " ".join(
        f"{x:.2f},{y:.2f}" for x, y in (place_on_sky(azimuth, up) for azimuth, up in angles)
    )


def tick(here: Place, soon: Place, label: str) -> Tick:
    """Return a tick whose label stands at the right of the way."""
    label_x, label_y = _beside(here, soon, _TICK_LABEL_AWAY)
    anchor = _anchor(label_x - here[0])
    return Tick(x=here[0], y=here[1], label_x=label_x, label_y=label_y, anchor=anchor, label=label)


def mark(name: str, here: Place, soon: Place, azimuth_deg: float) -> Mark:
    """Return a mark whose label stands outside, or high in the sky at the left of the way."""
    x, y = here
    distance = math.hypot(x, y)
    if distance > _RADIUS * 0.8:
        label_x, label_y = (each * (_RADIUS + LABEL_AWAY) / distance for each in here)
    else:
        label_x, label_y = _beside(here, soon, -LABEL_AWAY)
    return Mark(
        name=name,
        x=x,
        y=y,
        label_x=label_x,
        label_y=label_y,
        anchor=_anchor(label_x - x),
        azimuth_deg=azimuth_deg,
    )


def _anchor(across: float) -> str:
    """Return how a label that stands so far to the right of its point is written."""
    if abs(across) < 3.0:
        return "middle"
    return "start" if across > 0.0 else "end"


def apart(marks: list[Mark]) -> list[Mark]:
    """Return the marks with the labels of the first and the last kept off each other."""
    left, right = sorted((marks[0], marks[-1]), key=lambda mark: mark.label_x)
    across, down = right.label_x - left.label_x, abs(right.label_y - left.label_y)
    if across > _LABEL_LONG or down > LABEL_AWAY:
        return marks
    anchors = {left.name: "end", right.name: "start"}
    return [replace(mark, anchor=anchors.get(mark.name, mark.anchor)) for mark in marks]


def _beside(here: Place, soon: Place, away: float) -> Place:
    """Return a place beside the way, on its right where *away* is positive."""
    along_x, along_y = soon[0] - here[0], soon[1] - here[1]
    length = math.hypot(along_x, along_y) or 1.0
    return here[0] - along_y / length * away, here[1] + along_x / length * away
