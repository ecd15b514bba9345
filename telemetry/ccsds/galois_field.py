"""Arithmetic in the field of 256 elements of the Reed-Solomon code, on arrays.

Pure. Source: CCSDS 131.0-B-5 section 4.3 (field generator polynomial
x^8 + x^7 + x^2 + x + 1) and annex F (the dual basis).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Symbols = npt.NDArray[np.uint8]

ORDER: Final = 255  # of the multiplicative group
_POLYNOMIAL: Final = 0x187
# Rows of the matrix that takes a symbol, most significant bit first, to the dual basis.
_DUAL_ROWS: Final = (0x8D, 0xEF, 0xEC, 0x86, 0xFA, 0x99, 0xAF, 0x7B)


def _powers() -> Symbols:
    """Return alpha to the powers 0 to 509, so that no sum of logarithms is too large."""
    powers = np.zeros(2 * ORDER, dtype=np.uint8)
    value = 1
    for exponent in range(2 * ORDER):
        powers[exponent] = value
        value <<= 1
        if value & 0x100:
            value ^= _POLYNOMIAL
    return powers


POWERS: Final = _powers()
_LOGARITHMS: Final = np.zeros(256, dtype=np.int64)
_LOGARITHMS[POWERS[:ORDER]] = np.arange(ORDER)


def _products() -> Symbols:
    sums = _LOGARITHMS[:, None] + _LOGARITHMS[None, :]
    products: Symbols = POWERS[sums]
    products[0, :] = products[:, 0] = 0
    return products


_PRODUCTS: Final = _products().reshape(-1)
_INVERSES: Final = POWERS[(ORDER - _LOGARITHMS) % ORDER]


def multiply(left: Symbols, right: Symbols) -> Symbols:
    """Return products, element by element."""
    product: Symbols = _PRODUCTS.take((left.astype(np.uint16) << np.uint16(8)) | right)
    return product


def divide(left: Symbols, right: Symbols) -> Symbols:
    """Return quotients, element by element; what is divided by 0 comes out as *left*."""
    return multiply(left, _INVERSES[right])


def power(exponent: npt.NDArray[np.int64] | int) -> Symbols:
    """Return alpha to the power of *exponent*, which may be any whole number."""
    return np.asarray(POWERS[np.asarray(exponent) % ORDER])


def _to_dual() -> Symbols:
    values = np.arange(256)
    table = np.zeros(256, dtype=np.uint8)
    for place, row in enumerate(_DUAL_ROWS):
        table ^= np.where(values >> (7 - place) & 1, row, 0).astype(np.uint8)
    return table


# By value: the same symbol in the other representation.
TO_DUAL_BASIS: Final = _to_dual()
FROM_DUAL_BASIS: Final = np.argsort(TO_DUAL_BASIS).astype(np.uint8)
