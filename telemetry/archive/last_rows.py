"""What the database knows of the newest values, and of which containers hold a parameter."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.archive.codec import dtype_text, plain
from telemetry.archive.merging import Rows

# Of equal instants the row with the higher count, modulo its range, would be the newer;
# which of the two is shown does not matter.
_KEEP_NEWEST = """
INSERT INTO newest_value VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET container = excluded.container, time_us = excluded.time_us,
    sequence_count = excluded.sequence_count, dtype = excluded.dtype, raw = excluded.raw
    WHERE excluded.time_us > time_us
"""


@dataclass(frozen=True, slots=True)
class LastRow:
    """The last of some rows of one container."""

    spacecraft: str
    container: str
    time_us: int
    sequence_count: int
    values: Sequence[tuple[str, str, bytes]]  # parameter, type and value


def last_row(spacecraft: str, container: str, rows: Rows) -> LastRow:
    """Return the last of rows, of which there is at least one."""
    return LastRow(
        spacecraft,
        container,
        int(rows.times_us[-1]),
        int(rows.sequence_counts[-1]),
        [(name, dtype_text(c), plain(c[-1:])) for name, c in rows.columns.items()],
    )


def note_last_row(connection: sqlite3.Connection, edition: int, row: LastRow) -> None:
    """Keep its values where they are the newest, inside the caller's transaction."""
    connection.executemany(
        _KEEP_NEWEST,
        [
            (
                *(edition, row.spacecraft, name, row.container),
                *(row.time_us, row.sequence_count, dtype, raw),
            )
            for name, dtype, raw in row.values
        ],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO container_parameter VALUES (?, ?, ?, ?)",
        [(edition, row.spacecraft, name, row.container) for name, _, _ in row.values],
    )
