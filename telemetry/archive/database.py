"""The SQLite file of column segments, and the folder it stands in.

Write-ahead logging lets many processes read while one writes. The packet log
is the source of truth and is fsynced by itself, so the database may lose its
last transactions in a power cut: ``committed_end`` tells how far it had come.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import IO, Final

from telemetry.archive.interface import (
    ArchiveError,
    ArchiveLockedError,
    ArchiveUnavailableError,
)

_BUSY_TIMEOUT_S: Final = 30.0


class ColumnPlace(IntEnum):
    """Where the columns of an archive are; written into its database as its format."""

    FOLDER = 2  # segments in the same database
    CLICKHOUSE = 3  # the tables of segments are empty

    def __str__(self) -> str:
        return "its folder" if self is ColumnPlace.FOLDER else "ClickHouse"


# A new edition is built beside the one in force when the archive is rebuilt.
_SCHEMA: Final = """
CREATE TABLE archive_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    edition INTEGER NOT NULL,
    committed_end INTEGER NOT NULL
);
INSERT INTO archive_state VALUES (1, 1, 0);
CREATE TABLE packet_batch (
    id INTEGER PRIMARY KEY,
    edition INTEGER NOT NULL,
    spacecraft TEXT NOT NULL,
    first_position INTEGER NOT NULL,
    end_position INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    apids TEXT NOT NULL
);
CREATE INDEX packet_batch_by_position
    ON packet_batch (edition, spacecraft, end_position);
CREATE TABLE source_position (
    source TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE newest_value (
    edition INTEGER NOT NULL,
    spacecraft TEXT NOT NULL,
    parameter TEXT NOT NULL,
    container TEXT NOT NULL,
    time_us INTEGER NOT NULL,
    sequence_count INTEGER NOT NULL,
    dtype TEXT NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (edition, spacecraft, parameter)
) WITHOUT ROWID;
CREATE TABLE container_parameter (
    edition INTEGER NOT NULL,
    spacecraft TEXT NOT NULL,
    parameter TEXT NOT NULL,
    container TEXT NOT NULL,
    PRIMARY KEY (edition, spacecraft, parameter, container)
) WITHOUT ROWID;
CREATE TABLE segment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    edition INTEGER NOT NULL,
    spacecraft TEXT NOT NULL,
    container TEXT NOT NULL,
    layout TEXT NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    times_codec INTEGER NOT NULL,
    times BLOB NOT NULL,
    counts_codec INTEGER NOT NULL,
    counts BLOB NOT NULL
);
CREATE INDEX segment_by_time
    ON segment (edition, spacecraft, container, last_us, first_us);
CREATE TABLE segment_column (
    segment_id INTEGER NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    parameter TEXT NOT NULL,
    dtype TEXT NOT NULL,
    codec INTEGER NOT NULL,
    minimum REAL,
    maximum REAL,
    total REAL,
    finite INTEGER,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX segment_column_by_name
    ON segment_column (segment_id, parameter);
CREATE TABLE segment_rollup (
    parameter TEXT NOT NULL,
    width_us INTEGER NOT NULL,
    segment_id INTEGER NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    first_bin_us INTEGER NOT NULL,
    bins BLOB NOT NULL,
    PRIMARY KEY (parameter, width_us, segment_id)
) WITHOUT ROWID;
CREATE INDEX segment_rollup_by_segment ON segment_rollup (segment_id);
"""


@dataclass(frozen=True, slots=True)
class ArchiveFolder:
    """Where the parts of an archive stand."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "segments.sqlite3"

    @property
    def raw(self) -> Path:
        return self.path / "raw"

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        """Open the database, which is made where it does not exist.

        Raises:
            ArchiveError: It was written by another version of this program.
        """
        if not self.database.exists():
            self._create()
        if read_only:
            connection = sqlite3.connect(
                f"{self.database.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
            )
        else:
            # Its owner may be several threads that take turns.
            connection = sqlite3.connect(
                self.database,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version not in set(ColumnPlace):
            connection.close()
            raise ArchiveError(
                f"{self.database} has format {version}, this program reads"
                f" {ColumnPlace.FOLDER:d} and {ColumnPlace.CLICKHOUSE:d}; move it away and"
                " rebuild the archive from its packet log"
            )
        return connection

    def _create(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        with self.locked("creation", wait=True):
            if self.database.exists():  # another process was faster
                return
            # Built aside and renamed, so that nobody meets it half made.
            unfinished = self.path / "segments.sqlite3.new"
            unfinished.unlink(missing_ok=True)
            connection = sqlite3.connect(unfinished)
            try:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
                note_place(connection, ColumnPlace.FOLDER)
            finally:
                connection.close()
            unfinished.rename(self.database)

    @contextmanager
    def locked(self, name: str, *, wait: bool = False) -> Iterator[None]:
        """Hold the lock called *name* while the context lasts."""
        lock = self.lock(name, wait=wait)
        try:
            yield
        finally:
            lock.close()

    def lock(self, name: str, *, wait: bool = False) -> IO[bytes]:
        """Take a lock, which the kernel gives back when the process ends.

        Raises:
            ArchiveLockedError: Another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        file = (self.path / f"{name}.lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            file.close()
            raise ArchiveLockedError(
                f"another process holds the {name} lock of {self.path}; only one may"
            ) from error
        return file


@contextmanager
def transaction(connection: sqlite3.Connection, mode: str) -> Iterator[None]:
    """Run statements in one transaction: ``DEFERRED`` to read, ``IMMEDIATE`` to write."""
    connection.execute(f"BEGIN {mode}")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def archive_state(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return (edition in force, end of the packet log that it covers)."""
    edition, end = connection.execute(
        "SELECT edition, committed_end FROM archive_state"
    ).fetchone()
    return int(edition), int(end)


def place_of(connection: sqlite3.Connection) -> ColumnPlace:
    """Return where the columns are."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return ColumnPlace(version)


def note_place(connection: sqlite3.Connection, place: ColumnPlace) -> None:
    """Note where the columns are; inside a transaction it is part of it."""
    connection.execute(f"PRAGMA user_version = {place:d}")


def require_place(connection: sqlite3.Connection, place: ColumnPlace) -> None:
    """Let columns be nowhere, or in *place*.

    Raises:
        ArchiveUnavailableError: They are somewhere else.
    """
    known = place_of(connection)
    [has_columns] = connection.execute("SELECT EXISTS (SELECT 1 FROM newest_value)").fetchone()
    if has_columns and known is not place:
        raise ArchiveUnavailableError(
            f"the columns of this archive are in {known}, and ARCHIVE_URL says {place}: set it"
            " back, or bring them there with manage.py rebuild_archive"
        )
