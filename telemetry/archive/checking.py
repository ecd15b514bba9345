"""Whether an archive is whole: every block, every segment, and the one against the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from telemetry.archive.codec import decode_column
from telemetry.archive.database import (
    ArchiveFolder,
    ColumnPlace,
    archive_state,
    place_of,
    transaction,
)
from telemetry.archive.interface import ArchiveDamagedError
from telemetry.archive.raw_log import RawLog
from telemetry.archive.rollups import Rollup


@dataclass(slots=True)
class CheckReport:
    """What was looked at, and what is wrong; nothing: the archive is whole."""

    packets: int = 0
    blocks: int = 0
    segments: int = 0
    rows: int = 0
    columns_in: ColumnPlace = ColumnPlace.FOLDER  # those elsewhere are not looked at
    faults: list[str] = field(default_factory=list)


def check(path: Path) -> CheckReport:
    """Read everything in the archive in the folder *path*.

    Safe at any time; what is written meanwhile is not looked at. Blocks are checked by
    their checksums and the index by the blocks; segments by decoding them, and their
    statistics and rollups by the values.
    """
    folder = ArchiveFolder(path)
    connection = folder.connect(read_only=True)
    report = CheckReport()
    try:
        with transaction(connection, "DEFERRED"):
            edition, covered_end = archive_state(connection)
            report.columns_in = place_of(connection)
            [answer] = connection.execute("PRAGMA quick_check(1)").fetchone()
            if answer != "ok":
                report.faults.append(f"the database is damaged: {answer}")
            _check_log(RawLog(folder.raw), covered_end, report)
            _check_index(connection, edition, report)
            for segment in connection.execute(
                "SELECT id, container, first_us, last_us, row_count, times_codec, times,"
                " counts_codec, counts FROM segment WHERE edition = ?",
                (edition,),
            ):
                report.segments += 1
                report.rows += segment[4]
                report.faults += _segment_faults(connection, segment)
    finally:
        connection.close()
    return report


def _check_log(log: RawLog, end: int, report: CheckReport) -> None:
    try:
        for block in log.blocks(log.begin(), end):
            report.packets += len(block.rows())
            report.blocks += 1
    except ArchiveDamagedError as error:
        report.faults.append(str(error))


def _check_index(connection: sqlite3.Connection, edition: int, report: CheckReport) -> None:
    [known] = connection.execute(
        "SELECT TOTAL(packets) FROM packet_batch WHERE edition = ?", (edition,)
    ).fetchone()
    if int(known) != report.packets and not report.faults:
        report.faults.append(
            f"the index knows {int(known)} packets, the log holds {report.packets};"
            " rebuild the archive"
        )


def _segment_faults(
    connection: sqlite3.Connection, segment: tuple[int, str, int, int, int, int, bytes, int, bytes]
) -> Iterator[str]:
    segment_id, container, first_us, last_us, count, times_codec, times, counts_codec, counts = (
        segment
    )
    name = f"segment {segment_id} of {container}"
    try:
        times_us = decode_column(times_codec, times, "<i8", count)
        decode_column(counts_codec, counts, "<u2", count)
        if (times_us[0], times_us[-1]) != (first_us, last_us) or (np.diff(times_us) < 0).any():
            yield f"{name}: its times are not what its head says"
    except Exception as error:  # whatever a decoder says of damaged octets
        yield f"{name}: its times cannot be read: {error}"
        return
    for parameter, dtype, codec, minimum, maximum, data in connection.execute(
        "SELECT parameter, dtype, codec, minimum, maximum, data FROM segment_column"
        " WHERE segment_id = ?",
        (segment_id,),
    ):
        try:
            column = decode_column(codec, data, dtype, count)
        except Exception as error:  # whatever a decoder says of damaged octets
            yield f"{name}: {parameter} cannot be read: {error}"
            continue
        if minimum is None:
            continue
        finite = column[np.isfinite(column)]
        if (float(finite.min()), float(finite.max())) != (minimum, maximum):
            yield f"{name}: the extremes of {parameter} are not those of its values"
        yield from _rollup_faults(connection, segment_id, name, parameter, count)


def _rollup_faults(
    connection: sqlite3.Connection, segment_id: int, name: str, parameter: str, count: int
) -> Iterator[str]:
    for width_us, first_bin_us, bins in connection.execute(
        "SELECT width_us, first_bin_us, bins FROM segment_rollup"
        " WHERE parameter = ? AND segment_id = ?",
        (parameter, segment_id),
    ):
        counted = int(Rollup.decode(width_us, first_bin_us, bins).bins["samples"].sum())
        if counted != count:
            yield f"{name}: a rollup of {parameter} counts {counted} of {count} samples"
