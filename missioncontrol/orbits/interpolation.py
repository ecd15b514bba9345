"""Tables of values and times, interpolated by polynomials of the degree asked for."""

from __future__ import annotations

import numpy as np

from missioncontrol.orbits.arrays import Floats, Integers


def lagrange(times: Floats, values: Floats, at: Floats, points: int) -> Floats:
    """Return a table's values by the polynomial through the nearest points.

    Args:
        times: Increasing, shape (n,).
        values: Shape (n, k).
        at: Within the times, shape (m,).
        points: How many points each polynomial goes through: its degree plus one.
    """
    around = _around(times, at, points)
    places = times[around] - at[:, np.newaxis]
    interpolated, _ = _newton(places, _divided_differences(places, values[around], None))
    return interpolated


def hermite(
    times: Floats, values: Floats, rates: Floats, at: Floats, points: int
) -> tuple[Floats, Floats]:
    """Return values and rates by the polynomial that has both at the nearest points.

    Args:
        times: Increasing, shape (n,).
        values: Shape (n, k).
        rates: Derivatives of the values by time, shape (n, k).
        at: Within the times, shape (m,).
        points: How many points each polynomial meets: half its degree plus one.
    """
    around = _around(times, at, points)
    places = np.repeat(times[around] - at[:, np.newaxis], 2, axis=1)
    differences = _divided_differences(places, np.repeat(values[around], 2, axis=1), rates[around])
    return _newton(places, differences)


def _around(times: Floats, at: Floats, points: int) -> Integers:
    """Return the indices of the points to use, as central as the table allows: (m, points)."""
    first = np.searchsorted(times, at, side="right") - (points + 1) // 2
    first = np.clip(first, 0, len(times) - points)
    return first[:, np.newaxis] + np.arange(points)


def _divided_differences(places: Floats, values: Floats, rates: Floats | None) -> Floats:
    """Return Newton's coefficients, shape (m, q, k); of repeated places the rate counts."""
    table, count = values.copy(), places.shape[1]
    for order in range(1, count):
        gap = places[:, order:] - places[:, :-order]
        change = table[:, order:] - table[:, order - 1 : -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            column = change / gap[:, :, np.newaxis]
        if order == 1 and rates is not None:
            column[:, ::2] = rates
        table[:, order:] = column
    return table


def _newton(places: Floats, coefficients: Floats) -> tuple[Floats, Floats]:
    """Return the polynomials' values and derivatives at place zero, each (m, k)."""
    value = coefficients[:, -1].copy()
    slope = np.zeros_like(value)
    for order in range(places.shape[1] - 2, -1, -1):
        away = -places[:, order, np.newaxis]
        slope = slope * away + value
        value = value * away + coefficients[:, order]
    return value, slope
