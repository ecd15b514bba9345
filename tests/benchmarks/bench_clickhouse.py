"""What columns cost in ClickHouse and in the archive's folder: `make bench-clickhouse`.

ClickHouse is chDB behind HTTP on this machine, as in the tests. Both archives take the same
rows: 50 parameters (counts that swing with the orbit, counters, modes, floats) every 10 s,
VALUES of them (default 10 million), a flush for 2,000 rows. No packets. The last line is
JSON, a figure for each place:

* ``values_per_s``: taken and stored; ``octets_per_value``: on the disk, merged;
* ``hour_ms``, ``newest_ms``: all values of an hour, the newest one;
* ``buckets_ms``: the whole span in 500 parts of least, greatest and mean value;
* ``repeated_buckets_ms``: the same before anything is merged and after a tenth came again.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from telemetry.archive import ClickHouseServer, ColumnGroup, compact, open_reader, open_writer
from tests.integration.telemetry.clickhouse.stand_in import stand_in

VALUES = int(os.environ.get("VALUES", "10000000"))
_PARAMETERS = 50
_ROWS_IN_A_FLUSH = 2_000
_STEP_S = 10
_START = datetime(2026, 12, 1, tzinfo=UTC)
_START_US = int(_START.timestamp()) * 1_000_000
_ROWS = VALUES // _PARAMETERS
_END = _START + timedelta(seconds=_ROWS * _STEP_S)


def main() -> None:
    """Measure both places and print the figures."""
    with tempfile.TemporaryDirectory() as folder, stand_in(Path(folder) / "chdb") as address:
        ClickHouseServer.at(f"{address}/default").run("CREATE DATABASE bench")
        server = ClickHouseServer.at(f"{address}/bench")
        figures = {
            **_measure("folder", Path(folder) / "a", None),
            **_measure("clickhouse", Path(folder) / "b", server),
        }
    print(json.dumps({"values": VALUES, **figures}))


def _measure(name: str, folder: Path, server: ClickHouseServer | None) -> dict[str, float]:
    began_s = time.perf_counter()
    groups = list(_groups(0, _ROWS))
    made_s = time.perf_counter() - began_s
    print(f"{name}: rows made in {made_s:.1f} s", flush=True)
    with open_writer(folder, clickhouse=server) as writer:
        began_s = time.perf_counter()
        for group in groups:
            writer.append([], [group])
        took_s = time.perf_counter() - began_s
        for group in _groups(_ROWS // 2, _ROWS // 2 + _ROWS // 10):
            writer.append([], [group])
    figures = {"values_per_s": VALUES / took_s}
    with open_reader(folder, clickhouse=server) as reader:
        asked = {"spacecraft": "DD-1", "parameter": "C07"}
        whole = {**asked, "start": _START, "end": _END}
        buckets = lambda: reader.read_decimated(**whole, buckets=500)  # noqa: E731
        figures["repeated_buckets_ms"] = _median_ms(buckets)
        if server is None:
            compact(folder)
        else:
            server.run("OPTIMIZE TABLE samples FINAL")
        middle = _START + (_END - _START) / 2
        hour = {**asked, "start": middle, "end": middle + timedelta(hours=1)}
        assert int(buckets().count.sum()) == _ROWS
        assert len(reader.read(**hour)) == 3600 // _STEP_S
        figures["buckets_ms"] = _median_ms(buckets)
        figures["hour_ms"] = _median_ms(lambda: reader.read(**hour))
        figures["newest_ms"] = _median_ms(lambda: reader.read(**whole, limit=1))
    figures["octets_per_value"] = _octets(folder, server) / VALUES
    return {f"{name}_{key}": float(f"{value:.3g}") for key, value in figures.items()}


def _groups(first: int, end: int) -> Iterator[ColumnGroup]:
    random = np.random.default_rng(first + 1)
    for begin in range(first, end, _ROWS_IN_A_FLUSH):
        index = np.arange(begin, min(begin + _ROWS_IN_A_FLUSH, end))
        orbit = np.sin(index * (2 * np.pi * _STEP_S / 5700))
        yield ColumnGroup(
            spacecraft="DD-1",
            container="Housekeeping",
            times_us=_START_US + index * _STEP_S * 1_000_000,
            sequence_counts=(index % 16384).astype(np.uint16),
            columns={
                f"C{number:02}": _column(number, index, orbit, random)
                for number in range(_PARAMETERS)
            },
        )


def _column(
    number: int, index: np.ndarray, orbit: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    kind = number % 10
    if kind < 6:
        swing = orbit * 900 + 7000 + number + random.normal(0, 3, len(index))
        return swing.astype(np.uint16)
    if kind < 8:
        return (index // 900 % 5).astype(np.uint8)
    if kind == 8:
        return (index * 7 + number).astype(np.uint32)
    return (orbit * 12.5 + random.normal(0, 0.01, len(index))).astype(np.float32)


def _median_ms(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began_s = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began_s) * 1000)
    return statistics.median(times)


def _octets(folder: Path, server: ClickHouseServer | None) -> int:
    if server is None:
        return sum(file.stat().st_size for file in folder.glob("segments.sqlite3*"))
    query = "SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active AND table = 'samples'"
    [octets] = server.select(query)["n"].to_pylist()
    return int(octets)


if __name__ == "__main__":
    main()
