from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.bracketing import maxima, switch_times
from missioncontrol.orbits.earth_rotation import julian_day, teme_to_itrs
from missioncontrol.orbits.polynomials import COEFFICIENTS
from missioncontrol.orbits.propagation import EarthRotation, propagate
from missioncontrol.orbits.time_grid import time_grid
from missioncontrol.orbits.time_scale import packaged_time_scale

START = datetime(2026, 8, 12, tzinfo=UTC)

places = st.floats(-0.5, 0.5)
coefficients = st.lists(st.floats(-5.0, 5.0), min_size=COEFFICIENTS, max_size=COEFFICIENTS)


def error_between_nodes_m(elements, *, hours=24.0, every_s=7.3) -> float:
    """Return by how much the polynomials miss SGP4's own positions, in metres."""
    scale = packaged_time_scale()
    grid = time_grid(START, START + timedelta(hours=hours), elements.sound_step_s)
    _, ephemerides = propagate([elements.satrec()], grid, EarthRotation(grid, scale))
    at_s = np.arange(0.0, hours * 3600.0, every_s)
    interval, place = grid.locate(at_s)
    fitted = ephemerides.fit(np.zeros_like(interval), interval)
    between = polynomials.value_at(fitted, place)
    whole = np.full_like(at_s, julian_day(grid.midnight))
    _, teme, _ = elements.satrec().sgp4_array(whole, at_s / 86400.0)
    expected = np.einsum("nij,nj->in", teme_to_itrs(scale, grid.midnight, at_s), teme)
    return float(np.abs(between - expected).max()) * 1000.0


class TestPositionsBetweenNodes:
    def test_are_good_to_a_centimetre_in_low_orbit(self, sentinel, iss):
        assert error_between_nodes_m(sentinel) < 0.005
        assert error_between_nodes_m(iss) < 0.01

    @pytest.mark.parametrize("perigee_height_km", [200.0, 500.0, 1200.0])
    @pytest.mark.parametrize("eccentricity", [0.0, 0.01, 0.05, 0.2, 0.5, 0.74])
    def test_are_good_to_centimetres_in_any_orbit(self, iss, perigee_height_km, eccentricity):
        semi_major_axis_km = (6378.1 + perigee_height_km) / (1.0 - eccentricity)
        eccentric = replace(
            iss,
            epoch=START,
            eccentricity=eccentricity,
            mean_motion_rev_per_day=86400.0
            / (2 * np.pi)
            * (398600.8 / semi_major_axis_km**3) ** 0.5,
            bstar_per_earth_radius=0.0,
            mean_anomaly_deg=300.0,
        )
        assert error_between_nodes_m(eccentric) < 0.05


class TestPolynomials:
    @given(coefficients, places)
    def test_values_and_derivatives_are_those_of_the_polynomial(self, coefficients, at):
        column, where = np.array(coefficients).reshape(COEFFICIENTS, 1, 1), np.array([at])
        expected = np.polynomial.Polynomial(coefficients)
        for order, value in enumerate(polynomials.derivatives_at(column, where)):
            np.testing.assert_allclose(value[0, 0], expected.deriv(order)(at), atol=1e-9)
        value, slope = polynomials.value_and_slope_at(column, where)
        np.testing.assert_allclose(value[0, 0], expected(at), atol=1e-9)
        np.testing.assert_allclose(slope[0, 0], expected.deriv()(at), atol=1e-9)
        np.testing.assert_allclose(polynomials.value_at(column, where), value, atol=1e-9)

    @given(coefficients)
    def test_ends_are_the_values_at_both_ends(self, coefficients):
        column, expected = (
            np.array(coefficients).reshape(COEFFICIENTS, 1, 1),
            np.polynomial.Polynomial(coefficients),
        )
        start, end = polynomials.ends_of(column)
        np.testing.assert_allclose([start[0, 0], end[0, 0]], expected([-0.5, 0.5]), atol=1e-9)

    @given(coefficients)
    def test_a_polynomial_of_their_degree_is_fitted_exactly(self, coefficients):
        expected = np.polynomial.Polynomial(coefficients)
        nodes = np.arange(polynomials.NODES) - polynomials.NODES_BEFORE - 0.5
        samples = expected(nodes).reshape(1, 1, -1)
        fitted = polynomials.fit(samples, np.array([0]), np.array([polynomials.NODES_BEFORE]))
        largest = max(1.0, float(np.abs(samples).max()))
        np.testing.assert_allclose(fitted[:, 0, 0], coefficients, atol=1e-9 * largest)

    @given(places, st.floats(0.01, 10.0), st.floats(-5.0, 5.0))
    def test_the_lowest_place_of_a_parabola_is_found(self, lowest, bend, height):
        start, middle, end = (
            np.array([bend * (at - lowest) ** 2 + height]) for at in (-0.5, 0.0, 0.5)
        )
        found = polynomials.lowest_of_parabola(start, middle, end)
        np.testing.assert_allclose(found, lowest, atol=1e-6)

    def test_a_falling_line_is_lowest_at_its_end(self):
        one = np.ones(1)
        assert polynomials.lowest_of_parabola(2 * one, one, 0 * one).tolist() == [0.5]
        assert polynomials.lowest_of_parabola(0 * one, one, 2 * one).tolist() == [-0.5]


class TestRoots:
    @given(st.lists(st.floats(-0.999, 0.999), min_size=1, max_size=20), st.sampled_from([1, 3, 9]))
    def test_roots_are_found_even_where_the_slope_is_zero(self, roots, power):
        wanted = np.array(roots)

        def function(at, subset):
            return (at - wanted[subset]) ** power, power * (at - wanted[subset]) ** (power - 1)

        one = np.ones(len(wanted))
        found = polynomials.rising_roots(function, -one, one)
        np.testing.assert_allclose(found, wanted, atol=1e-8)

    def test_without_a_root_the_end_nearer_to_one_is_returned(self):
        wanted = np.array([-3.0, 3.0])
        found = polynomials.rising_roots(
            lambda at, subset: (at - wanted[subset], np.ones(len(subset))), -np.ones(2), np.ones(2)
        )
        assert found.tolist() == [-1.0, 1.0]

    @given(st.lists(st.floats(0.0, 240.0), min_size=1, max_size=20))
    def test_switches_and_maxima_are_found_in_their_brackets(self, times):
        wanted = np.array(times)
        low, high = np.full(len(wanted), -1.0), np.full(len(wanted), 241.0)
        at_low = np.zeros(len(wanted), dtype=bool)
        switched = switch_times(lambda at: at > wanted, low, high, at_low)
        np.testing.assert_allclose(switched, wanted, atol=1e-9)
        highest = maxima(lambda at: -np.abs(at - wanted), low, high)
        np.testing.assert_allclose(highest, wanted, atol=1e-6)
