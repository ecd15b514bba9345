from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.orbits.interpolation import hermite, lagrange

TIMES = np.array([0.0, 1.0, 2.5, 3.0, 4.5, 6.0, 7.0, 8.2, 9.0, 10.0])

coefficients = st.lists(st.floats(-3.0, 3.0), min_size=8, max_size=8)
inside = st.lists(st.floats(0.0, 10.0), min_size=1, max_size=10)


@given(coefficients, inside)
def test_lagrange_returns_a_polynomial_of_its_degree_exactly(coefficients, inside):
    expected = np.polynomial.Polynomial(coefficients[:6], domain=[0, 10], window=[-1, 1])
    at = np.array(inside)
    found = lagrange(TIMES, expected(TIMES)[:, np.newaxis], at, 6)
    np.testing.assert_allclose(found[:, 0], expected(at), atol=1e-9)


@given(coefficients, inside)
def test_hermite_returns_a_polynomial_of_its_degree_and_its_rate_exactly(coefficients, inside):
    expected = np.polynomial.Polynomial(coefficients, domain=[0, 10], window=[-1, 1])
    at = np.array(inside)
    values, rates = expected(TIMES)[:, np.newaxis], expected.deriv()(TIMES)[:, np.newaxis]
    value, rate = hermite(TIMES, values, rates, at, 4)
    np.testing.assert_allclose(value[:, 0], expected(at), atol=1e-8)
    np.testing.assert_allclose(rate[:, 0], expected.deriv()(at), atol=1e-7)


@pytest.mark.parametrize("at", [0.0, 2.5, 10.0])
def test_at_a_point_of_the_table_its_value_is_returned(at):
    values = np.sin(TIMES)[:, np.newaxis]
    assert lagrange(TIMES, values, np.array([at]), 4)[0, 0] == pytest.approx(np.sin(at))


def test_one_degree_is_a_straight_line():
    values = np.array([[0.0], [10.0], [0.0]])
    found = lagrange(np.array([0.0, 1.0, 2.0]), values, np.array([0.25, 1.75]), 2)
    np.testing.assert_allclose(found[:, 0], [2.5, 2.5])
