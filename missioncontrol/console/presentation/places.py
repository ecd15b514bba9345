"""Where the spacecraft are: on the map with their tracks, and in the table beside it.

However many there are, all are placed in one go. What takes milliseconds for each
(the track, the next eclipse) is worked out for a few only: tracks for the chosen
one where there are many, eclipses for the rows of one page of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np

from missioncontrol.console.presentation import world_map
from missioncontrol.console.presentation.light import instants_of, light_of, slices_of
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.orbits.eclipse import EclipseInterval, eclipse_intervals, shadow_spans
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.fleet_places import Place, fleet_places
from missioncontrol.orbits.look_angles import subpoints
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.orbits.visibility_circle import sees, visibility_circle

TRACKS_AT_MOST: Final = 4  # more spacecraft than this: the chosen one's alone
NAMES_AT_MOST: Final = 12  # on the map; beyond it the chosen one's alone

_TRACK_PIECES: Final = 180
_MOVES: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCraft:
    """A spacecraft whose place is known."""

    name: str
    trajectory: AnyTrajectory
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplacedCraft:
    """A spacecraft of which nobody knows where it is, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTrackPiece:
    """A part of a ground track in one light: "sunlight", "penumbra" or "umbra"."""

    light: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CraftOnMap:
    """A spacecraft above the map; ``moves`` are its places from now through one orbit."""

    name: str
    x: float
    y: float
    light: str
    named: bool
    chosen: bool
    track: list[GroundTrackPiece]
    moves: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircleOnMap:
    """From where a station sees a spacecraft at the height of the chosen one."""

    station: str
    area: str
    edge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CraftRow:
    """A spacecraft in the table; ``eclipse`` is the next stay in the shadow within an orbit.

    It is unknown where the ephemeris ends before.
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    height_km: float
    light: str
    eclipse: EclipseInterval | Literal["none", "unknown"]
    stations: list[str]


def placed(
    spacecraft: Sequence[Spacecraft], at: datetime
) -> tuple[list[PlacedCraft], list[UnplacedCraft]]:
    """Return where each spacecraft is, and those whose place is not known."""
    ephemerides = fleet.ephemeris_rows_in_force([craft.pk for craft in spacecraft], at)
    known: list[tuple[str, AnyTrajectory]] = []
    unplaced: list[UnplacedCraft] = []
    for craft in spacecraft:
        ephemeris = ephemerides.get(craft.pk)
        if ephemeris is None:
            reason = "No ephemeris of it is in force. Load one."
            unplaced.append(UnplacedCraft(name=craft.name, reason=reason))
            continue
        try:
            known.append((craft.name, fleet.trajectory(ephemeris)))
        except ElementsError as error:
            unplaced.append(UnplacedCraft(name=craft.name, reason=str(error)))
    found: list[PlacedCraft] = []
    places = fleet_places([trajectory for _, trajectory in known], at)
    for (name, trajectory), place in zip(known, places, strict=True):
        if isinstance(place, PropagationError):
            unplaced.append(UnplacedCraft(name=name, reason=str(place)))
        else:
            found.append(PlacedCraft(name=name, trajectory=trajectory, place=place))
    return found, unplaced


def crafts_on_map(
    crafts: Sequence[PlacedCraft], chosen: PlacedCraft | None, at: datetime
) -> list[CraftOnMap]:
    """Return all spacecraft for the map, the chosen one last: it is drawn above the others."""
    shown = sorted(crafts, key=lambda craft: craft is chosen)
    return [
        _on_map(
            craft,
            at,
            chosen=craft is chosen,
            tracked=craft is chosen or len(crafts) <= TRACKS_AT_MOST,
            named=craft is chosen or len(crafts) <= NAMES_AT_MOST,
        )
        for craft in shown
    ]


def _on_map(
    craft: PlacedCraft, at: datetime, *, chosen: bool, tracked: bool, named: bool
) -> CraftOnMap:
    place = craft.place
    x, y = world_map.map_place(place.latitude_deg, place.longitude_deg)
    until = at + place.revolution
    try:
        track = _track(craft.trajectory, at, until) if tracked else []
        moves = _moves(craft.trajectory, at, until) if tracked else ""
    except PropagationError:  # an ephemeris that ends within the orbit
        track, moves = [], ""
    return CraftOnMap(
        name=craft.name,
        x=x,
        y=y,
        light=light_of(place.shadow),
        named=named,
        chosen=chosen,
        track=track,
        moves=moves,
        until=until,
    )


def _track(trajectory: AnyTrajectory, at: datetime, until: datetime) -> list[GroundTrackPiece]:
    spans = shadow_spans(trajectory, start=at, end=until)
    groups = instants_of(spans, (until - at) / _TRACK_PIECES)
    below = subpoints(trajectory, [one for group in groups for one in group])
    return [
        GroundTrackPiece(
            light=light_of(span.shadow),
            path=world_map.line_path(below.latitude_deg[part], below.longitude_deg[part]),
        )
        for span, part in zip(spans, slices_of(groups), strict=True)
    ]


def _moves(trajectory: AnyTrajectory, at: datetime, until: datetime) -> str:
    instants = [at + (until - at) * part / _MOVES for part in range(_MOVES + 1)]
    below = subpoints(trajectory, instants)
    places = (
        world_map.map_place(latitude, longitude)
        for latitude, longitude in zip(
            below.latitude_deg.tolist(), below.longitude_deg.tolist(), strict=True
        )
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def circles_on_map(sites: Sequence[Site], craft: PlacedCraft) -> list[CircleOnMap]:
    """Return from where each station sees a spacecraft as high as *craft* is now."""
    circles = [
        (site.name, visibility_circle(site, craft.place.height_m))
        for site in sites
        if craft.place.height_m > site.height_m
    ]
    return [
        CircleOnMap(
            station=name,
            area=world_map.area_path(circle.latitude_deg, circle.longitude_deg),
            edge=world_map.ring_path(circle.latitude_deg, circle.longitude_deg),
        )
        for name, circle in circles
    ]


def craft_rows(
    crafts: Sequence[PlacedCraft], sites: Sequence[Site], at: datetime
) -> list[CraftRow]:
    """Return spacecraft for the table; a few milliseconds for each."""
    if not crafts:
        return []
    position_km = np.array([craft.place.itrs_km for craft in crafts])
    seen = {site.name: sees(site, position_km) for site in sites}
    return [
        CraftRow(
            name=craft.name,
            latitude_deg=craft.place.latitude_deg,
            longitude_deg=craft.place.longitude_deg,
            height_km=craft.place.height_m / 1000,
            light=light_of(craft.place.shadow),
            eclipse=_next_eclipse(craft, at),
            stations=[name for name, mask in seen.items() if mask[row]],
        )
        for row, craft in enumerate(crafts)
    ]


def _next_eclipse(
    craft: PlacedCraft, at: datetime
) -> EclipseInterval | Literal["none", "unknown"]:
    """Return the stay in penumbra and umbra that is under way or begins within one orbit."""
    # A little longer than an orbit, so that the end of a stay that begins in it is seen.
    end = at + craft.place.revolution * 1.4
    try:
        stays = eclipse_intervals(craft.trajectory, start=at, end=end)
    except PropagationError:  # an ephemeris that ends within the orbit
        return "unknown"
    within = (stay for stay in stays if stay.entry <= at + craft.place.revolution)
    return next(within, "none")
