"""Fields of many packets at once: octets in, NumPy columns out.

The fields of a block are read through one record type over rows of octets: each field
is a window of 1, 2, 4 or 8 octets that is converted, shifted and masked as a whole
column. The loops run over fields, never over packets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.model import (
    BinaryEncoding,
    Encoding,
    FloatEncoding,
    FloatForm,
    IntegerEncoding,
    IntegerForm,
    ParameterType,
    StringEncoding,
)

Column = npt.NDArray[Any]
Octets = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

# Rows are read a little beyond their last field, to keep to windows that the machine has.
SPARE_OCTETS: Final = 16
_WORD_BITS: Final = 64
_WINDOWS: Final = (1, 2, 4, 8)  # octets
_LENGTH_OCTETS: Final = 4


def fixed_size_bits(kind: ParameterType) -> int | None:
    """Return the size of a type's field, or ``None`` where the packet decides it."""
    encoding = kind.encoding
    assert encoding is not None
    size = encoding.size_bits
    return size if isinstance(size, int) else None


def raw_dtype(encoding: Encoding) -> np.dtype[Any]:
    """Return the type of a raw column: the narrowest that holds the encoding.

    Strings, binaries and integers of more than 64 bits are ``V<octets>``: unlike ``S`` it
    keeps trailing zeros. MIL-STD-1750A numbers are exact in ``f8``.
    """
    size = encoding.size_bits
    assert isinstance(size, int)
    if isinstance(encoding, FloatEncoding):
        return np.dtype("f8" if encoding.form is FloatForm.MIL_STD_1750A else f"f{size // 8}")
    if isinstance(encoding, IntegerEncoding) and size <= _WORD_BITS:
        octets = next(width for width in _WINDOWS if size <= 8 * width)
        return np.dtype(f"{'i' if encoding.signed else 'u'}{octets}")
    return np.dtype(f"V{(size + 7) // 8}")


@dataclass(frozen=True, slots=True)
class FieldReader:
    """One field of a block: a window on the rows, and what makes a column of it."""

    window: np.dtype[Any]
    offset_octets: int
    finish: Callable[[Any], Column]


def field_reader(encoding: Encoding, offset_bits: int) -> FieldReader:
    """Return the reader of a field of fixed size that lies *offset_bits* into the rows."""
    first, bit = divmod(offset_bits, 8)
    size = encoding.size_bits
    assert isinstance(size, int)
    if isinstance(encoding, StringEncoding | BinaryEncoding) or size > _WORD_BITS:
        return _octets_reader(first, bit, size)
    viewed = _viewed_dtype(encoding) if bit == 0 else None
    if viewed is not None:
        native = raw_dtype(encoding)
        return FieldReader(viewed, first, lambda view: view.astype(native))
    words = _words_reader(first, bit, size)
    form, native = _FORMS[type(encoding)], raw_dtype(encoding)

    def finish(view: Any) -> Column:
        return form(encoding, native, words.finish(view))

    return FieldReader(words.window, first, finish)


def _viewed_dtype(encoding: Encoding) -> np.dtype[Any] | None:
    """Return the type by which a field on whole octets can be read as it stands."""
    size = encoding.size_bits
    if size not in {8 * width for width in _WINDOWS}:
        return None
    assert isinstance(encoding, IntegerEncoding | FloatEncoding)
    little = encoding.byte_order == tuple(range(encoding.size_bits // 8))
    if encoding.byte_order and not little:
        return None
    if isinstance(encoding, IntegerEncoding) and encoding.form not in {
        IntegerForm.UNSIGNED,
        IntegerForm.TWOS_COMPLEMENT,
    }:
        return None
    if isinstance(encoding, FloatEncoding) and encoding.form is not FloatForm.IEEE754:
        return None
    return raw_dtype(encoding).newbyteorder("<" if little else ">")


def _words_reader(first: int, bit: int, size: int) -> FieldReader:
    """Read a field of at most 64 bits into words, right-aligned."""
    needed = (bit + size + 7) // 8
    mask = (1 << size) - 1
    if needed > 8:  # across nine octets; the first one's foreign bits fall off the top
        excess = needed * 8 - bit - size

        def finish_nine(view: Any) -> Words:
            rows = np.ascontiguousarray(view)
            high = rows[:, :8].copy().view(">u8").reshape(-1).astype(np.uint64)
            low = rows[:, 8].astype(np.uint64) >> np.uint64(excess)
            return ((high << np.uint64(8 - excess)) | low) & np.uint64(mask)

        return FieldReader(np.dtype(("u1", 9)), first, finish_nine)
    width = next(width for width in _WINDOWS if needed <= width)
    shift = 8 * width - bit - size
    native = np.dtype(f"u{width}")

    def finish(view: Any) -> Column:
        words: Column = view.astype(native)
        if shift:
            words >>= native.type(shift)
        if bit:  # there are foreign bits on top
            words &= native.type(mask)
        return words

    return FieldReader(native.newbyteorder(">"), first, finish)


def _octets_reader(first: int, bit: int, size: int) -> FieldReader:
    """Read octets; a size that is not whole octets is right-aligned in them."""
    length = (size + 7) // 8
    pad = length * 8 - size  # bits of the first octet that are not the field's
    # Where the first octet of the result begins, which may be before the field.
    start = first * 8 + bit - pad
    lead, shift = divmod(start, 8)
    before = max(0, -lead)  # the field begins in the row's first octet
    if shift == 0 and pad == 0:
        return FieldReader(np.dtype(f"V{length}"), lead, np.ascontiguousarray)

    def finish(view: Any) -> Column:
        rows = np.concatenate(
            [np.zeros((len(view), before), dtype=np.uint8), np.ascontiguousarray(view)], axis=1
        )
        taken = rows[:, :length]
        if shift:
            following = rows[:, 1 : length + 1]
            taken = (taken << np.uint8(shift)) | (following >> np.uint8(8 - shift))
        taken = np.ascontiguousarray(taken)
        taken[:, 0] &= np.uint8(0xFF >> pad)
        return taken.view(f"V{length}").reshape(-1)

    return FieldReader(np.dtype(("u1", length + 1 - before)), lead + before, finish)


def _integer(encoding: Any, native: np.dtype[Any], words: Column) -> Column:
    words = _in_order(encoding, words)
    if encoding.form is IntegerForm.UNSIGNED:
        return words.astype(native)
    wide = words.astype(np.uint64)
    return _SIGNED[encoding.form](wide, encoding.size_bits).astype(native)


def _float(encoding: Any, native: np.dtype[Any], words: Column) -> Column:
    words = _in_order(encoding, words)
    if encoding.form is FloatForm.MIL_STD_1750A:
        return _mil_std_1750a(words.astype(np.uint64), encoding.size_bits)
    return words.astype(f"u{encoding.size_bits // 8}").view(native)


_FORMS: Final[dict[type, Callable[[Any, np.dtype[Any], Column], Column]]] = {
    IntegerEncoding: _integer,
    FloatEncoding: _float,
}


def _in_order(encoding: IntegerEncoding | FloatEncoding, words: Column) -> Column:
    """Put the octets of each word in the order of their significance."""
    if not encoding.byte_order:
        return words
    wide = words.astype(np.uint64)
    ordered = np.zeros_like(wide)
    last = encoding.size_bits - 8
    for place, significance in enumerate(encoding.byte_order):
        octet = (wide >> np.uint64(last - 8 * place)) & np.uint64(0xFF)
        ordered |= octet << np.uint64(8 * significance)
    return ordered


def _twos_complement(words: Words, size_bits: int) -> npt.NDArray[np.int64]:
    spare = np.int64(_WORD_BITS - size_bits)
    # An arithmetic shift right copies the sign bit down.
    return (words.view(np.int64) << spare) >> spare


def _ones_complement(words: Words, size_bits: int) -> npt.NDArray[np.int64]:
    mask = np.uint64((1 << size_bits) - 1)
    negative = (words >> np.uint64(size_bits - 1)) != 0
    return np.where(negative, -((words ^ mask).view(np.int64)), words.view(np.int64))


def _sign_magnitude(words: Words, size_bits: int) -> npt.NDArray[np.int64]:
    negative = (words >> np.uint64(size_bits - 1)) != 0
    magnitude = (words & np.uint64((1 << (size_bits - 1)) - 1)).view(np.int64)
    return np.where(negative, -magnitude, magnitude)


_SIGNED: Final = {
    IntegerForm.TWOS_COMPLEMENT: _twos_complement,
    IntegerForm.ONES_COMPLEMENT: _ones_complement,
    IntegerForm.SIGN_MAGNITUDE: _sign_magnitude,
}


def _mil_std_1750a(words: Words, size_bits: int) -> npt.NDArray[np.float64]:
    """MIL-STD-1750A: a mantissa and an exponent of 8 bits, both two's complement.

    The extended form (48 bits) has the last 16 bits of its mantissa after the exponent.
    """
    low_bits = size_bits - 32
    exponent = _twos_complement((words >> np.uint64(low_bits)) & np.uint64(0xFF), 8)
    high = words >> np.uint64(low_bits + 8)
    mantissa_words = (high << np.uint64(low_bits)) | (words & np.uint64((1 << low_bits) - 1))
    mantissa = _twos_complement(mantissa_words, 24 + low_bits)
    return np.ldexp(mantissa.astype(np.float64), exponent - (23 + low_bits))


def rows_of(
    octets: Octets, places: npt.NDArray[np.int64], width: int, row: np.dtype[Any] | None = None
) -> Column:
    """Return *width* octets from each place, as ``V<width>`` or viewed as *row*."""
    reach = len(octets) - width + 1
    window = np.ndarray((max(reach, 0),), dtype=f"V{width}", buffer=octets, strides=(1,))
    gathered = window[places]
    return gathered if row is None else gathered.view(row)


class BlockReader:
    """Reads the fields of a block that begins at a given bit of its first octet."""

    def __init__(self, fields: Sequence[tuple[Encoding, int]], *, first_bit: int) -> None:
        """Prepare to read fields.

        Args:
            fields: (encoding, offset in bits from the block's start, which may be
                negative) of each.
            first_bit: At which bit of an octet the block starts, 0 to 7.
        """
        readers = [field_reader(encoding, offset + first_bit) for encoding, offset in fields]
        self._lead = min(0, *(reader.offset_octets for reader in readers))
        offsets = [reader.offset_octets - self._lead for reader in readers]
        self._width = max(
            offset + reader.window.itemsize
            for offset, reader in zip(offsets, readers, strict=True)
        )
        self._names = [f"f{index}" for index in range(len(readers))]
        self._row = np.dtype(
            {
                "names": self._names,
                "formats": [reader.window for reader in readers],
                "offsets": offsets,
                "itemsize": self._width,
            }
        )
        self._finish = [reader.finish for reader in readers]

    def read(self, octets: Octets, places: npt.NDArray[np.int64]) -> list[Column]:
        """Return a column for each field, from blocks whose first octets are at *places*."""
        rows = rows_of(octets, places + self._lead, self._width, self._row)
        return [finish(rows[name]) for name, finish in zip(self._names, self._finish, strict=True)]


def varying_octets(
    octets: Octets, bits: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], width: int
) -> Column:
    """Return octets of varying number in one column.

    Each value is its length (4 octets), that many octets, and zeros up to the width.

    Args:
        octets: Where they lie, with *width* and one more after the last.
        bits: At which bit each begins.
        lengths: How many octets each has, at most *width*.
        width: Octets to make room for.
    """
    first_bits = bits & 7
    taken = np.empty((len(bits), width), dtype=np.uint8)
    for bit in np.unique(first_bits).tolist():
        chosen = first_bits == bit
        rows = rows_of(octets, bits[chosen] >> 3, width + 1).view(np.uint8)
        rows = rows.reshape(-1, width + 1)
        shifted = rows[:, :width]
        if bit:
            shifted = (shifted << np.uint8(bit)) | (rows[:, 1:] >> np.uint8(8 - bit))
        taken[chosen] = shifted
    taken[np.arange(width) >= lengths[:, None]] = 0
    prefix = lengths.astype(">u4").view(np.uint8).reshape(-1, _LENGTH_OCTETS)
    joined = np.ascontiguousarray(np.concatenate([prefix, taken], axis=1))
    return joined.view(f"V{_LENGTH_OCTETS + width}").reshape(-1)


def octets_of(encoding: Encoding, raw: Column) -> list[bytes]:
    """Return the octets of each value of a string or binary column."""
    values: list[bytes] = [bytes(value) for value in raw]
    if isinstance(encoding.size_bits, int):
        return values
    return [
        value[_LENGTH_OCTETS : _LENGTH_OCTETS + int.from_bytes(value[:_LENGTH_OCTETS], "big")]
        for value in values
    ]
