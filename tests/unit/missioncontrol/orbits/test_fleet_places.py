from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import resources

import numpy as np
import pytest
from skyfield.api import EarthSatellite, wgs84
from skyfield.jpllib import SpiceKernel

from missioncontrol.orbits.eclipse import Shadow, sunlit_fraction
from missioncontrol.orbits.fleet_places import Place, fleet_places
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.orbits.visibility_circle import sees
from tests.vectors.contact_windows import LOW_ORBITS


@pytest.fixture(scope="module")
def kernel():
    kernel = SpiceKernel(str(resources.files("skyfield_data") / "data" / "de421.bsp"))
    yield kernel
    kernel.close()


def test_a_whole_fleet_is_where_another_library_has_it_and_in_the_same_light(reference, kernel):
    fleet, scale = list(reference.elements.values()), packaged_time_scale()
    in_light = set()
    for minutes in range(0, 120, 7):
        at = reference.start + timedelta(minutes=minutes)
        for elements, place in zip(fleet, fleet_places(fleet, at), strict=True):
            seen = EarthSatellite(*elements.tle_lines(), elements.name, scale).at(
                scale.from_datetime(at)
            )
            below = wgs84.geographic_position_of(seen)
            assert place.latitude_deg == pytest.approx(below.latitude.degrees, abs=1e-5)
            across = place.longitude_deg - below.longitude.degrees
            assert (across + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=1e-4)
            assert place.height_m == pytest.approx(below.elevation.m, abs=1.0)
            # Skyfield's Sun is a point, its Earth a sphere: near the edge they may differ.
            [fraction] = sunlit_fraction(elements, [at])
            assert (place.shadow is None) == (fraction == 1.0)
            assert (place.shadow is Shadow.UMBRA) == (fraction == 0.0)
            if fraction in (0.0, 1.0):
                in_light.add((bool(seen.is_sunlit(kernel)), fraction == 1.0))
    assert in_light == {(True, True), (False, False)}


def test_one_that_cannot_be_placed_says_why_and_leaves_the_others_in_order(iss, sentinel):
    falling = replace(
        sentinel, name="FALLING", mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01
    )
    at = iss.epoch + timedelta(days=9)
    first, second, third = fleet_places([iss, falling, sentinel], at)
    assert isinstance(second, PropagationError)
    assert "FALLING" in str(second)
    assert [fleet_places([one], at)[0].height_m for one in (iss, sentinel)] == [
        pytest.approx(first.height_m),
        pytest.approx(third.height_m),
    ]


def test_no_fleet_has_no_places(reference):
    assert fleet_places([], reference.start) == []


@pytest.mark.parametrize(
    ("name", "minutes"), [("iss", 92.7), ("molniya", 717.8), ("geostationary", 1436.1)]
)
def test_a_revolution_takes_as_long_as_the_mean_motion_says(name, minutes, request):
    elements = request.getfixturevalue(name)
    [place] = fleet_places([elements], elements.epoch)
    assert isinstance(place, Place)
    assert place.revolution / timedelta(minutes=1) == pytest.approx(minutes, rel=0.005)


def test_stations_see_it_from_the_windows_of_the_reference_on(reference):
    passes = reference.passes_by_key()[LOW_ORBITS[0], next(iter(reference.stations)), 5.0]
    assert passes
    for one in passes:
        site = reference.site(one["station"])
        for offset_s, expected in ((-0.1, False), (0.1, True)):
            at = reference.start + timedelta(seconds=one["aos_s"] + offset_s)
            [place] = fleet_places([reference.elements[one["sat"]]], at)
            assert sees(site, np.array([place.itrs_km])) == [expected]
