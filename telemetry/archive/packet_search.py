"""Finds packets in the log for those who look at single ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.archive.database import archive_state, transaction
from telemetry.archive.interface import StoredPacket
from telemetry.archive.packet_rows import PacketRows, to_us
from telemetry.archive.raw_log import Block, RawLog

_LARGEST: Final = (1 << 63) - 1


def holds_any(held: str, apids: Collection[int] | None) -> bool:
    """Return whether a range with the APIDs *held* has one that is asked for; None: all are."""
    return apids is None or any(int(apid) in apids for apid in held.split())


def is_wanted(
    rows: PacketRows, spacecraft: str, apids: Collection[int] | None
) -> npt.NDArray[np.bool_]:
    """Return which rows are of a spacecraft and have an APID that is asked for."""
    if rows.spacecraft != spacecraft:
        return np.zeros(len(rows), dtype=np.bool_)
    if apids is None:
        return np.ones(len(rows), dtype=np.bool_)
    return np.isin(rows.apids, np.array(sorted(apids), dtype=np.uint16))


def newest_packets(
    connection: sqlite3.Connection,
    log: RawLog,
    *,
    spacecraft: str,
    before_us: int,
    apids: Collection[int] | None,
    limit: int,
) -> list[StoredPacket]:
    """See ``ArchiveReader.newest_packets``."""
    found: list[StoredPacket] = []
    for last_us, blocks in _newest_first(connection, log, spacecraft, before_us, apids):
        if len(found) == limit and last_us < to_us(found[-1].generated_at):
            break  # what follows is older than all of these
        for block in blocks:
            found += _newest_of(block.rows(), spacecraft, before_us, apids, limit)
            found.sort(key=lambda packet: (packet.generated_at, packet.cursor), reverse=True)
            del found[limit:]
    return found


def _newest_of(
    rows: PacketRows,
    spacecraft: str,
    before_us: int,
    apids: Collection[int] | None,
    limit: int,
) -> list[StoredPacket]:
    wanted = (rows.generated_us < before_us) & is_wanted(rows, spacecraft, apids)
    chosen = np.flatnonzero(wanted)
    newest = chosen[np.argsort(rows.generated_us[chosen], kind="stable")][-limit:]
    return [rows.packet(row) for row in newest.tolist()]


def _newest_first(
    connection: sqlite3.Connection,
    log: RawLog,
    spacecraft: str,
    before_us: int,
    apids: Collection[int] | None,
) -> Iterator[tuple[int, Iterator[Block]]]:
    """Yield parts of the log, each with a time that none from there on is generated after."""
    with transaction(connection, "DEFERRED"):
        edition, committed_end = archive_state(connection)
        ranges = connection.execute(
            "SELECT last_us, first_position, end_position, apids FROM packet_batch"
            " WHERE edition = ? AND spacecraft = ? AND first_us < ? ORDER BY last_us DESC",
            (edition, spacecraft, before_us),
        ).fetchall()
    # On the disk, and the database hears of them with the next flush.
    yield _LARGEST, log.whole_blocks(committed_end)
    for last_us, first, end, held in ranges:
        if holds_any(held, apids):
            yield last_us, log.blocks(first, end)


def packet_at(
    connection: sqlite3.Connection, log: RawLog, cursor: int, *, spacecraft: str
) -> StoredPacket | None:
    """See ``ArchiveReader.packet_at``."""
    if not 0 < cursor <= _LARGEST:  # more than SQLite can be asked for
        return None
    with transaction(connection, "DEFERRED"):
        edition, committed_end = archive_state(connection)
        ranges = connection.execute(
            "SELECT first_position, end_position FROM packet_batch WHERE edition = ?"
            " AND spacecraft = ? AND first_position < ? AND end_position >= ?",
            (edition, spacecraft, cursor, cursor),
        ).fetchall()
    blocks = [block for first, end in ranges for block in log.blocks(first, end)]
    for block in blocks or log.whole_blocks(committed_end):
        if block.start < cursor <= block.end:
            rows = block.rows()
            at = np.flatnonzero(rows.cursors == cursor)
            return rows.packet(int(at[0])) if len(at) and rows.spacecraft == spacecraft else None
    return None
