"""Reed-Solomon codes (255,223) and (255,239), on many codewords at once.

Pure. A codeword that arrived whole is recognised by looking its symbols up in a table of
check symbols, which is all that most of them ever need; the others are corrected, up to
16 (or 8) symbols each, or reported as beyond that.

Source: CCSDS 131.0-B-5 section 4 (Reed-Solomon coding), 4.3.5 (interleaving), 4.3.7
(virtual fill), 4.3.9 (dual basis).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.galois_field import (
    FROM_DUAL_BASIS,
    ORDER,
    TO_DUAL_BASIS,
    Symbols,
    divide,
    multiply,
    power,
)

SYMBOLS: Final = 255  # of a codeword without virtual fill
MAX_INTERLEAVE: Final = 8
UNCORRECTABLE: Final = -1
_GENERATOR_STEP: Final = 11  # the code's roots are powers of alpha ** 11
_CHECKED_AT_ONCE: Final = 4096  # codewords; more do not fit the processor's cache
_CORRECTED_AT_ONCE: Final = 512

Counts = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReedSolomonCode:
    """What a mission fixes of the code (managed parameters).

    Attributes:
        correctable_symbols: E, 16 or 8: symbols that can be corrected in a codeword.
        interleave: I, codewords in a codeblock, 1 to 8.
        virtual_fill: Q, symbols of each codeword that are zero and not sent.
        dual_basis: Symbols are sent in Berlekamp's representation, as the standard has
            it; ``False``: in the conventional one.
    """

    correctable_symbols: int = 16
    interleave: int = 1
    virtual_fill: int = 0
    dual_basis: bool = True

    def __post_init__(self) -> None:
        if self.correctable_symbols not in {8, 16}:
            raise ValueError(f"{self.correctable_symbols} correctable symbols; it is 8 or 16")
        if not 1 <= self.interleave <= MAX_INTERLEAVE:
            raise ValueError(
                f"interleave depth {self.interleave} is outside 1 to {MAX_INTERLEAVE}"
            )
        if not 0 <= self.virtual_fill < self.data_symbols + self.virtual_fill:
            raise ValueError(
                f"virtual fill of {self.virtual_fill} symbols is outside 0 to"
                f" {SYMBOLS - self.check_symbols - 1}"
            )

    @property
    def check_symbols(self) -> int:
        return 2 * self.correctable_symbols

    @property
    def data_symbols(self) -> int:
        """Data symbols that are sent in a codeword."""
        return SYMBOLS - self.check_symbols - self.virtual_fill

    @property
    def frame_octets(self) -> int:
        return self.interleave * self.data_symbols

    @property
    def codeblock_octets(self) -> int:
        return self.interleave * (self.data_symbols + self.check_symbols)


@dataclass(frozen=True, slots=True)
class DecodedFrames:
    """Frames out of codeblocks.

    Attributes:
        frames: The data of each, corrected where that was possible, shape (n, octets).
        corrected: Symbols corrected in each; ``UNCORRECTABLE`` where a codeword had more
            errors than the code corrects: its data are as they were received.
    """

    frames: Symbols
    corrected: Counts

    @property
    def is_good(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.corrected != UNCORRECTABLE)


def encode_codeblocks(frames: Symbols, code: ReedSolomonCode) -> Symbols:
    """Return the codeblocks of frames, shape (n, ``codeblock_octets``).

    Args:
        frames: Shape (n, ``frame_octets``).
        code: Of the channel.

    Raises:
        ValueError: The frames have another length.
    """
    _check_width(frames, code.frame_octets, "frames")
    data = _deinterleaved(frames, code)
    words = np.concatenate([data, _check_symbols(data, code)], axis=1)
    return _interleaved(words, code)


def decode_codeblocks(codeblocks: Symbols, code: ReedSolomonCode) -> DecodedFrames:
    """Return the frames in codeblocks, corrected.

    Args:
        codeblocks: As received, without sync marker and derandomised, shape
            (n, ``codeblock_octets``).
        code: Of the channel.

    Raises:
        ValueError: The codeblocks have another length.
    """
    _check_width(codeblocks, code.codeblock_octets, "codeblocks")
    words = _deinterleaved(codeblocks, code)
    data = np.ascontiguousarray(words[:, : code.data_symbols])
    remainders = _check_symbols(data, code) ^ words[:, code.data_symbols :]
    dirty = np.flatnonzero(remainders.any(axis=1))
    counts = np.zeros(len(words), dtype=np.int16)
    for begin in range(0, len(dirty), _CORRECTED_AT_ONCE):
        chosen = dirty[begin : begin + _CORRECTED_AT_ONCE]
        data[chosen], counts[chosen] = _correct(data[chosen], remainders[chosen], code)
    by_block = counts.reshape(-1, code.interleave)
    hopeless = (by_block == UNCORRECTABLE).any(axis=1)
    corrected = np.where(hopeless, UNCORRECTABLE, by_block.sum(axis=1)).astype(np.int16)
    return DecodedFrames(frames=_interleaved(data, code), corrected=corrected)


def _check_width(octets: Symbols, wanted: int, what: str) -> None:
    if octets.ndim != 2 or octets.shape[1] != wanted:
        raise ValueError(f"{what} of shape {octets.shape}; this code's have {wanted} octets")


def _deinterleaved(blocks: Symbols, code: ReedSolomonCode) -> Symbols:
    """Return codewords (or their data), one a row; octet i belongs to codeword i mod I."""
    symbols = blocks.shape[1] // code.interleave
    words = blocks.reshape(-1, symbols, code.interleave).transpose(0, 2, 1)
    return words.reshape(-1, symbols)


def _interleaved(words: Symbols, code: ReedSolomonCode) -> Symbols:
    symbols = words.shape[1]
    blocks = words.reshape(-1, code.interleave, symbols).transpose(0, 2, 1)
    return blocks.reshape(-1, symbols * code.interleave)


def _check_symbols(data: Symbols, code: ReedSolomonCode) -> Symbols:
    """Return the check symbols of data, one codeword a row, in the code's representation.

    The code is linear: what each data symbol contributes is looked up as one group of 16
    or 32 octets, and the groups are added.
    """
    table = _contributions(code.check_symbols, code.dual_basis)
    words_of = code.check_symbols // 8  # 64-bit words of a group
    result = np.zeros((len(data), words_of), dtype=np.uint64)
    for begin in range(0, len(data), _CHECKED_AT_ONCE):
        columns = np.ascontiguousarray(data[begin : begin + _CHECKED_AT_ONCE].T).astype(np.intp)
        total = result[begin : begin + _CHECKED_AT_ONCE]
        group = np.empty_like(total)
        for place, column in enumerate(columns, start=code.virtual_fill):
            np.take(table[place], column, axis=0, out=group, mode="clip")
            total ^= group
    return result.view(np.uint8)


@lru_cache(maxsize=4)
def _contributions(check_symbols: int, dual_basis: bool) -> npt.NDArray[np.uint64]:
    """Return the check symbols of every value at every place of the data."""
    places = SYMBOLS - check_symbols
    remainder = _generator(check_symbols)[1:]  # of the last data symbol's power
    values = np.arange(256, dtype=np.uint8)
    symbols = FROM_DUAL_BASIS[values] if dual_basis else values
    table = np.empty((places, 256, check_symbols), dtype=np.uint8)
    for place in reversed(range(places)):
        products = multiply(symbols[:, None], remainder[None, :])
        table[place] = TO_DUAL_BASIS[products] if dual_basis else products
        remainder = _times_x(remainder, check_symbols)
    return table.view(np.uint64)


@lru_cache(maxsize=2)
def _generator(check_symbols: int) -> Symbols:
    """Return the generator polynomial, highest power first (section 4.3.4)."""
    polynomial = np.ones(1, dtype=np.uint8)
    for root in _roots(check_symbols):
        longer = np.concatenate([polynomial, np.zeros(1, dtype=np.uint8)])
        longer[1:] ^= multiply(polynomial, np.full_like(polynomial, root))
        polynomial = longer
    return polynomial


def _roots(check_symbols: int) -> Symbols:
    first = 128 - check_symbols // 2
    return power(_GENERATOR_STEP * np.arange(first, first + check_symbols))


def _times_x(remainder: Symbols, check_symbols: int) -> Symbols:
    """Return the remainder, modulo the generator polynomial, of a remainder times x."""
    shifted = np.concatenate([remainder[1:], np.zeros(1, dtype=np.uint8)])
    carry = np.full(check_symbols, remainder[0])
    return shifted ^ multiply(_generator(check_symbols)[1:], carry)


def _correct(data: Symbols, remainders: Symbols, code: ReedSolomonCode) -> tuple[Symbols, Counts]:
    """Return corrected data of dirty codewords and how many symbols were wrong."""
    rest = FROM_DUAL_BASIS[remainders] if code.dual_basis else remainders
    syndromes = _evaluate(rest[:, ::-1], _roots(code.check_symbols))
    locators, degrees = _berlekamp_massey(syndromes)
    errors, found = _error_values(syndromes, locators, code)
    fixable = (found == degrees) & (degrees <= code.correctable_symbols)
    # No symbol of the virtual fill can be wrong: it was never sent.
    fixable &= ~errors[:, : code.virtual_fill].any(axis=1)
    errors[~fixable] = 0
    sent = errors[:, code.virtual_fill :]
    if code.dual_basis:
        sent = TO_DUAL_BASIS[sent]
    counts = np.where(fixable, degrees, UNCORRECTABLE).astype(np.int16)
    return data ^ sent[:, : data.shape[1]], counts


def _evaluate(polynomials: Symbols, points: Symbols) -> Symbols:
    """Return each polynomial, lowest power first, at each point: shape (n, points)."""
    result = np.zeros((len(polynomials), len(points)), dtype=np.uint8)
    for coefficient in polynomials.T[::-1]:  # Horner's rule
        result = multiply(result, points[None, :]) ^ coefficient[:, None]
    return result


def _berlekamp_massey(syndromes: Symbols) -> tuple[Symbols, npt.NDArray[np.int64]]:
    """Return error locator polynomials, lowest power first, and how many errors they say.

    The Berlekamp-Massey algorithm, step by step for all codewords at once.
    """
    count, steps = syndromes.shape
    locator = np.zeros((count, steps + 1), dtype=np.uint8)
    locator[:, 0] = 1
    previous = locator.copy()
    degrees = np.zeros(count, dtype=np.int64)
    scale = np.ones(count, dtype=np.uint8)
    for step in range(steps):
        window = syndromes[:, step::-1]
        discrepancy = np.bitwise_xor.reduce(multiply(locator[:, : step + 1], window), axis=1)
        previous = np.concatenate(
            [np.zeros((count, 1), dtype=np.uint8), previous[:, :-1]], axis=1
        )  # times x
        factor = divide(discrepancy, scale)
        longer = (discrepancy != 0) & (2 * degrees <= step)
        corrected = locator ^ multiply(factor[:, None], previous)
        previous[longer] = locator[longer]
        scale[longer] = discrepancy[longer]
        degrees[longer] = step + 1 - degrees[longer]
        locator = corrected
    return locator, degrees


def _error_values(
    syndromes: Symbols, locators: Symbols, code: ReedSolomonCode
) -> tuple[Symbols, npt.NDArray[np.int64]]:
    """Return the error at every symbol of the codewords, and how many there are.

    Chien's search at all 255 places of all codewords at once; Forney's formula for each
    error that it found.
    """
    steps = syndromes.shape[1]
    places = np.arange(SYMBOLS)[::-1]  # the power of x at each symbol, first sent first
    inverses = power(-_GENERATOR_STEP * places)
    reach = code.correctable_symbols + 1
    is_wrong = _evaluate(locators[:, :reach], inverses) == 0
    # The evaluator: syndromes times locator, below x ** 2E.
    evaluator = np.zeros_like(syndromes)
    for shift in range(reach):
        product = multiply(locators[:, shift, None], syndromes[:, : steps - shift])
        evaluator[:, shift:] ^= product
    derivative = locators[:, 1:reach].copy()
    derivative[:, 1::2] = 0  # in this field the even powers' derivatives vanish
    words, symbols = np.nonzero(is_wrong)
    at = inverses[symbols]
    quotients = divide(_evaluate_each(evaluator[words], at), _evaluate_each(derivative[words], at))
    first = 128 - code.correctable_symbols
    errors = np.zeros(is_wrong.shape, dtype=np.uint8)
    errors[words, symbols] = multiply(
        quotients, power(_GENERATOR_STEP * places[symbols] * (1 - first))
    )
    return errors, is_wrong.sum(axis=1)


def _evaluate_each(polynomials: Symbols, points: Symbols) -> Symbols:
    """Return each polynomial, lowest power first, at its own point."""
    result = np.zeros(len(points), dtype=np.uint8)
    for coefficient in polynomials.T[::-1]:
        result = multiply(result, points) ^ coefficient
    return result


assert ORDER == SYMBOLS  # one symbol for each element but zero
