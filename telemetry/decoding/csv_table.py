"""Decoded packets as a table of comma-separated values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, Final

from telemetry.decoding.packet_file import DecodedChunk
from telemetry.decoding.values import engineering_column, nested, plain_values, raw_column
from telemetry.dictionary import DecodedBatch, Dictionary, Parameter

PACKET_COLUMNS: Final = ("container", "apid", "sequence_count")


class CsvTable:
    """One row a packet, one column a declared parameter; empty where a packet has none.

    An array or an aggregate is one cell that holds JSON.
    """

    def __init__(self, dictionary: Dictionary, *, raw: bool = False) -> None:
        self._parameters = dictionary.parameters
        self._names = tuple(dictionary.declared)
        self._raw = raw

    def header(self) -> str:
        return _text([[*PACKET_COLUMNS, *self._names]])

    def rows(self, chunk: DecodedChunk) -> str:
        """Return the rows of a chunk, in the order of the file."""
        apids, counts = chunk.packets.apids.tolist(), chunk.packets.sequence_counts.tolist()
        cells: dict[int, list[Any]] = {}
        for batch in chunk.result.batches:
            columns = cell_columns(batch, self._parameters, raw=self._raw)
            blank = [None] * len(batch.indices)
            rows = zip(*(columns.get(name, blank) for name in self._names), strict=True)
            for index, row in zip(batch.indices.tolist(), rows, strict=True):
                cells[index] = [batch.container, apids[index], counts[index], *row]
        return _text([cells[index] for index in sorted(cells)])


def cell_columns(
    batch: DecodedBatch, parameters: Mapping[str, Parameter], *, raw: bool
) -> dict[str, list[Any]]:
    """Return a batch's cells by declared parameter; what is no scalar as JSON."""
    parts: dict[str, list[tuple[tuple[str | int, ...], list[Any]]]] = {}
    for name in batch.columns:
        parameter = parameters[name]
        column = (raw_column if raw else engineering_column)(parameter, batch)
        shown = plain_values(parameter, column, raw=raw)
        parts.setdefault(parameter.declared, []).append((parameter.path, shown))
    return {name: _cells(found) for name, found in parts.items()}


def _cells(found: list[tuple[tuple[str | int, ...], list[Any]]]) -> list[Any]:
    if len(found) == 1 and found[0][0] == ():
        return found[0][1]
    paths = [path for path, _ in found]
    rows = zip(*(values for _, values in found), strict=True)
    return [
        json.dumps(nested(paths, list(row)), ensure_ascii=False, separators=(",", ":"))
        for row in rows
    ]


def _text(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
