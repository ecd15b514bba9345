from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyfield.api import wgs84 as skyfield_wgs84

from missioncontrol.orbits import wgs84
from missioncontrol.orbits.sites import Site

PLACE = {"name": "KASHI", "latitude_deg": 39.5, "longitude_deg": 76.0, "height_m": 1300.0}


class TestSite:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"latitude_deg": 91.0}, "latitude of KASHI is 91 degrees; it must lie in -90 to 90"),
            ({"longitude_deg": -181.0}, "longitude of KASHI"),
            ({"height_m": 12_000.0}, "height of KASHI is 12000 metres"),
            ({"mask_deg": 90.0}, "mask of KASHI"),
            ({"mask_deg": float("nan")}, "mask of KASHI is nan"),
            ({"horizon_mask": ((360.0, 5.0),)}, "azimuth of a mask knot"),
            ({"horizon_mask": ((0.0, 95.0),)}, "elevation of a mask knot"),
            (
                {"horizon_mask": ((10.0, 5.0), (10.0, 6.0))},
                "azimuth 10 follows 10; give the knots in strictly increasing azimuth",
            ),
        ],
    )
    def test_says_what_is_out_of_range(self, changes, message):
        with pytest.raises(ValueError, match=message):
            Site(**{**PLACE, **changes})

    def test_the_plain_mask_is_the_same_everywhere(self):
        site = Site(**PLACE, mask_deg=7.0)
        assert site.lowest_mask_deg == 7.0
        assert site.mask_at_deg(np.array([0.0, 123.0])).tolist() == [7.0, 7.0]

    def test_a_horizon_mask_is_linear_between_knots_and_across_north(self):
        site = Site(**PLACE, mask_deg=50.0, horizon_mask=((10.0, 4.0), (20.0, 8.0), (350.0, 12.0)))
        azimuths = np.array([10.0, 15.0, 185.0, 350.0, 0.0, 5.0, 359.0])
        expected = [4.0, 6.0, 10.0, 12.0, 8.0, 6.0, 8.4]
        np.testing.assert_allclose(site.mask_at_deg(azimuths), expected)
        assert site.lowest_mask_deg == 4.0


class TestWgs84:
    @given(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.floats(-400.0, 9000.0))
    def test_position_agrees_with_skyfield(self, latitude_deg, longitude_deg, height_m):
        expected = skyfield_wgs84.latlon(latitude_deg, longitude_deg, height_m).itrs_xyz.km
        position = wgs84.itrs_km(
            latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=height_m
        )
        np.testing.assert_allclose(position, expected, atol=1e-8)

    @given(st.floats(-90.0, 90.0), st.floats(-179.9, 179.9), st.floats(-10e3, 400_000e3))
    def test_geodetic_undoes_the_position(self, latitude_deg, longitude_deg, height_m):
        position = wgs84.itrs_km(
            latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=height_m
        )
        latitude, longitude, height = wgs84.geodetic(position)
        assert latitude == pytest.approx(latitude_deg, abs=1e-8)
        assert height == pytest.approx(height_m, abs=1e-3)
        if abs(latitude_deg) < 89.999:
            assert longitude == pytest.approx(longitude_deg, abs=1e-6)

    @given(st.floats(-90.0, 90.0), st.floats(-180.0, 360.0))
    def test_the_axes_are_a_right_handed_turn(self, latitude_deg, longitude_deg):
        rotation = wgs84.east_north_up(latitude_deg=latitude_deg, longitude_deg=longitude_deg)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1.0)
