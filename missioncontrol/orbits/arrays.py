"""The three kinds of arrays that this package computes with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def dot(a: Floats, b: Floats) -> Floats:
    """Return the products of vectors that stand in columns, shapes (3, m)."""
    product: Floats = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product
