"""The table of samples: its definition, and raw columns to and from its rows.

A raw value stands as its bits in one column of 64, whatever its type is: nothing of it is
lost, and history is one table, written by one statement. ``dtype`` says what the bits are.
Octets stand in a column of their own. ``value`` and ``time`` are computed when somebody asks
for them in SQL.

Of equal rows the one stored first stays: it has the highest ``precedence``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.archive.codec import dtype_text
from telemetry.archive.interface import ArchiveDamagedError, Column, Samples
from telemetry.archive.merging import Rows, concatenated
from telemetry.archive.sample_series import EMPTY

if TYPE_CHECKING:
    import pyarrow

CREATE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS samples (
    spacecraft LowCardinality(String),
    edition UInt32,
    parameter LowCardinality(String),
    container LowCardinality(String),
    time_us Int64 CODEC(DoubleDelta, ZSTD(1)),
    sequence_count UInt16 CODEC(Delta, ZSTD(1)),
    dtype LowCardinality(String),
    bits UInt64 CODEC(T64, ZSTD(1)),
    octets String CODEC(ZSTD(1)),
    precedence UInt64 DEFAULT bitNot(toUInt64(toUnixTimestamp64Micro(now64(6))))
        CODEC(Delta, ZSTD(1)),
    time DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(time_us, 'UTC'),
    value Float64 ALIAS multiIf(
        dtype = '<f8', reinterpretAsFloat64(bits),
        dtype = '<f4', toFloat64(reinterpretAsFloat32(toUInt32(bits))),
        substring(dtype, 2, 1) = 'i', toFloat64(reinterpretAsInt64(bits)),
        substring(dtype, 2, 1) = 'u', toFloat64(bits),
        nan)
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(fromUnixTimestamp64Micro(time_us, 'UTC'))
ORDER BY (spacecraft, edition, parameter, container, time_us, sequence_count)
"""
# Spacecraft whose clocks are wrong send times of many months.
INSERT: Final = """
INSERT INTO samples (spacecraft, edition, parameter, container, time_us, sequence_count, dtype,
    bits, octets)
SETTINGS throw_on_max_partitions_per_insert_block = 0
"""
_NUMBERS: Final = "iuf"


def table_of(edition: int, waiting: Iterable[tuple[str, str, Rows]]) -> pyarrow.Table:
    """Return rows of containers (spacecraft, container, rows) as rows of the table.

    Where two layouts of a container have the same row, the first stays: it stands last, and
    of rows that are inserted together the last one stays.
    """
    import pyarrow

    columns = [
        (spacecraft, container, parameter, rows, column)
        for spacecraft, container, rows in reversed(list(waiting))
        for parameter, column in rows.columns.items()
    ]
    lengths = [len(own[3]) for own in columns]
    return pyarrow.table(
        {
            "spacecraft": _repeated([own[0] for own in columns], lengths),
            "edition": np.full(sum(lengths), edition, dtype=np.uint32),
            "parameter": _repeated([own[2] for own in columns], lengths),
            "container": _repeated([own[1] for own in columns], lengths),
            "time_us": np.concatenate([own[3].times_us for own in columns]),
            "sequence_count": np.concatenate([own[3].sequence_counts for own in columns]),
            "dtype": _repeated([dtype_text(own[4]) for own in columns], lengths),
            "bits": np.concatenate([_bits_of(own[4]) for own in columns]),
            "octets": _octets_of([own[4] for own in columns]),
        }
    )


def samples_of(table: pyarrow.Table, parameter: str) -> Samples:
    """Return the rows of a parameter (time_us, sequence_count, dtype, bits, octets) as samples.

    Raises:
        ArchiveError: The parameter was a number and became octets.
        ArchiveDamagedError: The octets do not fit the type.
    """
    if not len(table):
        return EMPTY
    kinds = table["dtype"].combine_chunks().dictionary_encode()
    indices = kinds.indices.to_numpy()
    parts, places = [], []
    for index, kind in enumerate(kinds.dictionary.to_pylist()):
        own = np.flatnonzero(indices == index)
        places.append(own)
        parts.append(_column_of(np.dtype(kind.decode()), table.take(own)))
    values = concatenated(parts, parameter)
    if len(parts) > 1:
        values = values[np.argsort(np.concatenate(places), kind="stable")]
    return Samples(table["time_us"].to_numpy(), table["sequence_count"].to_numpy(), values)


def _repeated(names: Sequence[str], lengths: Sequence[int]) -> pyarrow.DictionaryArray:
    """Return each name as often as its length says."""
    import pyarrow

    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    codes = np.array([known[name] for name in names], dtype=np.int32)
    return pyarrow.DictionaryArray.from_arrays(np.repeat(codes, lengths), list(known))


def _bits_of(column: Column) -> npt.NDArray[np.uint64]:
    """Return the values' bits, those of whole numbers as 64 bits; zeros for octets."""
    native = column.astype(column.dtype.newbyteorder("="), copy=False)
    if native.dtype.kind == "i":
        return native.astype(np.int64).view(np.uint64)
    if native.dtype.kind == "f":
        native = native.view(f"u{native.dtype.itemsize}")
    elif native.dtype.kind != "u":
        return np.zeros(len(native), dtype=np.uint64)
    return native.astype(np.uint64)


def _octets_of(columns: Sequence[Column]) -> pyarrow.BinaryArray:
    """Return the values' octets; none for numbers."""
    import pyarrow

    widths = [0 if own.dtype.kind in _NUMBERS else own.dtype.itemsize for own in columns]
    ends = np.cumsum(np.repeat(widths, [len(own) for own in columns]))
    octets = b"".join(own.tobytes() for own, width in zip(columns, widths, strict=True) if width)
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    return pyarrow.Array.from_buffers(
        pyarrow.binary(),
        len(ends),
        [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(octets)],
    )


def _column_of(dtype: np.dtype[Any], table: pyarrow.Table) -> Column:
    """Return the values of rows that all have one type."""
    if dtype.kind not in _NUMBERS:
        octets = b"".join(table["octets"].to_pylist())
        if len(octets) != dtype.itemsize * len(table):
            raise ArchiveDamagedError(
                f"{len(table)} values of {dtype.itemsize} octets are {len(octets)} octets"
            )
        return np.frombuffer(octets, dtype=dtype)
    bits: Column = table["bits"].to_numpy()
    if dtype.kind == "i":
        bits = bits.view(np.int64)
    elif dtype.kind == "f":
        return bits.astype(f"u{dtype.itemsize}").view(dtype)
    return bits.astype(dtype)
