"""Decoded packets as a Parquet file, column by column, written by PyPI ``pyarrow``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

import numpy as np

from telemetry.decoding.csv_table import cell_columns
from telemetry.decoding.packet_file import DecodedChunk
from telemetry.decoding.values import engineering_column, raw_column
from telemetry.dictionary import DecodedBatch, Dictionary, Parameter
from telemetry.dictionary.columns import raw_dtype
from telemetry.dictionary.inheritance import repeated_parameters
from telemetry.dictionary.model import (
    DeclaredParameter,
    FloatEncoding,
    IntegerEncoding,
    ParameterType,
    TypeKind,
)

_ROWS_IN_A_GROUP: Final = 100_000
_OCTETS: Final = "octets"
_TEXT: Final = "text"
_TIME: Final = "time"
_NUMPY_TYPES: Final = {
    _OCTETS: np.dtype(object),
    _TEXT: np.dtype(object),
    _TIME: np.dtype("M8[us]"),
}


class ParquetTable:
    """Writes one row a packet, one column a declared parameter; null where it has none.

    An array, an aggregate, or what may stand in a packet more than once is a text that
    holds JSON. Use it as a context manager.
    """

    def __init__(self, dictionary: Dictionary, sink: BinaryIO, *, raw: bool = False) -> None:
        """Begin a file."""
        # It is large, and needed for this one format: loaded when it is asked for.
        import pyarrow
        from pyarrow import parquet

        self._arrow: Any = pyarrow
        self._parameters = dictionary.parameters
        self._raw = raw
        repeated = repeated_parameters(dictionary)
        self._kinds = {
            name: _TEXT if name in repeated else _column_kind(declared, raw=raw)
            for name, declared in dictionary.declared.items()
        }
        self._scalars = {
            name
            for name, declared in dictionary.declared.items()
            if name not in repeated and isinstance(declared.type, ParameterType)
        }
        self._schema = self._arrow.schema(
            [
                ("container", self._arrow.string()),
                ("apid", self._arrow.uint16()),
                ("sequence_count", self._arrow.uint16()),
                *((name, self._arrow_type(kind)) for name, kind in self._kinds.items()),
            ]
        )
        self._writer: Any = parquet.ParquetWriter(sink, self._schema)
        self._tables: list[Any] = []
        self._waiting = 0

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._write()
        self._writer.close()

    def add(self, chunk: DecodedChunk) -> None:
        """Add the rows of a chunk, in the order of the file."""
        batches = chunk.result.batches
        rows = sum(len(batch.indices) for batch in batches)
        if not rows:
            return
        indices = np.concatenate([batch.indices for batch in batches])
        order = np.argsort(indices)
        packets = chunk.packets.chosen(indices[order])
        names = [batch.container for batch in batches for _ in range(len(batch.indices))]
        arrays = [
            self._arrow.array(np.array(names, dtype=object)[order], self._arrow.string()),
            self._arrow.array(packets.apids),
            self._arrow.array(packets.sequence_counts),
            *(self._column(name, kind, batches, order) for name, kind in self._kinds.items()),
        ]
        self._tables.append(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._waiting += rows
        if self._waiting >= _ROWS_IN_A_GROUP:
            self._write()

    def _write(self) -> None:
        if self._tables:
            self._writer.write_table(self._arrow.concat_tables(self._tables))
        self._tables, self._waiting = [], 0

    def _arrow_type(self, kind: np.dtype[Any] | str) -> Any:
        if isinstance(kind, str):
            times = self._arrow.timestamp("us", tz="UTC")
            return {_TEXT: self._arrow.string(), _OCTETS: self._arrow.binary(), _TIME: times}[kind]
        return self._arrow.from_numpy_dtype(kind)

    def _column(
        self,
        name: str,
        kind: np.dtype[Any] | str,
        batches: Sequence[DecodedBatch],
        order: np.ndarray[Any, Any],
    ) -> Any:
        """Return a parameter's values in all batches, in *order*; null where there is none."""
        dtype = _NUMPY_TYPES[kind] if isinstance(kind, str) else kind
        parts, missing = [], []
        for batch in batches:
            values = self._values(name, batch)
            count = len(batch.indices)
            missing.append(np.full(count, values is None))
            # np.empty fills an object column with None, and what it holds is masked.
            parts.append(np.empty(count, dtype) if values is None else values.astype(dtype))
        values = np.concatenate(parts)[order]
        return self._arrow.array(
            values, self._arrow_type(kind), mask=np.concatenate(missing)[order]
        )

    def _values(self, name: str, batch: DecodedBatch) -> np.ndarray[Any, Any] | None:
        if name in self._scalars:
            if name not in batch.columns:
                return None
            parameter = self._parameters[name]
            column = (raw_column if self._raw else engineering_column)(parameter, batch)
            # Integers of more than 64 bits: Arrow has none, and digits lose nothing.
            is_wide = self._kinds[name] == _TEXT and column.dtype.kind == "O"
            return np.array([str(v) for v in column], dtype=object) if is_wide else column
        cells = cell_columns(_only(batch, name, self._parameters), self._parameters, raw=self._raw)
        return np.array([str(v) for v in cells[name]], dtype=object) if name in cells else None


def _only(batch: DecodedBatch, declared: str, parameters: Mapping[str, Parameter]) -> DecodedBatch:
    """Return a batch with nothing but the values of one declared parameter."""
    columns = {
        name: column
        for name, column in batch.columns.items()
        if name.startswith(declared) and parameters[name].declared == declared
    }
    return DecodedBatch(batch.container, batch.indices, columns, batch.sent)


def _column_kind(declared: DeclaredParameter, *, raw: bool) -> np.dtype[Any] | str:
    """Return the type of a declared parameter's column."""
    kind = declared.type
    if not isinstance(kind, ParameterType):
        return _TEXT
    return _raw_kind(kind) if raw else _engineering_kind(kind)


def _raw_kind(kind: ParameterType) -> np.dtype[Any] | str:
    encoding = kind.encoding
    if encoding is None:
        return np.dtype("f8" if kind.kind is TypeKind.FLOAT else "i8")
    if isinstance(encoding, IntegerEncoding | FloatEncoding):
        dtype = raw_dtype(encoding)
        return _TEXT if dtype.kind == "V" else dtype
    return _OCTETS


def _engineering_kind(kind: ParameterType) -> np.dtype[Any] | str:
    if kind.kind is TypeKind.ABSOLUTE_TIME:
        return _TIME
    if kind.kind is TypeKind.BINARY:
        return _OCTETS
    if kind.kind in {TypeKind.STRING, TypeKind.ENUMERATED, TypeKind.BOOLEAN}:
        return _TEXT
    is_number = kind.kind is TypeKind.INTEGER and kind.calibrator is None
    if not is_number or kind.context_calibrators:
        return np.dtype("f8")
    return _raw_kind(kind)
