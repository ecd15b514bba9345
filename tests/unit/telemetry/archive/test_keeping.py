"""Integrity check and retention."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from telemetry.archive import (
    ColumnGroup,
    RawPacket,
    check,
    compact,
    forget_before,
    open_reader,
    open_writer,
)

START = datetime(2026, 12, 1, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000


def packet(second: int) -> RawPacket:
    return RawPacket(
        spacecraft="DD-1",
        apid=100,
        sequence_count=second % 16384,
        generated_at=START + timedelta(seconds=second),
        received_at=START + timedelta(seconds=second + 5),
        station="KASHI",
        octets=bytes([second % 256]) * 30,
    )


def group(seconds) -> ColumnGroup:
    seconds = np.array(list(seconds), dtype=np.int64)
    return ColumnGroup(
        spacecraft="DD-1",
        container="Power",
        times_us=START_US + seconds * 1_000_000,
        sequence_counts=(seconds % 16384).astype(np.uint16),
        columns={"VOLT": seconds.astype(np.uint16)},
    )


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """3,000 packets in several files of the log, and their columns."""
    monkeypatch.setattr("telemetry.archive.raw_log.FILE_OCTETS", 4000)
    with open_writer(tmp_path) as writer:
        for first in range(0, 3000, 100):
            seconds = range(first, first + 100)
            writer.append([packet(second) for second in seconds], [group(seconds)])
    return tmp_path


def corrupt(file, offset: int) -> None:
    octets = bytearray(file.read_bytes())
    octets[offset] ^= 1
    file.write_bytes(octets)


class TestCheck:
    def test_finds_no_fault_in_a_good_archive(self, archive):
        report = check(archive)
        assert (report.packets, report.rows, report.faults) == (3000, 3000, [])
        compact(archive)
        assert check(archive).faults == []

    def test_finds_an_octet_that_changed_in_the_packet_log(self, archive):
        corrupt(sorted((archive / "raw").glob("*.log"))[1], 200)
        [fault] = check(archive).faults
        assert "is damaged" in fault

    def test_finds_values_that_are_not_what_their_statistics_say(self, archive):
        with sqlite3.connect(archive / "segments.sqlite3") as connection:
            connection.execute("UPDATE segment_column SET maximum = 7 WHERE segment_id = 3")
        [fault] = check(archive).faults
        assert fault == "segment 3 of Power: the extremes of VOLT are not those of its values"

    def test_finds_columns_that_cannot_be_decoded(self, archive):
        with sqlite3.connect(archive / "segments.sqlite3") as connection:
            connection.execute("UPDATE segment_column SET data = x'00' WHERE segment_id = 3")
        [fault] = check(archive).faults
        assert fault.startswith("segment 3 of Power: VOLT cannot be read")

    def test_finds_packets_that_the_index_does_not_know(self, archive):
        with sqlite3.connect(archive / "segments.sqlite3") as connection:
            connection.execute("DELETE FROM packet_batch WHERE id = 4")
        [fault] = check(archive).faults
        assert fault == "the index knows 2900 packets, the log holds 3000; rebuild the archive"


class TestRetention:
    @pytest.mark.parametrize("compacted", [False, True])
    def test_deletes_whole_files_of_old_packets_and_keeps_the_rest(self, archive, compacted):
        if compacted:
            compact(archive)
        report = forget_before(archive, packets=START + timedelta(seconds=1500))
        assert report.files > 0
        with open_reader(archive) as reader:
            page = reader.packets_since(0, spacecraft="DD-1", limit=5000)
        left = [p.sequence_count for p in page.packets]
        assert left == list(range(left[0], 3000))
        assert 500 < left[0] <= 1500
        assert check(archive).faults == []

    def test_deletes_old_columns_and_keeps_the_newest_values(self, archive):
        report = forget_before(archive, columns=START + timedelta(days=1))
        assert report.segments == 30
        with open_reader(archive) as reader:
            samples = reader.read(
                spacecraft="DD-1", parameter="VOLT", start=START, end=START + timedelta(days=1)
            )
            assert len(samples) == 0
            assert reader.latest(spacecraft="DD-1")["VOLT"].raw.tolist() == [2999]

    def test_a_writer_goes_on_after_it(self, archive):
        forget_before(archive, packets=START + timedelta(days=1))
        with open_writer(archive) as writer:
            writer.append([packet(3000)], [group([3000])])
        assert check(archive).faults == []
