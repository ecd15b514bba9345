"""Opens an archive: its columns are in its folder, or in ClickHouse."""

from __future__ import annotations

from pathlib import Path

from telemetry.archive.clickhouse.reader import ClickHouseArchiveReader
from telemetry.archive.clickhouse.server import ClickHouseServer
from telemetry.archive.clickhouse.store import ClickHouseStore
from telemetry.archive.column_store import ColumnStore, SegmentStore
from telemetry.archive.interface import ArchiveReader
from telemetry.archive.reader import SqliteArchiveReader
from telemetry.archive.writer import FolderWriter


def open_reader(path: Path, *, clickhouse: ClickHouseServer | None = None) -> ArchiveReader:
    """Open the archive in the folder *path*; an empty one is made where there is none.

    Args:
        path: The archive's folder.
        clickhouse: Where its columns are; default: in the folder.
    """
    if clickhouse is None:
        return SqliteArchiveReader(path)
    return ClickHouseArchiveReader(path, clickhouse)


def open_writer(path: Path, *, clickhouse: ClickHouseServer | None = None) -> FolderWriter:
    """Open the archive in the folder *path* for writing; made where there is none.

    Args:
        path: The archive's folder.
        clickhouse: Where its columns are put; default: in the folder.

    Raises:
        ArchiveLockedError: Another process is writing it.
        ArchiveDamagedError: Packets that were safely written are missing.
    """
    return FolderWriter(path, column_store(clickhouse))


def column_store(clickhouse: ClickHouseServer | None) -> ColumnStore:
    """Return where columns are put: into the archive's folder, or a server."""
    return SegmentStore() if clickhouse is None else ClickHouseStore(clickhouse)
