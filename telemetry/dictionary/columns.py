"""One field of many packets at once: octets in, a NumPy column out.

Aligned fields of 8, 16, 32 and 64 bits are read through a typed view; the
others are gathered octet by octet into a 64-bit word, shifted and masked. The
loops run over the octets of a field, never over packets.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.layout import Field
from telemetry.dictionary.model import Encoding, FloatEncoding, IntegerEncoding

Column = npt.NDArray[Any]
Octets = npt.NDArray[np.uint8]

_WORD_BITS: Final = 64
_VIEWED_BITS: Final = (8, 16, 32, 64)


def raw_dtype(encoding: Encoding) -> np.dtype[Any]:
    """Return the type of a raw column: the narrowest that holds the encoding.

    Strings and binaries are ``V<octets>``: unlike ``S`` it keeps trailing zeros.
    """
    if isinstance(encoding, FloatEncoding):
        return np.dtype(f"f{encoding.size_bits // 8}")
    if isinstance(encoding, IntegerEncoding):
        bits = next(width for width in _VIEWED_BITS if encoding.size_bits <= width)
        return np.dtype(f"{'i' if encoding.signed else 'u'}{bits // 8}")
    return np.dtype(f"V{encoding.size_bits // 8}")


def read_column(octets: Octets, field: Field) -> Column:
    """Return one field's raw values.

    Args:
        octets: Packets as rows, shape (packets, octets), C-contiguous; every
            row holds the whole field.
        field: What to read.

    Returns:
        Shape (packets,), native byte order, of ``raw_dtype``.
    """
    encoding = field.parameter.type.encoding
    if not isinstance(encoding, IntegerEncoding | FloatEncoding):
        return _read_octets(octets, field)
    if field.offset_bits % 8 == 0 and encoding.size_bits in _VIEWED_BITS:
        return _read_view(octets, field.offset_bits // 8, encoding)
    words = _read_words(octets, field.offset_bits, encoding.size_bits)
    if encoding.little_endian:
        words = words.byteswap() >> np.uint64(_WORD_BITS - encoding.size_bits)
    if isinstance(encoding, FloatEncoding):
        return words.astype(f"u{encoding.size_bits // 8}").view(raw_dtype(encoding))
    if encoding.signed:
        return _sign_extended(words, encoding.size_bits).astype(raw_dtype(encoding))
    return words.astype(raw_dtype(encoding))


def _read_view(octets: Octets, offset: int, encoding: IntegerEncoding | FloatEncoding) -> Column:
    native = raw_dtype(encoding)
    stored = native.newbyteorder("<" if encoding.little_endian else ">")
    record = np.dtype(
        {
            "names": ["value"],
            "formats": [stored],
            "offsets": [offset],
            "itemsize": octets.shape[1],
        }
    )
    return octets.view(record)["value"].reshape(-1).astype(native)


def _read_words(octets: Octets, offset_bits: int, size_bits: int) -> npt.NDArray[np.uint64]:
    """Return a big-endian field of at most 64 bits, right-aligned in 64-bit words."""
    first, bit = divmod(offset_bits, 8)
    count = (bit + size_bits + 7) // 8
    words = np.zeros(len(octets), dtype=np.uint64)
    for index in range(first, first + min(count, 8)):
        words = (words << np.uint64(8)) | octets[:, index]
    excess = count * 8 - bit - size_bits  # bits after the field in its last octet
    if count <= 8:
        words >>= np.uint64(excess)
    else:  # 64 bits across nine octets: the first octet's foreign bits fall off the top
        words = (words << np.uint64(8 - excess)) | (octets[:, first + 8] >> np.uint8(excess))
    return words & np.uint64((1 << size_bits) - 1)


def _sign_extended(words: npt.NDArray[np.uint64], size_bits: int) -> npt.NDArray[np.int64]:
    spare = np.int64(_WORD_BITS - size_bits)
    # An arithmetic shift right copies the sign bit down.
    return (words.view(np.int64) << spare) >> spare


def _read_octets(octets: Octets, field: Field) -> Column:
    first, bit = divmod(field.offset_bits, 8)
    length = field.size_bits // 8
    if bit == 0:
        taken = octets[:, first : first + length]
    else:
        before = octets[:, first : first + length]
        after = octets[:, first + 1 : first + 1 + length]
        taken = (before << np.uint8(bit)) | (after >> np.uint8(8 - bit))
    return np.ascontiguousarray(taken).view(f"V{length}").reshape(-1)
