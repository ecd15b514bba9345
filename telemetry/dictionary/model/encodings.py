"""How the octets of one value are laid out.

Source: OMG XTCE 1.2, IntegerDataEncodingType and its siblings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telemetry.dictionary.model.criteria import IntegerValue


class IntegerForm(StrEnum):
    UNSIGNED = "unsigned"
    TWOS_COMPLEMENT = "twosComplement"
    ONES_COMPLEMENT = "onesComplement"
    SIGN_MAGNITUDE = "signMagnitude"


class FloatForm(StrEnum):
    IEEE754 = "IEEE754"
    MIL_STD_1750A = "MILSTD_1750A"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerEncoding:
    """A whole number.

    Attributes:
        size_bits: From 1.
        form: How negative numbers are written.
        byte_order: The significance of each octet in the order sent, 0 the least;
            empty: the most significant first.
    """

    size_bits: int
    form: IntegerForm = IntegerForm.UNSIGNED
    byte_order: tuple[int, ...] = ()

    @property
    def signed(self) -> bool:
        return self.form is not IntegerForm.UNSIGNED


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatEncoding:
    """A real number: IEEE 754 of 16, 32 or 64 bits, MIL-STD-1750A of 32 or 48."""

    size_bits: int
    form: FloatForm = FloatForm.IEEE754
    byte_order: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StringEncoding:
    """A text in a field of whole octets.

    Attributes:
        size_bits: Of the field.
        charset: As Python calls it.
        terminator: The text ends before it; ``None``: it fills the field.
        leading_size_bits: Bits at the beginning of the field that hold the size of the
            text in bits; 0: none do.
    """

    size_bits: IntegerValue
    charset: str = "UTF-8"
    terminator: bytes | None = None
    leading_size_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryEncoding:
    size_bits: IntegerValue  # whole octets


Encoding = IntegerEncoding | FloatEncoding | StringEncoding | BinaryEncoding


def least_significant_first(size_bits: int) -> tuple[int, ...]:
    """Return the byte order of a field whose least significant octet comes first."""
    return tuple(range(size_bits // 8))
