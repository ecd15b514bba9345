"""The BCH (63,56) code of telecommand, modified: inverted parity and a fill bit.

Pure. A code block is 7 octets of information and one octet that holds the
complement of 7 parity bits, then a fill bit of 0. The parity of a block is the
exclusive-or of one table entry for each octet, so no bit is ever shifted.

Source: CCSDS 231.0-B-4 section 3; g(x) = x^7 + x^6 + x^2 + 1.
"""

from __future__ import annotations

from typing import Final

INFORMATION_OCTETS: Final = 7
CODE_BLOCK_OCTETS: Final = 8

_GENERATOR: Final = 0b1100_0101  # g(x), the coefficient of x^7 first
_PARITY_MASK: Final = 0x7F


class UncorrectableBlockError(ValueError):
    """More than one bit of the code block is wrong, or it is a tail sequence."""


def encode_block(information: bytes) -> bytes:
    """Return the 8 octets of the code block for 7 octets of information.

    Raises:
        ValueError: *information* has not 7 octets.
    """
    if len(information) != INFORMATION_OCTETS:
        raise ValueError(
            f"a code block takes {INFORMATION_OCTETS} octets, {len(information)} were given"
        )
    return information + bytes([(_parity(information) ^ _PARITY_MASK) << 1])


def decode_block(block: bytes) -> tuple[bytes, int]:
    """Return the 7 octets of information and how many bits were corrected, 0 or 1.

    The fill bit is not protected by the code, and is not looked at.

    Raises:
        UncorrectableBlockError: The block is no single bit away from a code word.
        ValueError: *block* has not 8 octets.
    """
    if len(block) != CODE_BLOCK_OCTETS:
        raise ValueError(f"a code block has {CODE_BLOCK_OCTETS} octets, {len(block)} were given")
    information = block[:INFORMATION_OCTETS]
    syndrome = _parity(information) ^ block[INFORMATION_OCTETS] >> 1 ^ _PARITY_MASK
    if not syndrome:
        return information, 0
    wrong_bit = _WRONG_BIT_OF_SYNDROME.get(syndrome)
    if wrong_bit is None:
        raise UncorrectableBlockError(
            f"code block {block.hex()} has more than one wrong bit (syndrome {syndrome:02x})"
        )
    return (int.from_bytes(information, "big") ^ wrong_bit).to_bytes(INFORMATION_OCTETS, "big"), 1


def _parity(information: bytes) -> int:
    a, b, c, d, e, f, g = information
    return (
        _TABLES[0][a]
        ^ _TABLES[1][b]
        ^ _TABLES[2][c]
        ^ _TABLES[3][d]
        ^ _TABLES[4][e]
        ^ _TABLES[5][f]
        ^ _TABLES[6][g]
    )


def _remainder(polynomial: int) -> int:
    """Return the remainder of *polynomial* x^7 divided by g(x)."""
    polynomial <<= 7
    while polynomial.bit_length() > 7:
        polynomial ^= _GENERATOR << (polynomial.bit_length() - _GENERATOR.bit_length())
    return polynomial


# One table for each octet's place in the block, first octet first.
_TABLES: Final = tuple(
    tuple(_remainder(octet << 8 * (INFORMATION_OCTETS - 1 - place)) for octet in range(256))
    for place in range(INFORMATION_OCTETS)
)
# Which information bit to turn for a syndrome; none where a parity bit is the wrong one.
_WRONG_BIT_OF_SYNDROME: Final = {_remainder(1 << bit): 1 << bit for bit in range(56)} | {
    1 << bit: 0 for bit in range(7)
}
