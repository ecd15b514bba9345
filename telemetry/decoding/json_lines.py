"""One JSON object a packet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.decoding.packet_file import DecodedChunk
from telemetry.decoding.values import engineering_column, nested, plain_values, raw_column
from telemetry.dictionary import DecodedBatch, Parameter


@dataclass(frozen=True, slots=True)
class _Shown:
    """One declared parameter of a batch: the paths to its values, and these, row by row."""

    name: str
    paths: list[tuple[str | int, ...]]
    raw: list[list[Any]]
    values: list[list[Any]]

    def at(self, row: int, *, raw_only: bool) -> dict[str, Any]:
        shown = {"raw": nested(self.paths, [column[row] for column in self.raw])}
        if not raw_only:
            shown["value"] = nested(self.paths, [column[row] for column in self.values])
        return shown


class JsonLines:
    """Writes decoded packets in the order of the file.

    ``{"container":...,"apid":...,"sequence_count":...,"parameters":{NAME:{"raw":...,
    "value":...}}}``; an array is a list, an aggregate an object. With *raw_only* the
    engineering values are left out.
    """

    def __init__(self, parameters: Mapping[str, Parameter], *, raw_only: bool = False) -> None:
        self._parameters = parameters
        self._raw_only = raw_only

    def lines(self, chunk: DecodedChunk) -> Iterator[str]:
        """Yield one line for each packet that was decoded."""
        apids, counts = chunk.packets.apids.tolist(), chunk.packets.sequence_counts.tolist()
        order: dict[int, tuple[DecodedBatch, list[_Shown], int]] = {}
        for batch in chunk.result.batches:
            shown = self._shown(batch)
            for row, index in enumerate(batch.indices.tolist()):
                order[index] = (batch, shown, row)
        for index in sorted(order):
            batch, shown, row = order[index]
            record = {
                "container": batch.container,
                "apid": apids[index],
                "sequence_count": counts[index],
                "parameters": {each.name: each.at(row, raw_only=self._raw_only) for each in shown},
            }
            yield json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    def _shown(self, batch: DecodedBatch) -> list[_Shown]:
        groups: dict[str, _Shown] = {}
        for name in batch.columns:
            parameter = self._parameters[name]
            shown = groups.setdefault(parameter.declared, _Shown(parameter.declared, [], [], []))
            shown.paths.append(parameter.path)
            raw = raw_column(parameter, batch)
            shown.raw.append(plain_values(parameter, raw, raw=True))
            if not self._raw_only:
                value = engineering_column(parameter, batch)
                shown.values.append(plain_values(parameter, value, raw=False))
        return list(groups.values())
