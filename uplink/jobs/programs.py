"""The programs that can run on board, and what input each takes. Pure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import StrEnum
from typing import Final

MAX_INPUT_OCTETS: Final = 4 << 20  # about one pass of the forward link
MAX_OUTPUT_OCTETS: Final = 16 << 20  # what the programs on board make at most
_SHAPE: Final = struct.Struct(">HHH")
_FLOAT_OCTETS: Final = 4
_NUMBER_DIGITS: Final = 9  # of a width or height


class ProgramInputError(ValueError):
    """The input is not what the program takes; the text says what it takes."""


class Program(StrEnum):
    """Names as the telecommand RUN_JOB spells them."""

    MATRIX_PRODUCT = "MATRIX_PRODUCT"
    SHA256 = "SHA256"
    IMAGE_STATISTICS = "IMAGE_STATISTICS"

    @property
    def description(self) -> str:
        """What it computes, from what, in one sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS: Final = {
    Program.MATRIX_PRODUCT: (
        "Product of two matrices: three uint16 n, k, m, then n x k and k x m float32, big-endian; "
        "gives n x m float32."
    ),
    Program.SHA256: "SHA-256 digest of any octets; gives 32 octets.",
    Program.IMAGE_STATISTICS: (
        "Statistics of a grey image (binary PGM, P5, 8 bits a pixel); gives JSON."
    ),
}


def check_input(program: Program, octets: bytes) -> None:
    """Refuse an input that would only fail on board.

    Raises:
        ProgramInputError: what is wrong, and what the program takes.
    """
    if not octets:
        raise ProgramInputError(f"The input of {program} is empty. {program.description}")
    if len(octets) > MAX_INPUT_OCTETS:
        raise ProgramInputError(
            f"The input has {len(octets)} octets; the limit is {MAX_INPUT_OCTETS}, "
            "about what one pass can carry. Split the job."
        )
    _CHECKS[program](octets)


def _check_matrices(octets: bytes) -> None:
    if len(octets) < _SHAPE.size:
        raise ProgramInputError(
            f"{len(octets)} octets hold no shape. {Program.MATRIX_PRODUCT.description}"
        )
    rows, inner, columns = _SHAPE.unpack_from(octets)
    expected = _SHAPE.size + _FLOAT_OCTETS * (rows * inner + inner * columns)
    if 0 in (rows, inner, columns) or len(octets) != expected:
        raise ProgramInputError(
            f"The shape says n={rows}, k={inner}, m={columns}, which takes {expected} octets; "
            f"the input has {len(octets)}. {Program.MATRIX_PRODUCT.description}"
        )
    product = _FLOAT_OCTETS * rows * columns
    if product > MAX_OUTPUT_OCTETS:
        raise ProgramInputError(
            f"The product of {rows} x {columns} would have {product} octets; "
            f"the limit is {MAX_OUTPUT_OCTETS}. Split the job."
        )


def _check_image(octets: bytes) -> None:
    width, height, offset = _pgm_header(octets)
    if len(octets) - offset != width * height:
        raise ProgramInputError(
            f"A PGM image of {width} x {height} takes {width * height} octets of pixels; "
            f"{max(len(octets) - offset, 0)} follow its header."
        )


def _pgm_header(octets: bytes) -> tuple[int, int, int]:
    """Return width, height and where the pixels begin."""
    fields: list[bytes] = []
    offset = 0
    while len(fields) < 4:
        while offset < len(octets) and octets[offset : offset + 1].isspace():
            offset += 1
        if octets[offset : offset + 1] == b"#":
            offset = octets.find(b"\n", offset) + 1 or len(octets)
            continue
        begin = offset
        while offset < len(octets) and not octets[offset : offset + 1].isspace():
            offset += 1
        if begin == offset:
            raise ProgramInputError(f"No PGM header. {Program.IMAGE_STATISTICS.description}")
        fields.append(octets[begin:offset])
    magic, *numbers = fields
    if magic != b"P5" or not all(n.isdigit() and len(n) <= _NUMBER_DIGITS for n in numbers):
        raise ProgramInputError(
            f"The image begins with {magic[:8]!r}, not with P5 and three numbers. "
            f"{Program.IMAGE_STATISTICS.description}"
        )
    width, height, brightest = (int(number) for number in numbers)
    if not (width and height and 0 < brightest < 256):
        raise ProgramInputError(
            f"An image of {width} x {height} with values up to {brightest}; "
            "at least one pixel and values up to 255 are taken."
        )
    return width, height, offset + 1


_CHECKS: Final[dict[Program, Callable[[bytes], None]]] = {
    Program.MATRIX_PRODUCT: _check_matrices,
    Program.SHA256: lambda _octets: None,
    Program.IMAGE_STATISTICS: _check_image,
}
