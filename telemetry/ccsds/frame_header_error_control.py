"""The frame header error control of AOS frames: it mends what a lost header would cost.

Pure. A Reed-Solomon code (10,6) over the field of 16 elements protects master channel
identifier, virtual channel and signalling field; up to two of its ten symbols of four
bits are corrected. Source: CCSDS 732.0-B-5 section 4.1.2.6.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

FHEC_OCTETS: Final = 2
_SYMBOLS: Final = 10
_CHECK_SYMBOLS: Final = 4
_FIRST_ROOT: Final = 6  # g(x) = (x + a^6)(x + a^7)(x + a^8)(x + a^9)
_ORDER: Final = 15


def _powers() -> list[int]:
    powers, value = [], 1
    for _ in range(2 * _ORDER):
        powers.append(value)
        value = value << 1 ^ (0x13 if value & 8 else 0)  # x^4 + x + 1
    return powers


_POWERS: Final = _powers()


def header_check_symbols(protected: bytes) -> bytes:
    """Return the two octets for the three that they protect.

    Args:
        protected: Octets 0, 1 and 5 of the primary header.
    """
    # The code is systematic: of all check symbols one pair leaves no syndrome.
    syndromes = _syndromes(_symbols(protected + b"\0\0"))
    checks = _check_symbols_by_syndromes()[syndromes]
    return bytes([checks[0] << 4 | checks[1], checks[2] << 4 | checks[3]])


def corrected_header(protected: bytes, check: bytes) -> bytes | None:
    """Return the three protected octets, corrected; ``None`` where that is impossible."""
    symbols = _symbols(protected + check)
    errors = _errors_by_syndromes().get(_syndromes(symbols))
    if errors is None:
        return None
    for place, value in errors:
        symbols[place] ^= value
    return bytes(symbols[i] << 4 | symbols[i + 1] for i in (0, 2, 4))


def _symbols(octets: bytes) -> list[int]:
    return [half for octet in octets for half in (octet >> 4, octet & 15)]


def _syndromes(symbols: list[int]) -> tuple[int, ...]:
    syndromes = [0] * _CHECK_SYMBOLS
    for place, symbol in enumerate(symbols):
        for index, contribution in enumerate(_contribution(place, symbol)):
            syndromes[index] ^= contribution
    return tuple(syndromes)


@lru_cache(maxsize=_SYMBOLS * 16)
def _contribution(place: int, symbol: int) -> tuple[int, ...]:
    """Return what a symbol at a place adds to each syndrome."""
    if not symbol:
        return (0,) * _CHECK_SYMBOLS
    exponent = _SYMBOLS - 1 - place
    start = _POWERS.index(symbol)
    return tuple(
        _POWERS[(start + (_FIRST_ROOT + root) * exponent) % _ORDER]
        for root in range(_CHECK_SYMBOLS)
    )


@lru_cache(maxsize=1)
def _errors_by_syndromes() -> dict[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Return every pattern of at most two wrong symbols, by its syndromes."""
    single = [(place, value) for place in range(_SYMBOLS) for value in range(1, 16)]
    patterns: list[tuple[tuple[int, int], ...]] = [(), *((error,) for error in single)]
    patterns += [(a, b) for a in single for b in single if a[0] < b[0]]
    table = {}
    for pattern in patterns:
        symbols = [0] * _SYMBOLS
        for place, value in pattern:
            symbols[place] = value
        table[_syndromes(symbols)] = pattern
    return table


@lru_cache(maxsize=1)
def _check_symbols_by_syndromes() -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return, by the syndromes of a header without them, the check symbols that clear it."""
    table = {}
    for word in range(1 << 4 * _CHECK_SYMBOLS):
        checks = tuple(word >> shift & 15 for shift in (12, 8, 4, 0))
        table[_syndromes([0] * (_SYMBOLS - _CHECK_SYMBOLS) + list(checks))] = checks
    return table
