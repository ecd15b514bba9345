"""What is drawn on the map: asked of the drawing, point by point."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from missioncontrol.console.presentation import world_map
from missioncontrol.orbits.daylight import SubsolarPoint, terminator_latitude_deg
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.visibility_circle import sees, visibility_circle
from missioncontrol.orbits.wgs84 import itrs_km

NEAR_EDGE_DEG = 0.3  # of elevation; between two points of an edge the map draws a straight line


def subpaths(path: str) -> list[list[tuple[float, float]]]:
    """Return the corners of each part of a path made of M, L, H, V and Z."""
    parts: list[list[tuple[float, float]]] = []
    for letter, numbers in re.findall(r"([MLHVZ])([^MLHVZ]*)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "M":
            parts.append([])
        if letter in "ML":
            parts[-1].append((values[0], values[1]))
        elif letter in "HV":
            x, y = parts[-1][-1]
            parts[-1].append((values[0], y) if letter == "H" else (x, values[0]))
    return parts


def is_inside(path: str, x: float, y: float) -> bool:
    """Return whether a point is filled by the even-odd rule."""
    crossings = 0
    for corners in subpaths(path):
        for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                crossings += 1
    return crossings % 2 == 1


def clearance_deg(site: Site, latitude_deg: float, longitude_deg: float, height_m: float):
    """Return how far above the mask a spacecraft stands."""
    position_km = itrs_km(
        latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=height_m
    )
    sight = site.east_north_up() @ (position_km - site.itrs_km())
    elevation = math.degrees(math.atan2(sight[2], math.hypot(sight[0], sight[1])))
    return elevation - site.mask_deg


places = st.tuples(st.floats(-89.9, 89.9), st.floats(-179.9, 179.9))


class TestPlaces:
    def test_have_greenwich_on_the_equator_in_the_middle(self):
        assert world_map.map_place(0.0, 0.0) == (900.0, 450.0)


class TestLine:
    def test_over_the_date_line_runs_to_both_edges(self):
        path = world_map.line_path(np.array([10.0, 12.0]), np.array([179.0, -177.0]))
        assert path == "M-5.0 400.0L15.0 390.0M1795.0 400.0L1815.0 390.0"

    def test_within_the_map_is_drawn_once(self):
        path = world_map.line_path(np.array([0.0, 1.0, 2.0]), np.array([-10.0, 0.0, 10.0]))
        assert path == "M850.0 450.0L900.0 445.0L950.0 440.0"


class TestArea:
    @settings(max_examples=150, deadline=None)
    @given(
        station=places,
        mask_deg=st.floats(0.0, 40.0),
        height_m=st.floats(300e3, 36_000e3),
        spacecraft=places,
    )
    def test_of_a_circle_holds_exactly_what_the_station_sees(
        self, station, mask_deg, height_m, spacecraft
    ):
        site = Site(
            name="ANY",
            latitude_deg=station[0],
            longitude_deg=station[1],
            height_m=0.0,
            mask_deg=mask_deg,
        )
        clearance = clearance_deg(site, *spacecraft, height_m)
        assume(abs(clearance) > NEAR_EDGE_DEG)
        circle = visibility_circle(site, height_m)
        area = world_map.area_path(circle.latitude_deg, circle.longitude_deg)
        assert is_inside(area, *world_map.map_place(*spacecraft)) == (clearance > 0.0)
        position_km = itrs_km(
            latitude_deg=spacecraft[0], longitude_deg=spacecraft[1], height_m=height_m
        )
        assert sees(site, position_km[np.newaxis]) == [clearance > 0.0]

    @pytest.mark.parametrize(
        ("latitude_deg", "inside", "outside"),
        [
            (85.0, [(89.9, 0.0), (89.9, 179.0), (75.0, -170.0)], [(-89.9, 0.0), (40.0, 0.0)]),
            (-90.0, [(-89.9, 90.0), (-80.0, -179.0)], [(89.9, 0.0), (-40.0, 90.0)]),
            (0.0, [(0.0, 179.5), (0.0, -170.0), (5.0, 175.0)], [(0.0, 0.0), (80.0, 180.0)]),
        ],
    )
    def test_is_closed_along_the_edge_where_the_pole_is_inside(
        self, latitude_deg, inside, outside
    ):
        site = Site(name="ANY", latitude_deg=latitude_deg, longitude_deg=179.0, height_m=0.0)
        circle = visibility_circle(site, 750e3)
        area = world_map.area_path(circle.latitude_deg, circle.longitude_deg)
        assert all(is_inside(area, *world_map.map_place(*place)) for place in inside)
        assert not any(is_inside(area, *world_map.map_place(*place)) for place in outside)

    def test_with_both_poles_inside_is_all_but_the_hole(self):
        """Nobody's mask is as low, but a ring that goes round the other way is this."""
        angle = np.radians(np.arange(0.0, 360.0, 10.0))
        latitude, longitude = 20.0 * np.cos(angle), -20.0 * np.sin(angle)
        area = world_map.area_path(latitude, longitude)
        assert not is_inside(area, *world_map.map_place(0.0, 0.0))
        for place in ((89.0, 0.0), (-89.0, 0.0), (0.0, 100.0), (0.0, -179.0)):
            assert is_inside(area, *world_map.map_place(*place))


class TestNight:
    @given(sun=st.tuples(st.floats(-23.5, 23.5), st.floats(-180.0, 180.0)), place=places)
    def test_is_where_the_sun_is_below_the_horizon(self, sun, place):
        below_sun = SubsolarPoint(latitude_deg=sun[0], longitude_deg=sun[1])
        here, there = np.radians(place), np.radians(sun)
        height = np.sin(here[0]) * np.sin(there[0]) + np.cos(here[0]) * np.cos(there[0]) * np.cos(
            here[1] - there[1]
        )
        [edge] = terminator_latitude_deg(below_sun, np.array([place[1]]))
        # Near an equinox the terminator is steep; the drawing has a point every two degrees.
        assume(abs(edge - place[0]) > 1.0 and abs(height) > 0.05)
        night = world_map.night_path(below_sun)
        assert is_inside(night, *world_map.map_place(*place)) == bool(height < 0.0)
