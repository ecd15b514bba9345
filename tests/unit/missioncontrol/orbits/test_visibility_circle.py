from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.api import wgs84

from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.visibility_circle import sees, visibility_circle
from missioncontrol.orbits.wgs84 import EQUATORIAL_RADIUS_KM, itrs_km

AT = datetime(2026, 8, 12, tzinfo=UTC)
SVALBARD = Site(
    name="SVALBARD",
    latitude_deg=78.23,
    longitude_deg=15.408,
    height_m=460.0,
    horizon_mask=((0.0, 5.0), (70.0, 5.0), (85.0, 8.0), (160.0, 8.0), (175.0, 5.0)),
)

sites = st.builds(
    Site,
    name=st.just("ANY"),
    latitude_deg=st.floats(-90.0, 90.0),
    longitude_deg=st.floats(-180.0, 180.0),
    height_m=st.floats(-400.0, 5000.0),
    mask_deg=st.floats(-2.0, 60.0),
)
heights_m = st.floats(150e3, 36_000e3)


def seen_by_skyfield(site: Site, latitude_deg, longitude_deg, height_m) -> tuple[float, float]:
    """Return azimuth and elevation by another library."""
    place = wgs84.latlon(latitude_deg, longitude_deg, height_m)
    station = wgs84.latlon(site.latitude_deg, site.longitude_deg, site.height_m)
    at = packaged_time_scale().from_datetime(AT)
    elevation, azimuth, _ = (place - station).at(at).altaz()
    return azimuth.degrees, elevation.degrees


class TestCircle:
    @settings(max_examples=40, deadline=None)
    @given(site=sites, height_m=heights_m)
    def test_has_the_spacecraft_exactly_on_the_mask(self, site, height_m):
        circle = visibility_circle(site, height_m, azimuths=5)
        for latitude, longitude in zip(circle.latitude_deg, circle.longitude_deg, strict=True):
            _, elevation = seen_by_skyfield(site, latitude, longitude, height_m)
            assert elevation == pytest.approx(site.mask_deg, abs=1e-5)

    def test_follows_a_mask_by_azimuth_through_its_knots(self):
        circle = visibility_circle(SVALBARD, 750e3, azimuths=8)
        assert len(circle.latitude_deg) == 8 + 4  # north is a knot and a point
        for latitude, longitude in zip(circle.latitude_deg, circle.longitude_deg, strict=True):
            azimuth, elevation = seen_by_skyfield(SVALBARD, latitude, longitude, 750e3)
            assert elevation == pytest.approx(
                float(SVALBARD.mask_at_deg(np.array(azimuth))), abs=1e-4
            )

    @given(height_m=heights_m, mask_deg=st.floats(0.0, 60.0))
    def test_is_as_wide_at_a_pole_as_on_a_sphere(self, height_m, mask_deg):
        """By the law of sines: cos(e + angle) / cos(e) = R / (R + h)."""
        pole = Site(
            name="POLE", latitude_deg=90.0, longitude_deg=0.0, height_m=0.0, mask_deg=mask_deg
        )
        circle = visibility_circle(pole, height_m, azimuths=4)
        mask = math.radians(mask_deg)
        ratio = EQUATORIAL_RADIUS_KM / (EQUATORIAL_RADIUS_KM + height_m / 1000)
        angle_deg = math.degrees(math.acos(math.cos(mask) * ratio) - mask)
        assert 90.0 - circle.latitude_deg == pytest.approx(np.full(4, angle_deg), abs=0.3)

    def test_goes_round_clockwise_from_the_north(self):
        circle = visibility_circle(
            Site(name="GULF", latitude_deg=0.0, longitude_deg=0.0, height_m=0.0), 750e3, azimuths=4
        )
        assert circle.latitude_deg.argmax() == 0
        assert circle.longitude_deg.argmax() == 1
        assert circle.latitude_deg.argmin() == 2

    def test_is_refused_for_what_is_not_above_the_station(self):
        with pytest.raises(ValueError, match="At 400 m a spacecraft is not above SVALBARD"):
            visibility_circle(SVALBARD, 400.0)


class TestSees:
    @settings(max_examples=60, deadline=None)
    @given(
        site=sites,
        latitude_deg=st.floats(-90.0, 90.0),
        longitude_deg=st.floats(-180.0, 180.0),
        height_m=heights_m,
    )
    def test_is_what_another_library_says(self, site, latitude_deg, longitude_deg, height_m):
        _, elevation = seen_by_skyfield(site, latitude_deg, longitude_deg, height_m)
        position_km = itrs_km(
            latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=height_m
        )
        if abs(elevation - site.mask_deg) > 1e-6:
            assert sees(site, position_km[np.newaxis]) == [elevation > site.mask_deg]
