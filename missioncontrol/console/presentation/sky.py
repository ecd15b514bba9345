"""A pass as the station sees it: on a plot of its sky, and as a table of look angles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from missioncontrol.console.presentation.light import instants_of, light_of, slices_of
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import LinkProfile, parse_link_profile
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.daylight import sun_directions
from missioncontrol.orbits.eclipse import ShadowSpan, shadow_spans
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.look_angles import LookAngles, doppler_hz, look_angles
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.sun_outage import SunOutage, sun_outages
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.scheduling.models import Contact

SUN_NEAR_DEG: Final = 3.0  # no antenna's beam is known; a wide one's half is about that

_RADIUS: Final = 100.0  # of the horizon in the drawing
_STEPS_S: Final = (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_ROWS_WANTED: Final = 40
_ROWS_AT_MOST: Final = 300
_ROWS_AT_LEAST: Final = 4
_TICK_MINUTES: Final = (1, 2, 5, 10, 20, 30, 60, 120, 180, 360)
_TICKS_AT_MOST: Final = 16
_PIECES: Final = 120  # of the track
_LABEL_AWAY: Final = 9.0
_TICK_LABEL_AWAY: Final = 5.0
_LABEL_LONG: Final = 45.0
_MOVES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyTrackPiece:
    """A part of the track in one light: "sunlight", "penumbra" or "umbra"."""

    light: str
    points: str  # of an SVG polyline


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SunMark:
    """The Sun above the horizon."""

    x: float
    y: float
    azimuth_deg: float
    elevation_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStep:
    """A step that the table may have."""

    seconds: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRow:
    """One line of the table; shifts are None where the carriers are not known."""

    at: datetime
    event: str
    azimuth_deg: float
    elevation_deg: float
    range_km: float
    range_rate_km_s: float
    downlink_shift_khz: float | None
    uplink_shift_khz: float | None
    light: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyPlot:
    """All that the sky panel shows."""

    mask: str  # SVG path between mask and horizon, to be filled by the even-odd rule
    track: list[SkyTrackPiece]
    ticks: list[Tick]
    marks: list[Mark]
    sun: SunMark | None  # at culmination; None while it is below the horizon
    outages: list[SunOutage]
    moves: str  # places evenly spaced from AOS to LOS
    rows: list[LookRow]
    step: TableStep
    steps: list[TableStep]
    downlink_hz: float | None
    uplink_hz: float | None


def sky_plot(contact: Contact, *, asked_step_s: int | None = None) -> SkyPlot | str:
    """Return the pass on the station's sky, or why there is none to show."""
    ephemeris = fleet.ephemeris_in_force(contact.spacecraft, contact.aos)
    if ephemeris is None:
        return f"No ephemeris of {contact.spacecraft.name} is in force at AOS. Load one."
    try:
        return _Sky(contact, fleet.trajectory(ephemeris), asked_step_s).plot()
    except (ElementsError, PropagationError) as error:
        return str(error)


def place_on_sky(azimuth_deg: float, elevation_deg: float) -> tuple[float, float]:
    """Return x and y: the zenith in the middle, north above, east on the right.

    The horizon is a circle of 100; what is below it lies outside.
    """
    azimuth, distance = math.radians(azimuth_deg), _RADIUS * (90.0 - elevation_deg) / 90.0
    return distance * math.sin(azimuth), -distance * math.cos(azimuth)


def mask_path(site: Site) -> str:
    """Return the path of the horizon and of the mask; between them nothing is received."""
    azimuth = np.union1d(np.arange(0.0, 360.0, 3.0), [knot for knot, _ in site.horizon_mask])
    return f"{_ring(azimuth, np.zeros_like(azimuth))}{_ring(azimuth, site.mask_at_deg(azimuth))}"


def steps_offered(duration: timedelta) -> list[int]:
    """Return the steps, in seconds, that a table of a pass this long may have."""
    seconds = duration.total_seconds()
    fitting = [step for step in _STEPS_S if _ROWS_AT_LEAST <= seconds / step <= _ROWS_AT_MOST]
    return fitting or [_STEPS_S[0] if seconds < _ROWS_AT_LEAST * _STEPS_S[0] else _STEPS_S[-1]]


def table_step(seconds: int) -> TableStep:
    """Return a step with its name: ``30 s``, ``5 min``, ``1 h``."""
    for unit_s, unit in ((3600, "h"), (60, "min")):
        if seconds % unit_s == 0:
            return TableStep(seconds=seconds, label=f"{seconds // unit_s} {unit}")
    return TableStep(seconds=seconds, label=f"{seconds} s")


def usual_step(duration: timedelta) -> int:
    """Return the step in seconds of a table that can be taken in at a glance."""
    seconds = duration.total_seconds()
    return next((step for step in _STEPS_S if seconds / step <= _ROWS_WANTED), _STEPS_S[-1])


def whole_steps(begin: datetime, end: datetime, step_s: int) -> list[datetime]:
    """Return the instants between two that are whole multiples of a step in the UTC day."""
    first = math.floor(begin.timestamp() / step_s) + 1
    last = math.ceil(end.timestamp() / step_s)
    return [datetime.fromtimestamp(number * step_s, UTC) for number in range(first, last)]


class _Sky:
    def __init__(
        self, contact: Contact, trajectory: AnyTrajectory, asked_step_s: int | None
    ) -> None:
        self._contact, self._trajectory = contact, trajectory
        self._site = fleet.site(contact.antenna.station)
        duration = contact.los - contact.aos
        self._steps_s = steps_offered(duration)
        usual_s = max(usual_step(duration), self._steps_s[0])
        self._step_s = asked_step_s if asked_step_s in self._steps_s else usual_s
        self._carriers = _carriers(contact.spacecraft)
        self._spans = shadow_spans(trajectory, start=contact.aos, end=contact.los)

    def plot(self) -> SkyPlot:
        downlink_hz, uplink_hz = self._carriers
        moves = self._angles(self._evenly(_MOVES))
        return SkyPlot(
            mask=mask_path(self._site),
            track=self._track(),
            ticks=self._ticks(),
            marks=self._marks(),
            sun=self._sun(),
            outages=sun_outages(
                self._trajectory,
                self._site,
                start=self._contact.aos,
                end=self._contact.los,
                separation_deg=SUN_NEAR_DEG,
            ),
            moves=_points(moves.azimuth_deg, moves.elevation_deg),
            rows=self._rows(),
            step=table_step(self._step_s),
            steps=[table_step(seconds) for seconds in self._steps_s],
            downlink_hz=downlink_hz,
            uplink_hz=uplink_hz,
        )

    def _events(self) -> dict[datetime, str]:
        contact = self._contact
        # A pass that was cut short may be highest at one of its ends.
        events = {contact.tca: "TCA", contact.aos: "AOS", contact.los: "LOS"}
        return dict(sorted(events.items()))

    def _evenly(self, parts: int) -> list[datetime]:
        length = self._contact.los - self._contact.aos
        return [self._contact.aos + length * part / parts for part in range(parts + 1)]

    def _angles(self, at: Sequence[datetime]) -> LookAngles:
        return look_angles(self._trajectory, self._site, at)

    def _track(self) -> list[SkyTrackPiece]:
        step = (self._contact.los - self._contact.aos) / _PIECES
        groups = instants_of(self._spans, step)
        angles = self._angles([at for group in groups for at in group])
        return [
            SkyTrackPiece(
                light=light_of(span.shadow),
                points=_points(angles.azimuth_deg[part], angles.elevation_deg[part]),
            )
            for span, part in zip(self._spans, slices_of(groups), strict=True)
        ]

    def _ticks(self) -> list[Tick]:
        contact = self._contact
        duration_s = (contact.los - contact.aos).total_seconds()
        step_s = next(
            (60 * one for one in _TICK_MINUTES if duration_s / 60 / one <= _TICKS_AT_MOST),
            60 * _TICK_MINUTES[-1],
        )
        at = whole_steps(contact.aos, contact.los, step_s)
        if not at:
            return []
        here, soon = self._places(at, later_s=0), self._places(at, later_s=1)
        taken = self._places(list(self._events()), later_s=0)
        ticks = []
        for place, after, one in zip(here, soon, at, strict=True):
            free = min(math.dist(place, other) for other in taken) > _LABEL_AWAY
            ticks.append(_tick(place, after, f"{one:%H:%M}" if free else ""))
            taken += [place] * free
        return ticks

    def _marks(self) -> list[Mark]:
        events = self._events()
        here, soon = self._places(list(events), later_s=0), self._places(list(events), later_s=1)
        azimuth = self._angles(list(events)).azimuth_deg.tolist()
        return _apart(
            [
                _mark(name, at, after, azimuth_deg)
                for name, at, after, azimuth_deg in zip(
                    events.values(), here, soon, azimuth, strict=True
                )
            ]
        )

    def _places(self, at: Sequence[datetime], *, later_s: int) -> list[tuple[float, float]]:
        angles = self._angles([one + timedelta(seconds=later_s) for one in at])
        return [
            place_on_sky(azimuth, elevation)
            for azimuth, elevation in zip(
                angles.azimuth_deg.tolist(), angles.elevation_deg.tolist(), strict=True
            )
        ]

    def _sun(self) -> SunMark | None:
        sun = sun_directions(self._site, [self._contact.tca])
        azimuth_deg, elevation_deg = float(sun.azimuth_deg[0]), float(sun.elevation_deg[0])
        if elevation_deg <= 0.0:
            return None
        x, y = place_on_sky(azimuth_deg, elevation_deg)
        return SunMark(x=x, y=y, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)

    def _rows(self) -> list[LookRow]:
        events = self._events()
        steps = whole_steps(self._contact.aos, self._contact.los, self._step_s)
        at = sorted({*events, *steps})
        angles = self._angles(at)
        downlink, uplink = (_shifts_khz(angles, carrier) for carrier in self._carriers)
        return [
            LookRow(
                at=one,
                event=events.get(one, ""),
                azimuth_deg=float(angles.azimuth_deg[row]),
                elevation_deg=float(angles.elevation_deg[row]),
                range_km=float(angles.range_m[row]) / 1000,
                range_rate_km_s=float(angles.range_rate_m_s[row]) / 1000,
                downlink_shift_khz=downlink[row],
                uplink_shift_khz=uplink[row],
                light=_light_at(self._spans, one),
            )
            for row, one in enumerate(at)
        ]


def _carriers(spacecraft: Spacecraft) -> tuple[float | None, float | None]:
    """Return down and uplink in hertz, where the link profile names them."""
    profile = parse_link_profile(spacecraft.link_profile)
    if isinstance(profile, LinkProfile):
        return profile.downlink_hz, profile.uplink_hz
    return None, None


def _shifts_khz(angles: LookAngles, carrier_hz: float | None) -> list[float | None]:
    if carrier_hz is None:
        return [None] * len(angles.range_rate_m_s)
    return [float(shift) / 1000 for shift in doppler_hz(angles.range_rate_m_s, carrier_hz)]


def _light_at(spans: Sequence[ShadowSpan], at: datetime) -> str:
    return next(light_of(span.shadow) for span in spans if at <= span.end)


def _ring(azimuth_deg: Floats, elevation_deg: Floats) -> str:
    return f"M{_points(azimuth_deg, elevation_deg).replace(' ', 'L')}Z"


def _points(azimuth_deg: Floats, elevation_deg: Floats) -> str:
    angles = zip(azimuth_deg.tolist(), elevation_deg.tolist(), strict=True)
    return " ".join(
        f"{x:.2f},{y:.2f}" for x, y in (place_on_sky(azimuth, up) for azimuth, up in angles)
    )


def _tick(here: tuple[float, float], soon: tuple[float, float], label: str) -> Tick:
    """Return a tick whose label stands at the right of the way."""
    label_x, label_y = _beside(here, soon, _TICK_LABEL_AWAY)
    anchor = _anchor(label_x - here[0])
    return Tick(x=here[0], y=here[1], label_x=label_x, label_y=label_y, anchor=anchor, label=label)


def _mark(
    name: str, here: tuple[float, float], soon: tuple[float, float], azimuth_deg: float
) -> Mark:
    """Return a mark whose label stands outside, or high in the sky at the left of the way."""
    x, y = here
    distance = math.hypot(x, y)
    if distance > _RADIUS * 0.8:
        label_x, label_y = (each * (_RADIUS + _LABEL_AWAY) / distance for each in here)
    else:
        label_x, label_y = _beside(here, soon, -_LABEL_AWAY)
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


def _apart(marks: list[Mark]) -> list[Mark]:
    """Return the marks with the labels of the first and the last kept off each other."""
    left, right = sorted((marks[0], marks[-1]), key=lambda mark: mark.label_x)
    across, down = right.label_x - left.label_x, abs(right.label_y - left.label_y)
    if across > _LABEL_LONG or down > _LABEL_AWAY:
        return marks
    anchors = {left.name: "end", right.name: "start"}
    return [replace(mark, anchor=anchors.get(mark.name, mark.anchor)) for mark in marks]


def _beside(
    here: tuple[float, float], soon: tuple[float, float], away: float
) -> tuple[float, float]:
    """Return a place beside the way, on its right where *away* is positive."""
    along_x, along_y = soon[0] - here[0], soon[1] - here[1]
    length = math.hypot(along_x, along_y) or 1.0
    return here[0] - along_y / length * away, here[1] + along_x / length * away
