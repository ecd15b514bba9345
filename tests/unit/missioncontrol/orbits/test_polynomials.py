from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.bracketing import maxima, switch_times
from missioncontrol.orbits.earth_rotation import julian_day, teme_to_itrs
from missioncontrol.orbits.propagation import (
    STEP_S,
    earth_fixed,
    earth_rotation_on,
    propagate_teme,
    time_grid,
)
from missioncontrol.orbits.time_scale import packaged_time_scale

START = datetime(2026, 8, 12, tzinfo=UTC)


def test_positions_between_the_nodes_are_exact_to_a_centimetre(sentinel, iss):
    scale = packaged_time_scale()
    grid = time_grid(START, START + timedelta(hours=6))
    at_s = np.arange(0.0, 6 * 3600.0, 7.3)
    for elements in (sentinel, iss):
        _, position, velocity = propagate_teme([elements.satrec()], grid)
        ephemerides = earth_fixed(grid, earth_rotation_on(grid, scale), position, velocity)
        node = grid.index_of(at_s)
        fitted = polynomials.fit(
            ephemerides.position_km, np.zeros_like(node), node, np.eye(3), np.zeros(3)
        )
        between = polynomials.value_at(fitted, at_s / STEP_S - (grid.first_node + node))
        whole = np.full_like(at_s, julian_day(grid.midnight))
        _, teme, _ = elements.satrec().sgp4_array(whole, at_s / 86400.0)
        expected = np.einsum("nij,nj->in", teme_to_itrs(scale, grid.midnight, at_s), teme)
        assert np.abs(between - expected).max() < 1e-5


@given(st.lists(st.floats(-5.0, 5.0), min_size=8, max_size=8), st.floats(-1.0, 1.0))
def test_derivatives_are_those_of_the_polynomial(coefficients, at):
    column = np.array(coefficients).reshape(8, 1, 1)
    expected = np.polynomial.Polynomial(coefficients)
    found = polynomials.derivatives_at(column, np.array([at]))
    for order, value in enumerate(found):
        np.testing.assert_allclose(value[0, 0], expected.deriv(order)(at), atol=1e-9)
    np.testing.assert_allclose(polynomials.value_at(column, np.array([at])), found[0])


@given(st.lists(st.floats(-0.999, 0.999), min_size=1, max_size=20), st.sampled_from([1, 3, 9]))
def test_roots_are_found_even_where_the_slope_is_zero(roots, power):
    wanted = np.array(roots)

    def function(at, subset):
        return (at - wanted[subset]) ** power, power * (at - wanted[subset]) ** (power - 1)

    one = np.ones(len(wanted))
    found = polynomials.rising_roots(function, -one, one)
    np.testing.assert_allclose(found, wanted, atol=1e-9)


@given(st.lists(st.floats(0.0, 240.0), min_size=1, max_size=20))
def test_switches_and_maxima_are_found_in_their_brackets(times):
    wanted = np.array(times)
    low, high = np.full(len(wanted), -1.0), np.full(len(wanted), 241.0)
    switched = switch_times(lambda at: at > wanted, low, high, np.zeros(len(wanted), dtype=bool))
    np.testing.assert_allclose(switched, wanted, atol=1e-9)
    highest = maxima(lambda at: -np.abs(at - wanted), low, high)
    np.testing.assert_allclose(highest, wanted, atol=1e-6)
