"""The programs that the payload runs: octets in, octets out. Pure.

The layouts of inputs and outputs are a contract with the members, who prepare and
read them.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import rfc8785

MAX_OUTPUT_OCTETS: Final = 16 << 20

_SHAPE: Final = struct.Struct(">3H")
_FLOAT: Final = np.dtype(">f4")
_HISTOGRAM_BINS: Final = 16
_PGM: Final = re.compile(
    rb"P5(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})"
    rb"(?:\s|#[^\n]*\n)+(\d{1,9})\s"
)


class ProgramError(ValueError):
    """The input is not what the program takes; the text says what is wrong."""


def run_program(program: str, octets: bytes) -> bytes:
    """Return the output of *program* over the input *octets*.

    Raises:
        ProgramError: No such program, or an input that it cannot take.
    """
    if program not in PROGRAMS:
        raise ProgramError(f"no program {program!r}; there are {', '.join(PROGRAMS)}")
    return PROGRAMS[program](octets)


def matrix_product(octets: bytes) -> bytes:
    """Return A B, row by row: computed in double precision, rounded once to float32.

    Args:
        octets: n, k, m (u16 each), A (n x k) and B (k x m), float32; all big-endian.

    Raises:
        ProgramError: The length does not fit the shape, or the product is too long.
    """
    if len(octets) < _SHAPE.size:
        raise ProgramError(f"{len(octets)} octets; the shape alone has {_SHAPE.size}")
    rows, inner, columns = _SHAPE.unpack_from(octets)
    expected = _SHAPE.size + _FLOAT.itemsize * inner * (rows + columns)
    if len(octets) != expected:
        raise ProgramError(
            f"{len(octets)} octets; matrices of {rows} x {inner} and {inner} x {columns} "
            f"make {expected}"
        )
    if rows * columns * _FLOAT.itemsize > MAX_OUTPUT_OCTETS:
        raise ProgramError(
            f"a product of {rows} x {columns} has {rows * columns * _FLOAT.itemsize} octets; "
            f"the limit is {MAX_OUTPUT_OCTETS}"
        )
    values = np.frombuffer(octets, dtype=_FLOAT, offset=_SHAPE.size).astype(np.float64)
    left = values[: rows * inner].reshape(rows, inner)
    right = values[rows * inner :].reshape(inner, columns)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities are lawful values
        return (left @ right).astype(_FLOAT).tobytes()


def sha256(octets: bytes) -> bytes:
    """Return the SHA-256 digest of the input, 32 octets."""
    return hashlib.sha256(octets).digest()


def image_statistics(octets: bytes) -> bytes:
    """Return width, height, min, max, mean, std and a histogram as canonical JSON.

    The histogram has 16 bins of 16 grey levels each, whatever the maximum value;
    the standard deviation is that of the population.

    Args:
        octets: A binary PGM (P5) of at most 255 grey levels above black.

    Raises:
        ProgramError: Not such an image, or not of the length that its header says.
    """
    header = _PGM.match(octets)
    if header is None:
        raise ProgramError("no binary PGM: it does not begin with P5, width, height, maximum")
    width, height, maximum = (int(group) for group in header.groups())
    if not 1 <= maximum <= 255 or width * height == 0:
        raise ProgramError(
            f"an image of {width} x {height} with maximum {maximum}; at least one pixel "
            "and a maximum of 1 to 255 are needed"
        )
    pixels = np.frombuffer(octets, dtype=np.uint8, offset=header.end())
    if len(pixels) != width * height:
        raise ProgramError(f"{len(pixels)} pixels; {width} x {height} make {width * height}")
    bins = np.bincount(pixels // (256 // _HISTOGRAM_BINS), minlength=_HISTOGRAM_BINS)
    return rfc8785.dumps(
        {
            "width": width,
            "height": height,
            "min": int(pixels.min()),
            "max": int(pixels.max()),
            "mean": float(pixels.mean()),
            "std": float(pixels.std()),
            "histogram": [int(count) for count in bins],
        }
    )


PROGRAMS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "MATRIX_PRODUCT": matrix_product,
    "SHA256": sha256,
    "IMAGE_STATISTICS": image_statistics,
}
