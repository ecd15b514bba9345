"""Columns as octets: pcodec for numbers, zlib for the rest, plain where short."""

from __future__ import annotations

import zlib
from enum import IntEnum
from typing import Final

import numpy as np
from pcodec import ChunkConfig
from pcodec.standalone import simple_compress, simple_decompress

from telemetry.archive.interface import ArchiveDamagedError, Column

# Below this a header costs more than compression saves.
_MIN_COMPRESSED: Final = 32
# Of 12. While telemetry comes in, speed counts: level 1 takes a third less time than
# level 4 for 12 % more octets, which compaction saves later.
LIVE_LEVEL: Final = 1
COMPACT_LEVEL: Final = 4
_CONFIGS: Final = {
    level: ChunkConfig(compression_level=level) for level in (LIVE_LEVEL, COMPACT_LEVEL)
}


class Codec(IntEnum):
    """Written into every stored column; never renumber."""

    PLAIN = 0  # little-endian values, one after the other
    PCODEC = 1
    PCODEC_WIDENED = 2  # 8-bit integers as 16-bit ones, which pcodec wants
    ZLIB = 3


def dtype_text(column: Column) -> str:
    """Return the column's type as stored, e.g. ``<u2`` or ``|V8``."""
    return column.dtype.newbyteorder("<").str


def encode_column(column: Column, *, level: int = COMPACT_LEVEL) -> tuple[Codec, bytes]:
    """Return how a column was encoded, and its octets."""
    if len(column) < _MIN_COMPRESSED:
        return Codec.PLAIN, plain(column)
    if column.dtype.kind not in "iuf":
        return Codec.ZLIB, zlib.compress(plain(column), level=1)
    if column.dtype.itemsize == 1:
        wide = column.astype(np.int16 if column.dtype.kind == "i" else np.uint16)
        return Codec.PCODEC_WIDENED, simple_compress(wide, _CONFIGS[level])
    return Codec.PCODEC, simple_compress(np.ascontiguousarray(column), _CONFIGS[level])


def decode_column(codec: int, data: bytes, dtype: str, count: int) -> Column:
    """Return the column of *count* values that :func:`encode_column` stored.

    Raises:
        ArchiveDamagedError: The octets hold another number of values.
    """
    kind = np.dtype(dtype)
    column: Column
    if codec in (Codec.PLAIN, Codec.ZLIB):
        octets = zlib.decompress(data) if codec == Codec.ZLIB else data
        column = np.frombuffer(octets, dtype=kind)
    else:
        column = np.asarray(simple_decompress(data)).astype(kind, copy=False)
    if len(column) != count:
        raise ArchiveDamagedError(f"a column holds {len(column)} values, {count} were stored")
    return column


def plain(column: Column) -> bytes:
    """Return the values' own octets, little-endian."""
    return column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()
