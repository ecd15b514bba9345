"""Between the nodes: polynomials through sixteen of them, and their roots.

A position sampled every few minutes is smooth: the polynomial through the
eight nodes on either side of an interval is exact to a centimetre in it. Within
the interval alone that polynomial of degree 15 is hardly curved, so it is
replaced by one of degree 6 that agrees with it at the seven Chebyshev points.
Both steps are one matrix, the same for every interval.

All functions work on many polynomials at once. Coefficients have the shape
(7, components, m), lowest power first; the variable is the place in the
interval, -1/2 to 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Floats, Integers

NODES: Final = 16
NODES_BEFORE: Final = 7  # the interval begins at the eighth of the sixteen
COEFFICIENTS: Final = 7
CHEBYSHEV_PLACES: Final = 0.5 * np.cos(np.pi * (np.arange(COEFFICIENTS) + 0.5) / COEFFICIENTS)
# From values at those places to coefficients.
FROM_CHEBYSHEV_VALUES: Final = np.linalg.inv(np.vander(CHEBYSHEV_PLACES, increasing=True))

AT_ONCE: Final = 8192  # polynomials whose numbers stay in the processor's cache
_COLUMNS_AT_ONCE: Final = 2000  # below what OpenBLAS gives to several threads
_TOLERANCE: Final = 1e-9  # steps: Newton's next would be nothing, and halving is rare
_MOST_ITERATIONS: Final = 80

Function = Callable[[Floats, Integers], tuple[Floats, Floats]]  # value, slope of a subset


def _interpolation() -> Floats:
    """Return the matrix from sixteen samples to the seven coefficients."""
    nodes = np.arange(NODES) - NODES_BEFORE - 0.5
    weights = np.empty((COEFFICIENTS, NODES))
    for number, node in enumerate(nodes):  # Lagrange's basis at the Chebyshev points
        others = np.delete(nodes, number)
        weights[:, number] = np.prod(
            (CHEBYSHEV_PLACES[:, np.newaxis] - others) / (node - others), axis=1
        )
    return FROM_CHEBYSHEV_VALUES @ weights


_INTERPOLATION: Final = _interpolation()


def blocks(count: int) -> Iterator[slice]:
    """Cut *count* polynomials into blocks of ``AT_ONCE``."""
    return (slice(first, first + AT_ONCE) for first in range(0, count, AT_ONCE))


def fit(samples: Floats, row: Integers, interval: Integers) -> Floats:
    """Return polynomials through the nodes around intervals, shape (7, components, m).

    Args:
        samples: Node values, shape (rows, components, nodes).
        row: Row of each polynomial, shape (m,).
        interval: Number of the node its interval begins at; ``NODES_BEFORE``
            nodes stand before it and eight behind.
    """
    _, components, nodes = samples.shape
    flat = samples.reshape(-1)
    first = row * (components * nodes) + interval - NODES_BEFORE
    index = first + np.arange(NODES)[:, np.newaxis]
    coefficients = np.empty((COEFFICIENTS, components, len(row)))
    around = np.empty((NODES, len(row)))  # filled again and again: new memory costs more
    for component in range(components):
        flat[component * nodes :].take(index, out=around, mode="clip")
        # A larger product BLAS would share among threads, and then wait for them.
        for begin in range(0, len(row), _COLUMNS_AT_ONCE):
            part = slice(begin, begin + _COLUMNS_AT_ONCE)
            coefficients[:, component, part] = _INTERPOLATION @ around[:, part]
    return coefficients


def value_at(coefficients: Floats, at: Floats) -> Floats:
    """Return the polynomials' values, shape (components, m)."""
    value: Floats = coefficients[-1] * at
    for coefficient in coefficients[-2:0:-1]:
        value += coefficient
        value *= at
    value += coefficients[0]
    return value


def value_and_slope_at(coefficients: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Return value and first derivative by the place, each (components, m)."""
    slope = coefficients[-1].copy()
    value = coefficients[-1] * at + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        slope *= at
        slope += value
        value *= at
        value += coefficient
    return value, slope


def derivatives_at(coefficients: Floats, at: Floats) -> tuple[Floats, Floats, Floats]:
    """Return value, first and second derivative by the place, each (components, m)."""
    value = coefficients[-1].copy()
    first = np.zeros_like(value)
    half_second = np.zeros_like(value)
    for coefficient in coefficients[-2::-1]:
        half_second *= at
        half_second += first
        first *= at
        first += value
        value *= at
        value += coefficient
    return value, first, 2.0 * half_second


def ends_of(coefficients: Floats) -> tuple[Floats, Floats]:
    """Return the values at both ends of the interval, each (components, m)."""
    even, odd = coefficients[0].copy(), np.zeros_like(coefficients[0])
    for power in range(1, len(coefficients)):
        (odd if power % 2 else even)[...] += coefficients[power] * 0.5**power
    return even - odd, even + odd


def lowest_of_parabola(start: Floats, middle: Floats, end: Floats) -> Floats:
    """Return where parabolas through three values are lowest, or the lower end."""
    slope, bend = end - start, 2.0 * (start + end) - 4.0 * middle
    with np.errstate(divide="ignore", invalid="ignore"):
        place = -0.5 * slope / bend
    lower_end = np.where(slope > 0.0, -0.5, 0.5)
    return np.where((bend > 0.0) & (np.abs(place) <= 0.5), place, lower_end)


def rising_roots(
    function: Function, low: Floats, high: Floats, start: Floats | None = None
) -> Floats:
    """Return the root of each function that is negative at *low*, positive at *high*.

    Newton's method inside a shrinking bracket; a step that leaves the bracket,
    and every step after the twelfth, halves it instead, so it always ends.
    Where the function has one sign at both ends, that end is returned which is
    nearer to a root beyond it. It begins at *start*, else in the middle.
    """
    every = np.arange(len(low))
    beyond_low = function(low, every)[0] >= 0.0
    beyond_high = function(high, every)[0] <= 0.0
    root = 0.5 * (low + high) if start is None else start
    root = np.where(beyond_low, low, np.where(beyond_high, high, root))
    low, high = low.copy(), high.copy()
    [active] = np.nonzero(~(beyond_low | beyond_high))
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


def rising_roots_of(coefficients: Floats, low: Floats, high: Floats) -> Floats:
    """Return the roots of polynomials with one component, shape (7, m), in their brackets."""

    def polynomial(at: Floats, subset: Integers) -> tuple[Floats, Floats]:
        return value_and_slope_at(coefficients.take(subset, axis=1), at)

    return rising_roots(polynomial, low, high)
