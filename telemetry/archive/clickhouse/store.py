"""Puts columns into ClickHouse."""

from __future__ import annotations

import sqlite3
from typing import Final

from telemetry.archive.clickhouse.samples import CREATE_TABLE, INSERT, table_of
from telemetry.archive.clickhouse.server import ClickHouseServer
from telemetry.archive.column_store import Note
from telemetry.archive.database import ColumnPlace
from telemetry.archive.last_rows import last_row, note_last_row
from telemetry.archive.waiting import WaitingColumns


class ClickHouseStore:
    """See :class:`telemetry.archive.column_store.ColumnStore`."""

    place: Final = ColumnPlace.CLICKHOUSE
    # Each insert makes files that the server has to merge: it wants few of them.
    stored_within_s: Final = 1.0

    def __init__(self, server: ClickHouseServer) -> None:
        self._server = server
        self._is_ready = False

    def require_ready(self) -> None:
        # Whose table was made by somebody else need not be allowed to make one.
        found = self._server.select(
            "SELECT name FROM system.tables"
            " WHERE database = currentDatabase() AND name = 'samples'"
        )
        if not len(found):
            self._server.run(CREATE_TABLE)

    def store(self, edition: int, waiting: WaitingColumns) -> Note:
        groups = list(waiting.together())
        if any(rows.columns for _, _, rows in groups):
            if not self._is_ready:
                self.require_ready()
            self._is_ready = False  # until this is stored
            self._server.insert(INSERT, table_of(edition, groups))
            self._is_ready = True
        last = [last_row(spacecraft, container, rows) for spacecraft, container, rows in groups]

        def note(connection: sqlite3.Connection) -> None:
            for row in last:
                note_last_row(connection, edition, row)

        return note

    def keep_edition(self, spacecraft: str, edition: int) -> None:
        self.require_ready()
        self._server.run(
            "DELETE FROM samples"
            " WHERE spacecraft = {spacecraft:String} AND edition != {edition:UInt32}",
            spacecraft=spacecraft,
            edition=edition,
        )

    def forget_before(self, connection: sqlite3.Connection, edition: int, time_us: int) -> int:
        self.require_ready()
        known = connection.execute(
            "SELECT DISTINCT spacecraft FROM newest_value WHERE edition = ?", (edition,)
        )
        return sum(self._forget(spacecraft, edition, time_us) for (spacecraft,) in known)

    def _forget(self, spacecraft: str, edition: int, time_us: int) -> int:
        which = (
            "FROM samples WHERE spacecraft = {spacecraft:String} AND edition = {edition:UInt32}"
            " AND time_us < {time_us:Int64}"
        )
        asked: dict[str, str | int] = {
            "spacecraft": spacecraft,
            "edition": edition,
            "time_us": time_us,
        }
        [old] = self._server.select(f"SELECT count() AS old {which}", **asked)["old"].to_pylist()
        if old:
            self._server.run(f"DELETE {which}", **asked)
        return int(old)
