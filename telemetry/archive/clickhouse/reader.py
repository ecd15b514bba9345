"""Reads columns from ClickHouse, and all else from the archive's folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from telemetry.archive.clickhouse.samples import samples_of
from telemetry.archive.clickhouse.server import ClickHouseServer
from telemetry.archive.database import ColumnPlace
from telemetry.archive.decimation import Buckets
from telemetry.archive.folder_reader import FolderReader
from telemetry.archive.interface import Affine, ArchiveError, Column, Decimated, Samples
from telemetry.archive.packet_rows import to_us
from telemetry.archive.rollups import BIN, Bins
from telemetry.archive.sample_series import EMPTY, calibrated

if TYPE_CHECKING:
    import pyarrow

_Asked = dict[str, Any]  # what a query is told
_Answer = TypeVar("_Answer")

_WHICH: Final = """
WHERE spacecraft = {spacecraft:String} AND edition = {edition:UInt32}
    AND parameter = {parameter:String}
    AND time_us >= {first_us:Int64} AND time_us < {end_us:Int64}
"""
# Rows of a month are never equal to rows of another.
_SETTINGS: Final = """
SETTINGS do_not_merge_across_partitions_select_final = 1, output_format_arrow_string_as_string = 0
"""
_READ: Final = f"""
SELECT time_us, sequence_count, dtype, bits, octets FROM samples FINAL {_WHICH}
ORDER BY time_us, container, sequence_count {_SETTINGS}
"""  # noqa: S608  # nosec B608
# In the order of the table, which is read from its end as far as needed; nothing is merged.
_LAST: Final = f"""
SELECT count() AS found, min(time_us) AS first_us FROM (
    SELECT time_us FROM samples {_WHICH} AND container = {{container:String}}
    ORDER BY time_us DESC, sequence_count DESC LIMIT {{limit:UInt64}}) {_SETTINGS}
"""  # noqa: S608  # nosec B608
_DECIMATE: Final = f"""
SELECT intDiv((time_us - {{first_us:Int64}}) * {{buckets:Int64}},
        {{end_us:Int64}} - {{first_us:Int64}}) AS bucket,
    count() AS samples, countIf(isFinite(value)) AS finite,
    minIf(value, isFinite(value)) AS least, maxIf(value, isFinite(value)) AS greatest,
    sumIf(value, isFinite(value)) AS total,
    countIf(substring(dtype, 2, 1) NOT IN ('u', 'i', 'f')) AS not_numbers
FROM samples FINAL {_WHICH} GROUP BY bucket ORDER BY bucket {_SETTINGS}
"""  # noqa: S608  # nosec B608


class ClickHouseArchiveReader(FolderReader):
    """See :class:`telemetry.archive.interface.ArchiveReader`."""

    def __init__(self, path: Path, server: ClickHouseServer) -> None:
        super().__init__(path, ColumnPlace.CLICKHOUSE)
        self._server = server

    def read(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        limit: int | None = None,
    ) -> Samples:
        def ask(containers: list[str], asked: _Asked) -> Samples:
            if not containers:
                return EMPTY
            if limit is None:
                return samples_of(self._server.select(_READ, **asked), parameter)
            return self._newest(containers, asked, parameter, limit)

        return self._answered(ask, spacecraft, parameter, to_us(start), to_us(end))

    def _newest(self, containers: list[str], asked: _Asked, parameter: str, limit: int) -> Samples:
        """Read only from when on the newest samples are."""
        rows = limit
        while True:
            last = [
                self._server.select(_LAST, **asked, container=container, limit=rows).to_pylist()[0]
                for container in containers
            ]
            begins_us = [one["first_us"] for one in last if one["found"]]
            since = {**asked, "first_us": min(begins_us, default=asked["end_us"])}
            samples = samples_of(self._server.select(_READ, **since), parameter)
            if len(samples) >= limit or all(one["found"] < rows for one in last):
                return samples.last(limit)
            rows *= 4  # some came more than once

    def read_decimated(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        buckets: int,
        calibrate: Callable[[Column], Column] | Affine | None = None,
    ) -> Decimated:
        def ask(containers: list[str], asked: _Asked) -> Decimated:
            filled = Buckets(first_us=to_us(start), end_us=to_us(end), count=buckets)
            line = calibrate or Affine()
            if containers and isinstance(line, Affine):
                self._count(filled, asked, line)
            elif containers and not isinstance(line, Affine):
                self._calibrate(filled, asked, line)
            return filled.result()

        return self._answered(ask, spacecraft, parameter, to_us(start), to_us(end))

    def _count(self, filled: Buckets, asked: _Asked, line: Affine) -> None:
        """Let the server count raw values, which a straight line takes to engineering ones."""
        found = self._server.select(_DECIMATE, **asked, buckets=filled.count)
        _require_numbers(not sum(found["not_numbers"].to_pylist()), asked)
        filled.add_counted(found["bucket"].to_numpy(), _bins_of(found), line)

    def _calibrate(
        self, filled: Buckets, asked: _Asked, calibrate: Callable[[Column], Column]
    ) -> None:
        samples = samples_of(self._server.select(_READ, **asked), asked["parameter"])
        _require_numbers(samples.values.dtype.kind in "iuf", asked)
        if len(samples):
            filled.add(samples.times_us, calibrated(samples.values, calibrate))

    def _answered(
        self,
        ask: Callable[[list[str], _Asked], _Answer],
        spacecraft: str,
        parameter: str,
        first_us: int,
        end_us: int,
    ) -> _Answer:
        """Ask about one edition; again where a rebuild has replaced it meanwhile."""
        while True:
            with self._snapshot() as edition:
                containers = self._containers(edition, spacecraft, parameter)
            asked = {
                "spacecraft": spacecraft,
                "edition": edition,
                "parameter": parameter,
                "first_us": first_us,
                "end_us": end_us,
            }
            answer = ask(containers, asked)
            with self._snapshot() as now:
                if now == edition:
                    return answer


def _bins_of(table: pyarrow.Table) -> Bins:
    bins = np.zeros(len(table), dtype=BIN)
    for name in BIN.names or ():
        bins[name] = table[name].to_numpy()
    return bins


def _require_numbers(are_numbers: bool, asked: _Asked) -> None:
    if not are_numbers:
        raise ArchiveError(
            f"{asked['parameter']!r} is no number; read() it, it cannot be decimated"
        )
