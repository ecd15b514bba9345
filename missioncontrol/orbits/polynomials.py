"""Between the nodes: polynomials over eight of them, and their roots.

A position sampled every 120 s is so smooth that the polynomial through eight
nodes is exact to a millimetre. All functions work on many polynomials at once:
coefficients have the shape (8, components, m), lowest power first, and the
variable is the time since the base node in steps, -1 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from missioncontrol.orbits.propagation import Integers
from missioncontrol.orbits.wgs84 import Floats

NODES: Final = 8
NODES_BEFORE: Final = 3  # the base node is the fourth of the eight
_POSITIONS: Final = np.arange(NODES, dtype=np.float64) - NODES_BEFORE
_FIT: Final = np.linalg.inv(np.vander(_POSITIONS, increasing=True))

_COLUMNS_AT_ONCE: Final = 400  # below what OpenBLAS gives to several threads

_TOLERANCE: Final = 1e-11  # steps: a nanosecond
_MOST_ITERATIONS: Final = 80

Booleans = NDArray[np.bool_]
Function = Callable[[Floats, Integers], tuple[Floats, Floats]]  # value, slope of a subset


def fit(
    position_km: Floats, rows: Integers, base: Integers, rotation: Floats, origin_km: Floats
) -> Floats:
    """Return polynomials of the position in a site's own axes.

    Args:
        position_km: Node positions, shape (spacecraft, nodes, 3).
        rows: Spacecraft of each polynomial, shape (m,).
        base: Base node of each, shape (m,).
        rotation: Into the wanted axes, shape (3, 3).
        origin_km: Point to measure from, in the frame of the positions, (3,).

    Returns:
        Coefficients in kilometres, shape (8, 3, m).
    """
    flat = position_km.reshape(len(position_km), -1)
    windows = sliding_window_view(flat, 3 * NODES, axis=1)
    samples = windows[rows, 3 * (base - NODES_BEFORE)]  # (m, 24), node by node
    coefficients = _multiply(np.kron(_FIT, rotation), samples).reshape(NODES, 3, len(rows))
    coefficients[0] -= (rotation @ origin_km)[:, np.newaxis]
    return coefficients


def _multiply(matrix: Floats, samples: Floats) -> Floats:
    """Return ``matrix @ samples.T``, a few columns at a time.

    The BLAS behind NumPy shares a larger product among threads, and then waits
    for them: on a machine with other work to do that takes ten times as long.
    """
    product = np.empty((len(matrix), len(samples)))
    for first in range(0, len(samples), _COLUMNS_AT_ONCE):
        part = slice(first, first + _COLUMNS_AT_ONCE)
        product[:, part] = matrix @ samples[part].T
    return product


def value_at(coefficients: Floats, at: Floats) -> Floats:
    """Return the polynomials' values, shape (components, m)."""
    value = np.broadcast_to(coefficients[-1], coefficients.shape[1:])
    for power in range(len(coefficients) - 2, -1, -1):
        value = value * at + coefficients[power]
    return value


def derivatives_at(coefficients: Floats, at: Floats) -> tuple[Floats, Floats, Floats]:
    """Return value, first and second derivative by the step, each (components, m)."""
    value = np.array(coefficients[-1])
    first = np.zeros_like(value)
    half_second = np.zeros_like(value)
    for power in range(len(coefficients) - 2, -1, -1):
        half_second = half_second * at + first
        first = first * at + value
        value = value * at + coefficients[power]
    return value, first, 2.0 * half_second


def elevation_crossings(
    coefficients: Floats, sin_mask: float, low: Floats, high: Floats, rising: Booleans
) -> Floats:
    """Return where the elevation passes the mask, one crossing per polynomial.

    Solves ``up - sin(mask) * range = 0`` by Newton's method, kept within its
    bracket, to convergence.

    Args:
        coefficients: East, north, up in kilometres, shape (8, 3, m).
        sin_mask: Sine of the elevation mask.
        low: Lower end of each bracket, in steps, shape (m,).
        high: Upper end.
        rising: Whether the elevation rises through the mask, shape (m,).
    """

    def clearance(at: Floats, subset: Integers) -> tuple[Floats, Floats]:
        position, velocity, _ = derivatives_at(coefficients[:, :, subset], at)
        distance = np.sqrt((position**2).sum(axis=0))
        slope = velocity[2] - sin_mask * (position * velocity).sum(axis=0) / distance
        sign = np.where(rising[subset], 1.0, -1.0)
        return sign * (position[2] - sin_mask * distance), sign * slope

    return rising_roots(clearance, low, high)


def culminations(coefficients: Floats, low: Floats, high: Floats, *, highest: Booleans) -> Floats:
    """Return where the elevation is highest (or lowest) within each bracket.

    There the derivative of ``up / range`` is zero.
    """

    def descent(at: Floats, subset: Integers) -> tuple[Floats, Floats]:
        position, velocity, acceleration = derivatives_at(coefficients[:, :, subset], at)
        range2 = (position**2).sum(axis=0)
        closing = (position * velocity).sum(axis=0)
        closing_slope = (velocity**2 + position * acceleration).sum(axis=0)
        up, up_slope, up_curve = position[2], velocity[2], acceleration[2]
        value = up_slope * range2 - up * closing
        slope = up_curve * range2 + up_slope * closing - up * closing_slope
        sign = np.where(highest[subset], -1.0, 1.0)
        return sign * value, sign * slope

    return rising_roots(descent, low, high)


def rising_roots(function: Function, low: Floats, high: Floats) -> Floats:
    """Return the root of each function that is negative at *low*, positive at *high*.

    Newton's method inside a shrinking bracket; a step that leaves the bracket,
    and every step after the twelfth, halves it instead, so it always ends.
    """
    low, high = low.copy(), high.copy()
    root = 0.5 * (low + high)
    active = np.arange(len(root))
    for iteration in range(_MOST_ITERATIONS):
        if len(active) == 0:
            break
        at = root[active]
        value, slope = function(at, active)
        low[active] = np.where(value < 0.0, at, low[active])
        high[active] = np.where(value < 0.0, high[active], at)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = at - value / slope
        middle = 0.5 * (low[active] + high[active])
        newton = (step >= low[active]) & (step <= high[active]) & (iteration < 12)
        root[active] = np.where(newton, step, middle)
        active = active[np.abs(root[active] - at) > _TOLERANCE]
    return root
