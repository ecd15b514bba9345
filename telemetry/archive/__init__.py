"""The history of telemetry: raw packets first, then columns of raw values.

One writer process, many readers::

    with open_writer(folder) as writer:
        writer.append(packets, groups)
    with open_reader(folder) as reader:
        samples = reader.read(spacecraft="DD-1", parameter="PWR_BATT_V", start=..., end=...)

The raw packet log is the source of truth. It is on the disk before
:meth:`append` returns, and everything else can be rebuilt from it with
:func:`rebuild`. Values are archived raw; the caller calibrates what it reads.
:func:`compact` runs beside the writer, in any process. Columns are segments in the
archive's folder, or in a :class:`ClickHouseServer`; packets are always in the folder.
"""

from telemetry.archive.checking import CheckReport, check
from telemetry.archive.clickhouse.server import ClickHouseServer
from telemetry.archive.compaction import CompactionReport, compact
from telemetry.archive.database import ColumnPlace
from telemetry.archive.interface import (
    Affine,
    ArchiveDamagedError,
    ArchiveError,
    ArchiveLockedError,
    ArchiveReader,
    ArchiveUnavailableError,
    ArchiveWriter,
    ColumnGroup,
    Decimated,
    LatestValue,
    PacketPage,
    RawPacket,
    Samples,
    Segmenter,
    StoredPacket,
)
from telemetry.archive.opening import column_store, open_reader, open_writer
from telemetry.archive.packet_rows import PacketRows
from telemetry.archive.rebuilding import rebuild
from telemetry.archive.retention import RetentionReport, forget_before
from telemetry.archive.writer import has_packets_without_columns

__all__ = [
    "Affine",
    "ArchiveDamagedError",
    "ArchiveError",
    "ArchiveLockedError",
    "ArchiveReader",
    "ArchiveUnavailableError",
    "ArchiveWriter",
    "CheckReport",
    "ClickHouseServer",
    "ColumnGroup",
    "ColumnPlace",
    "CompactionReport",
    "Decimated",
    "LatestValue",
    "PacketPage",
    "PacketRows",
    "RawPacket",
    "RetentionReport",
    "Samples",
    "Segmenter",
    "StoredPacket",
    "check",
    "column_store",
    "compact",
    "forget_before",
    "has_packets_without_columns",
    "open_reader",
    "open_writer",
    "rebuild",
]
