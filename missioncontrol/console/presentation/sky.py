"""A pass as the station sees it: on a plot of its sky, and as a table of look angles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.console.presentation.light import instants_of, light_of, slices_of
from missioncontrol.console.presentation.look_angle_table import (
    Carriers,
    LookRow,
    TableStep,
    carriers_of,
    look_rows,
    steps_offered,
    table_step,
    usual_step,
    whole_steps,
)
from missioncontrol.console.presentation.sky_drawing import (
    LABEL_AWAY,
    Mark,
    Place,
    Tick,
    apart,
    mark,
    mask_path,
    place_on_sky,
    points,
    tick,
)
from missioncontrol.fleet import selectors as fleet
from missioncontrol.orbits.daylight import sun_directions
from missioncontrol.orbits.eclipse import shadow_spans
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.look_angles import LookAngles, look_angles
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.sun_outage import SunOutage, sun_outages
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.scheduling.models import Contact

SUN_NEAR_DEG: Final = 3.0  # no antenna's beam is known; a wide one's half is about that

_TICK_MINUTES: Final = (1, 2, 5, 10, 20, 30, 60, 120, 180, 360)
_TICKS_AT_MOST: Final = 16
_PIECES: Final = 120  # of the track
_MOVES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyTrackPiece:
    """A part of the track in one light: "sunlight", "penumbra" or "umbra"."""

    light: str
    points: str  # of an SVG polyline


@dataclass(frozen=True, slots=True, kw_only=True)
class SunMark:
    """The Sun above the horizon."""

    x: float
    y: float
    azimuth_deg: float
    elevation_deg: float


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
    carriers: Carriers


def sky_plot(contact: Contact, *, asked_step_s: int | None = None) -> SkyPlot | str:
    """Return the pass on the station's sky, or why there is none to show."""
    flown = contact.relay or contact.spacecraft  # whom the antenna looks at
    ephemeris = fleet.ephemeris_in_force(flown, contact.aos)
    if ephemeris is None:
        return f"No ephemeris of {flown.name} is in force at AOS. Load one."
    try:
        return _Sky(contact, fleet.trajectory(ephemeris), asked_step_s).plot()
    except (ElementsError, PropagationError) as error:
        return str(error)


class _Sky:
    def __init__(
        self, contact: Contact, trajectory: AnyTrajectory, asked_step_s: int | None
    ) -> None:
        self._contact, self._trajectory = contact, trajectory
        self._site = fleet.site(contact.antenna.station)
        duration = contact.los - contact.aos
        self._steps_s = steps_offered(duration)
        offered = asked_step_s in self._steps_s
        self._step_s = asked_step_s if asked_step_s and offered else usual_step(duration)
        self._carriers = carriers_of(contact.relay or contact.spacecraft)
        self._spans = shadow_spans(trajectory, start=contact.aos, end=contact.los)
        # A pass that was cut short may be highest at one of its ends.
        events = {contact.tca: "TCA", contact.aos: "AOS", contact.los: "LOS"}
        self._events = dict(sorted(events.items()))

    def plot(self) -> SkyPlot:
        moves = self._angles(self._evenly(_MOVES))
        at = sorted(
            {*self._events, *whole_steps(self._contact.aos, self._contact.los, self._step_s)}
        )
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
            moves=points(moves.azimuth_deg, moves.elevation_deg),
            rows=look_rows(
                at,
                self._angles(at),
                events=self._events,
                carriers=self._carriers,
                spans=self._spans,
            ),
            step=table_step(self._step_s),
            steps=[table_step(seconds) for seconds in self._steps_s],
            carriers=self._carriers,
        )

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
                points=points(angles.azimuth_deg[part], angles.elevation_deg[part]),
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
        taken = self._places(list(self._events), later_s=0)
        ticks = []
        for place, after, one in zip(here, soon, at, strict=True):
            free = min(math.dist(place, other) for other in taken) > LABEL_AWAY
            ticks.append(tick(place, after, f"{one:%H:%M}" if free else ""))
            taken += [place] * free
        return ticks

    def _marks(self) -> list[Mark]:
        events = self._events
        here, soon = self._places(list(events), later_s=0), self._places(list(events), later_s=1)
        azimuth = self._angles(list(events)).azimuth_deg.tolist()
        return apart(
            [
                mark(name, at, after, azimuth_deg)
                for name, at, after, azimuth_deg in zip(
                    events.values(), here, soon, azimuth, strict=True
                )
            ]
        )

    def _places(self, at: Sequence[datetime], *, later_s: int) -> list[Place]:
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
