from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.archive import (
    ArchiveDamagedError,
    ArchiveError,
    ArchiveLockedError,
    ColumnGroup,
    RawPacket,
    compact,
    open_reader,
    open_writer,
    rebuild,
)
from telemetry.archive.packet_rows import rows_of_packets

START = datetime(2026, 12, 1, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
YEAR = timedelta(days=365)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def packet(second: int, *, apid: int = 100, spacecraft: str = "DD-1", octets: bytes | None = None):
    return RawPacket(
        spacecraft=spacecraft,
        apid=apid,
        sequence_count=second % 16384,
        generated_at=at(second),
        received_at=at(second + 5),
        station="KASHI",
        octets=bytes([second % 256]) * 20 if octets is None else octets,
    )


def group(seconds, values=None, *, container: str = "Power", parameter: str = "VOLT", **more):
    seconds = list(seconds)
    column = np.array(seconds if values is None else values, dtype=more.pop("dtype", np.uint16))
    return ColumnGroup(
        spacecraft=more.pop("spacecraft", "DD-1"),
        container=container,
        times_us=np.array([START_US + s * 1_000_000 for s in seconds], dtype=np.int64),
        sequence_counts=np.array([s % 16384 for s in seconds], dtype=np.uint16),
        columns={parameter: column, **more},
    )


def read(folder: Path, parameter: str = "VOLT", *, start=START - YEAR, end=START + YEAR, **more):
    with open_reader(folder) as reader:
        return reader.read(spacecraft="DD-1", parameter=parameter, start=start, end=end, **more)


def segment_again(rows):
    """Decode test packets: the value is the first octet."""
    return [
        group(
            ((rows.generated_us - START_US) // 1_000_000).tolist(),
            [octets[0] for octets in rows.packets],
            spacecraft=rows.spacecraft,
        )
    ]


def decoded(packets):
    """The same of packets that are still to be logged."""
    return [own for rows in rows_of_packets(packets) for own in segment_again(rows)]


class TestLateDuplicateAndOverlappingData:
    """A first design keyed segments by their hour, and lost what was dumped again."""

    @settings(max_examples=30, deadline=None)
    @given(
        deliveries=st.lists(
            st.lists(st.integers(0, 60), min_size=1, max_size=40), min_size=1, max_size=10
        ),
        compact_after=st.sets(st.integers(0, 10)),
    )
    def test_every_sample_is_read_once_whatever_came_when(self, deliveries, compact_after):
        folder = Path(tempfile.mkdtemp())
        try:
            with open_writer(folder) as writer:
                for number, seconds in enumerate(deliveries):
                    writer.append([], [group(seconds)])
                    if number in compact_after:
                        compact(folder, target_rows=50, min_segments=2)
            expected = sorted({s for seconds in deliveries for s in seconds})
            samples = read(folder)
            assert samples.values.tolist() == expected
            assert samples.times_us.tolist() == [START_US + s * 1_000_000 for s in expected]
            with open_reader(folder) as reader:
                for buckets in (1, 7, 61):
                    decimated = reader.read_decimated(
                        spacecraft="DD-1",
                        parameter="VOLT",
                        start=START,
                        end=at(61),
                        buckets=buckets,
                    )
                    assert decimated.count.sum() == len(expected)
                    assert decimated.minimum.min() == expected[0]
                    assert decimated.maximum.max() == expected[-1]
                    total = (decimated.mean * decimated.count).sum()
                    assert total == pytest.approx(sum(expected))
                assert reader.latest(spacecraft="DD-1")["VOLT"].raw.tolist() == [expected[-1]]
        finally:
            shutil.rmtree(folder)

    def test_samples_of_one_instant_differ_by_their_sequence_count(self, tmp_path):
        both = ColumnGroup(
            spacecraft="DD-1",
            container="Power",
            times_us=np.array([START_US, START_US, START_US]),
            sequence_counts=np.array([8, 7, 8], dtype=np.uint16),
            columns={"VOLT": np.array([80, 70, 81])},
        )
        with open_writer(tmp_path) as writer:
            writer.append([], [both])
        assert read(tmp_path).values.tolist() == [70, 80]

    def test_the_first_of_equal_rows_stays_also_after_compaction(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([1, 2], [10, 20])])
            writer.append([], [group([2, 3], [99, 30])])
            before = read(tmp_path).values.tolist()
            compact(tmp_path, min_segments=2)
            writer.append([], [group([1, 3], [98, 97])])
            compact(tmp_path, min_segments=2)
        assert before == [10, 20, 30]
        assert read(tmp_path).values.tolist() == [10, 20, 30]

    def test_a_merged_segment_keeps_the_age_of_its_oldest(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([1], [10])])
            # Another layout, so that it is not merged with the others.
            writer.append([], [group([0, 1], [0, 99], OTHER=np.array([1, 1]))])
            writer.append([], [group([2], [20])])
        assert compact(tmp_path, min_segments=2).segments_before == 2
        assert read(tmp_path).values.tolist() == [0, 10, 20]

    def test_a_sequence_count_that_comes_round_again_is_another_row(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([16384 + 5, 5])])
        assert read(tmp_path).sequence_counts.tolist() == [5, 5]
        assert len(read(tmp_path)) == 2


class TestRead:
    def test_takes_the_start_and_leaves_the_end(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group(range(100))])
        assert read(tmp_path, start=at(10), end=at(20)).values.tolist() == list(range(10, 20))

    def test_gives_the_newest_when_limited(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group(range(50, 100)), group(range(50))])
        samples = read(tmp_path, limit=3)
        assert samples.values.tolist() == [97, 98, 99]
        assert samples.sequence_counts.tolist() == [97, 98, 99]

    def test_gives_nothing_of_a_parameter_or_spacecraft_that_was_never_archived(self, tmp_path):
        assert len(read(tmp_path)) == 0
        with open_writer(tmp_path) as writer:
            writer.append([], [group([1], spacecraft="DD-2")])
        assert len(read(tmp_path)) == 0

    def test_interleaves_a_parameter_that_stands_in_two_containers(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([1, 3]), group([2, 4], container="Thermal")])
        assert read(tmp_path).values.tolist() == [1, 2, 3, 4]

    @pytest.mark.parametrize("count", [1, 31, 32, 1000])
    @pytest.mark.parametrize(
        "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "V5"]
    )
    def test_keeps_every_type_bit_for_bit(self, tmp_path, dtype, count):
        octets = np.random.default_rng(3).bytes(count * np.dtype(dtype).itemsize)
        values = np.frombuffer(octets, dtype=dtype)
        with open_writer(tmp_path) as writer:
            writer.append([], [group(range(count), OTHER=values)])
        samples = read(tmp_path, "OTHER")
        assert samples.values.dtype == np.dtype(dtype)
        assert samples.values.tobytes() == octets

    def test_joins_values_that_became_wider(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([1], [200], dtype="u1"), group([2], [60000], dtype="u2")])
            writer.append([], [group([1], TEXT=np.frombuffer(b"ab", "V2"))])
            writer.append([], [group([2], TEXT=np.frombuffer(b"abc", "V3"))])
        assert read(tmp_path).values.tolist() == [200, 60000]
        assert [bytes(v) for v in read(tmp_path, "TEXT").values] == [b"ab\0", b"abc"]

    def test_refuses_columns_of_different_length_and_logs_nothing(self, tmp_path):
        with open_writer(tmp_path) as writer:
            with pytest.raises(ArchiveError, match=r"columns of Power have \[1, 2\] rows"):
                writer.append([packet(1)], [group([1, 2], [1])])
            assert writer.packets_without_columns is False


class TestDecimation:
    def decimate(self, folder, **more):
        settings_ = {"start": START, "end": at(100), "buckets": 10, **more}
        with open_reader(folder) as reader:
            return reader.read_decimated(spacecraft="DD-1", parameter="VOLT", **settings_)

    def test_gives_minimum_maximum_and_mean_of_each_part(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group(range(100))])
        parts = self.decimate(tmp_path)
        assert parts.minimum.tolist() == list(range(0, 100, 10))
        assert parts.maximum.tolist() == list(range(9, 100, 10))
        assert parts.mean.tolist() == [4.5 + 10 * i for i in range(10)]
        assert parts.starts_us.tolist() == [START_US + i * 10_000_000 for i in range(10)]

    def test_leaves_out_parts_without_samples(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([5, 95])])
        parts = self.decimate(tmp_path)
        assert parts.starts_us.tolist() == [START_US, START_US + 90_000_000]
        assert parts.count.tolist() == [1, 1]

    def test_stored_statistics_and_read_values_agree(self, tmp_path):
        with open_writer(tmp_path) as writer:
            for first in range(0, 100, 5):
                writer.append([], [group(range(first, first + 5))])
        stored = self.decimate(tmp_path)
        counted = self.decimate(tmp_path, calibrate=lambda raw: raw)
        for name in ("starts_us", "minimum", "maximum", "mean", "count"):
            assert getattr(stored, name).tolist() == getattr(counted, name).tolist(), name

    def test_calibrates_before_it_looks_for_the_extremes(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group(range(100))])
        parts = self.decimate(tmp_path, buckets=1, calibrate=lambda raw: (raw - 50.0) ** 2)
        assert (parts.minimum.tolist(), parts.maximum.tolist()) == ([0.0], [2500.0])

    def test_ignores_values_that_are_not_finite_but_counts_them(self, tmp_path):
        values = [1.0, np.nan, np.inf, 3.0, np.nan]
        with open_writer(tmp_path) as writer:
            writer.append([], [group([0, 1, 2, 3, 50], values, dtype=np.float32)])
        parts = self.decimate(tmp_path)
        assert (parts.minimum[0], parts.maximum[0], parts.mean[0]) == (1.0, 3.0, 2.0)
        assert parts.count.tolist() == [4, 1]
        assert np.isnan(parts.mean[1])

    def test_refuses_octets(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([1], np.frombuffer(b"ab", "V2"), dtype="V2")])
        with pytest.raises(ArchiveError, match="'VOLT' is no number"):
            self.decimate(tmp_path)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"buckets": 0}, "the least is 1"),
            ({"end": START}, "not after its start"),
            ({"end": START + YEAR * 100, "buckets": 10**6}, "too many for so long"),
        ],
    )
    def test_refuses_an_interval_without_parts(self, tmp_path, wrong, message):
        with pytest.raises(ValueError, match=message):
            self.decimate(tmp_path, **wrong)


class TestLatest:
    def test_is_of_the_newest_generation_time_not_of_the_newest_arrival(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([], [group([10, 11])])
            writer.append([], [group([3, 4]), group([7], container="Thermal", parameter="TEMP")])
        with open_reader(tmp_path) as reader:
            latest = reader.latest(spacecraft="DD-1")
            only = reader.latest(spacecraft="DD-1", parameters={"TEMP"})
        assert latest["VOLT"].raw.tolist() == [11]
        assert latest["VOLT"].time_us == START_US + 11_000_000
        assert (latest["VOLT"].sequence_count, latest["VOLT"].container) == (11, "Power")
        assert list(only) == ["TEMP"]


class TestPackets:
    def test_come_back_octet_for_octet_in_order_of_arrival(self, tmp_path):
        packets = [packet(s, octets=bytes(range(s + 1))) for s in (5, 3, 4, 3)]
        with open_writer(tmp_path) as writer:
            writer.append(packets[:2], [])
            writer.append(packets[2:], [])
        with open_reader(tmp_path) as reader:
            page = reader.packets_since(0, spacecraft="DD-1")
        for stored, sent in zip(page.packets, packets, strict=True):
            for name in ("octets", "apid", "sequence_count", "generated_at", "received_at"):
                assert getattr(stored, name) == getattr(sent, name)

    @settings(max_examples=30, deadline=None)
    @given(
        batches=st.lists(
            st.lists(
                st.tuples(st.sampled_from([100, 110, 120]), st.sampled_from(["DD-1", "DD-2"])),
                max_size=8,
            ),
            max_size=8,
        ),
        limit=st.integers(1, 5),
        compacted=st.booleans(),
    )
    def test_a_follower_sees_each_packet_of_its_apids_once(self, batches, limit, compacted):
        folder = Path(tempfile.mkdtemp())
        try:
            expected, seen, cursor, number = [], [], 0, 0
            with open_writer(folder) as writer, open_reader(folder) as reader:
                for batch in batches:
                    packets = []
                    for apid, spacecraft in batch:
                        number += 1
                        packets.append(packet(number, apid=apid, spacecraft=spacecraft))
                    writer.append(packets, [])
                    if compacted:
                        compact(folder)
                    expected += [
                        p.octets for p in packets if p.apid != 120 and p.spacecraft == "DD-1"
                    ]
                    page = reader.packets_since(
                        cursor, spacecraft="DD-1", apids={100, 110}, limit=limit
                    )
                    seen += [p.octets for p in page.packets]
                    cursor = page.cursor
                for _ in range(len(expected) + 1):
                    page = reader.packets_since(
                        cursor, spacecraft="DD-1", apids={100, 110}, limit=limit
                    )
                    seen += [p.octets for p in page.packets]
                    cursor = page.cursor
            assert seen == expected
        finally:
            shutil.rmtree(folder)

    def test_are_found_by_generation_time(self, tmp_path):
        with open_writer(tmp_path) as writer:
            for second in range(20):
                writer.append([packet(second, apid=100 + second % 2)], [])
        compact(tmp_path)
        with open_reader(tmp_path) as reader:
            found = reader.read_packets(
                spacecraft="DD-1", start=at(4), end=at(9), apids={100}, limit=None
            )
            two = reader.read_packets(spacecraft="DD-1", start=at(4), end=at(9), limit=2)
        assert [p.sequence_count for p in found] == [4, 6, 8]
        assert [p.sequence_count for p in two] == [4, 5]

    @pytest.mark.parametrize("cursor", [-1, 3, 10_000])
    def test_refuses_a_cursor_that_it_never_gave(self, tmp_path, cursor):
        with open_writer(tmp_path) as writer:
            writer.append([packet(1)], [])
        with (
            open_reader(tmp_path) as reader,
            pytest.raises(ArchiveError, match="the cursor"),
        ):
            reader.packets_since(cursor, spacecraft="DD-1")

    def test_lie_in_several_files_when_they_are_many(self, tmp_path, monkeypatch):
        monkeypatch.setattr("telemetry.archive.raw_log.FILE_OCTETS", 500)
        with open_writer(tmp_path) as writer:
            for second in range(50):
                writer.append([packet(second)], [])
        with open_writer(tmp_path) as writer:
            writer.append([packet(50)], [])
        compact(tmp_path)
        assert len(list((tmp_path / "raw").glob("*.log"))) > 5
        with open_reader(tmp_path) as reader:
            page = reader.packets_since(0, spacecraft="DD-1")
            middle = reader.packets_since(page.packets[20].cursor, spacecraft="DD-1")
        assert [p.sequence_count for p in page.packets] == list(range(51))
        assert [p.sequence_count for p in middle.packets] == list(range(21, 51))


def log_file(folder: Path) -> Path:
    [file] = (folder / "raw").glob("*.log")
    return file


class TestCrashes:
    @settings(max_examples=20, deadline=None)
    @given(cut=st.integers(1, 180))
    def test_a_record_cut_short_is_moved_aside_and_writing_goes_on(self, cut):
        folder = Path(tempfile.mkdtemp())
        try:
            with open_writer(folder) as writer:
                known = writer.append([packet(1)], decoded([packet(1)]))
            whole = log_file(folder).read_bytes()
            # What a crash leaves: more octets than the database knows of.
            with log_file(folder).open("ab") as file:
                file.write((whole * 3)[:cut])
            complete = cut // known
            with open_writer(folder) as writer:
                assert writer.dropped_octets == cut - complete * known
                assert writer.packets_without_columns is (complete > 0)
                writer.recover(segment_again)
                writer.append([packet(2)], decoded([packet(2)]))
            with open_reader(folder) as reader:
                page = reader.packets_since(0, spacecraft="DD-1")
            assert [p.sequence_count for p in page.packets] == [1] * (1 + complete) + [2]
            assert read(folder).values.tolist() == [1, 2]
        finally:
            shutil.rmtree(folder)

    def test_columns_that_a_crash_prevented_are_made_from_the_log(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([packet(1)], decoded([packet(1)]))
            # The packets reach the disk; the database does not hear of them.
            writer.log(rows_of_packets([packet(s) for s in range(2, 9)]))
            writer._entries.clear()  # as if it had been killed here
        assert read(tmp_path).values.tolist() == [1]
        with open_writer(tmp_path) as writer:
            assert writer.packets_without_columns
            with pytest.raises(ArchiveError, match="call recover"):
                writer.append([packet(9)], [])
            assert writer.recover(segment_again) == 7
            writer.append([packet(9)], decoded([packet(9)]))
        assert read(tmp_path).values.tolist() == list(range(1, 10))

    def test_a_failing_disk_leaves_no_half_record(self, tmp_path, monkeypatch):
        with open_writer(tmp_path) as writer:
            writer.append([packet(1)], [])

            def full(file, octets):
                real_write(file, octets[:10])
                raise OSError(28, "No space left on device")

            import os

            real_write = os.write
            with monkeypatch.context() as patched:
                patched.setattr("telemetry.archive.raw_log.os.write", full)
                with pytest.raises(OSError, match="No space"):
                    writer.append([packet(2)], [])
            writer.append([packet(3)], [])
        with open_reader(tmp_path) as reader:
            page = reader.packets_since(0, spacecraft="DD-1")
        assert [p.sequence_count for p in page.packets] == [1, 3]

    def test_octets_that_changed_on_the_disk_are_called_damage(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([packet(s) for s in range(5)], [])
        octets = bytearray(log_file(tmp_path).read_bytes())
        octets[len(octets) // 2] ^= 1
        log_file(tmp_path).write_bytes(octets)
        with (
            open_reader(tmp_path) as reader,
            pytest.raises(ArchiveDamagedError, match="is damaged"),
        ):
            reader.packets_since(0, spacecraft="DD-1")

    def test_a_log_shorter_than_was_written_is_called_damage(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([packet(s) for s in range(5)], [])
        log_file(tmp_path).write_bytes(log_file(tmp_path).read_bytes()[:-1])
        with pytest.raises(ArchiveDamagedError, match="octets were written"):
            open_writer(tmp_path)


class TestProcesses:
    def test_one_writes_at_a_time(self, tmp_path):
        with (
            open_writer(tmp_path),
            pytest.raises(ArchiveLockedError, match="another process holds the writer lock"),
        ):
            open_writer(tmp_path)
        with open_writer(tmp_path):
            pass

    def test_a_reader_in_another_process_sees_each_batch_at_once(self, tmp_path):
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        reader = context.Process(target=answer_counts, args=(tmp_path, theirs))
        reader.start()
        try:
            with open_writer(tmp_path) as writer:
                for second in range(5):
                    writer.append([packet(second)], decoded([packet(second)]))
                    ours.send("count")
                    assert ours.poll(20)
                    assert ours.recv() == (second + 1, second + 1)
        finally:
            ours.send("stop")
            reader.join(20)
        assert reader.exitcode == 0


def answer_counts(folder: Path, pipe) -> None:
    with open_reader(folder) as reader:
        while pipe.recv() == "count":
            samples = reader.read(
                spacecraft="DD-1", parameter="VOLT", start=START, end=START + YEAR
            )
            pipe.send((len(samples), len(reader.packets_since(0, spacecraft="DD-1").packets)))


class TestCompaction:
    def test_makes_few_segments_of_many_and_changes_no_value(self, tmp_path):
        with open_writer(tmp_path) as writer:
            for second in range(40):
                writer.append(
                    [packet(second)],
                    [group([second, second + 1], OTHER=np.array([second, second + 1], "f4"))],
                )
        before, other = read(tmp_path), read(tmp_path, "OTHER")
        report = compact(tmp_path)
        assert (report.segments_before, report.segments_after) == (40, 1)
        assert (report.rows_dropped, report.packet_batches_merged) == (39, 39)
        after = read(tmp_path)
        assert after.values.tolist() == before.values.tolist() == list(range(41))
        assert read(tmp_path, "OTHER").values.tolist() == other.values.tolist()

    def test_leaves_large_segments_and_few_small_ones_alone(self, tmp_path):
        with open_writer(tmp_path) as writer:
            for first in range(0, 1000, 100):
                writer.append([], [group(range(first, first + 100))])
        assert compact(tmp_path, target_rows=100).segments_before == 0
        assert compact(tmp_path, min_segments=11).segments_before == 0
        assert compact(tmp_path, target_rows=300, min_segments=2).segments_after == 3

    def test_keeps_segments_of_another_layout_apart(self, tmp_path):
        with open_writer(tmp_path) as writer:
            for second in range(10):
                kind = "u1" if second < 5 else "u2"
                writer.append([], [group([second], dtype=kind)])
        assert compact(tmp_path, min_segments=2).segments_after == 2
        assert read(tmp_path).values.tolist() == list(range(10))

    def test_runs_once_at_a_time(self, tmp_path):
        with (
            open_writer(tmp_path) as writer,
            writer._folder.locked("compaction"),
            pytest.raises(ArchiveLockedError),
        ):
            compact(tmp_path)


class TestRebuild:
    def fill(self, folder: Path) -> None:
        with open_writer(folder) as writer:
            for first in range(0, 60, 3):
                packets = [packet(s) for s in range(first, first + 3)]
                writer.append(packets, decoded(packets))

    def test_gives_the_same_values_from_the_log_alone(self, tmp_path):
        self.fill(tmp_path)
        for file in tmp_path.glob("segments.sqlite3*"):
            file.unlink()
        assert len(read(tmp_path)) == 0
        assert rebuild(tmp_path, segment_again) == 60
        assert read(tmp_path).values.tolist() == list(range(60))
        with open_writer(tmp_path) as writer:
            assert writer.packets_without_columns is False
            writer.append([packet(60)], decoded([packet(60)]))
        assert read(tmp_path).values.tolist() == list(range(61))

    def test_replaces_columns_by_those_of_a_new_dictionary_and_keeps_cursors(self, tmp_path):
        self.fill(tmp_path)
        with open_reader(tmp_path) as reader:
            cursor = reader.packets_since(0, spacecraft="DD-1", limit=30).cursor

            def renamed(rows):
                # What is being built is not seen before it is complete.
                assert len(read(tmp_path)) == 60
                return [
                    ColumnGroup(
                        spacecraft=old.spacecraft,
                        container=old.container,
                        times_us=old.times_us,
                        sequence_counts=old.sequence_counts,
                        columns={"NEW": old.columns["VOLT"]},
                    )
                    for old in segment_again(rows)
                ]

            rebuild(tmp_path, renamed)
            assert len(read(tmp_path)) == 0
            assert read(tmp_path, "NEW").values.tolist() == list(range(60))
            page = reader.packets_since(cursor, spacecraft="DD-1")
            assert [p.sequence_count for p in page.packets] == list(range(30, 60))

    def test_begins_anew_after_one_that_was_cut_short(self, tmp_path, monkeypatch):
        self.fill(tmp_path)
        monkeypatch.setattr("telemetry.archive.rebuilding._STORED_ROWS", 20)
        calls = 0

        def failing(packets):
            nonlocal calls
            calls += 1
            if calls == 9:
                raise RuntimeError("killed")
            return segment_again(packets)

        with pytest.raises(RuntimeError, match="killed"):
            rebuild(tmp_path, failing)
        assert read(tmp_path).values.tolist() == list(range(60))
        assert rebuild(tmp_path, segment_again) == 60
        assert read(tmp_path).values.tolist() == list(range(60))

    def test_waits_for_no_writer(self, tmp_path):
        with open_writer(tmp_path), pytest.raises(ArchiveLockedError):
            rebuild(tmp_path, segment_again)
