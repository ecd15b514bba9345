"""Where rows of columns are put: the seam between the packet log and what holds history."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, Protocol

from telemetry.archive.database import ColumnPlace, transaction
from telemetry.archive.segments import insert_segment
from telemetry.archive.waiting import WaitingColumns

Note = Callable[[sqlite3.Connection], None]


class ColumnStore(Protocol):
    """Stores rows; those that it has are not stored twice."""

    @property
    def place(self) -> ColumnPlace:
        """What the archive's database is told of where its columns are."""
        ...

    @property
    def stored_within_s(self) -> float:
        """How long rows should wait to be stored together."""
        ...

    def require_ready(self) -> None:
        """Make what is needed to store rows.

        Raises:
            ArchiveUnavailableError: They could not be stored now.
        """
        ...

    def store(self, edition: int, waiting: WaitingColumns) -> Note:
        """Store rows.

        Returns:
            What notes them in the archive's database, to be called inside a transaction.

        Raises:
            ArchiveUnavailableError: Nothing, or a part, was stored; to be done again.
        """
        ...

    def keep_edition(self, spacecraft: str, edition: int) -> None:
        """Delete the rows of a spacecraft that are of another edition.

        Those that are in the archive's database are its owner's business.
        """
        ...

    def forget_before(self, connection: sqlite3.Connection, edition: int, time_us: int) -> int:
        """Delete rows that were generated before an instant, outside any transaction.

        Returns:
            How many segments went, or where there are none, values.
        """
        ...


class SegmentStore:
    """Column segments in the archive's database itself."""

    place: Final = ColumnPlace.FOLDER
    stored_within_s: Final = 0.1

    def require_ready(self) -> None:
        """Do nothing: the database was made with its tables."""

    def store(self, edition: int, waiting: WaitingColumns) -> Note:
        segments = waiting.encoded()

        def note(connection: sqlite3.Connection) -> None:
            for segment in segments:
                insert_segment(connection, edition, segment)

        return note

    def keep_edition(self, spacecraft: str, edition: int) -> None:
        """Do nothing: there are none outside the database."""

    def forget_before(self, connection: sqlite3.Connection, edition: int, time_us: int) -> int:
        with transaction(connection, "IMMEDIATE"):
            return connection.execute(
                "DELETE FROM segment WHERE edition = ? AND last_us < ?", (edition, time_us)
            ).rowcount
