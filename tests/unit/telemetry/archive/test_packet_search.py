from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.archive import RawPacket, compact, open_reader, open_writer
from telemetry.archive.packet_rows import rows_of_packets

START = datetime(2026, 12, 1, tzinfo=UTC)
EVER = datetime(9999, 1, 1, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def packet(second: int, *, apid: int = 100) -> RawPacket:
    return RawPacket(
        spacecraft="DD-1",
        apid=apid,
        sequence_count=second % 16384,
        generated_at=at(second),
        received_at=at(10_000),
        station="KASHI",
        octets=second.to_bytes(4, "big") + bytes([apid % 256]),
    )


def newest(folder: Path, **asked) -> list[int]:
    wanted = {"spacecraft": "DD-1", "before": EVER, "limit": 100} | asked
    with open_reader(folder) as reader:
        found = reader.newest_packets(**wanted)
    return [int.from_bytes(one.octets[:4], "big") for one in found]


class TestNewestPackets:
    # Batches overlap in time, as dumps do; the last are logged and not flushed.
    @given(
        batches=st.lists(
            st.lists(st.tuples(st.integers(0, 60), st.sampled_from([100, 101])), max_size=6),
            max_size=6,
        ),
        flushed=st.integers(0, 6),
        before=st.integers(0, 70),
        limit=st.integers(1, 8),
        apid=st.sampled_from([None, 100, 101, 102]),
    )
    @settings(max_examples=60, deadline=None)
    def test_are_the_last_of_all_by_generation_time(self, batches, flushed, before, limit, apid):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with open_writer(folder) as writer:
                for number, batch in enumerate(batches):
                    packets = [packet(second, apid=own) for second, own in batch]
                    if number < flushed:
                        writer.append(packets, [])
                    else:
                        writer.log(rows_of_packets(packets))
                found = newest(
                    folder,
                    before=at(before),
                    limit=limit,
                    apids=None if apid is None else {apid},
                )
        wanted = [
            second
            for batch in batches
            for second, own in batch
            if second < before and apid in {None, own}
        ]
        assert found == sorted(wanted, reverse=True)[:limit]

    def test_leave_older_parts_of_the_log_unread(self, tmp_path):
        with open_writer(tmp_path) as writer:
            writer.append([packet(second) for second in range(10)], [])
            end_of_old = writer.append([packet(9)], [])
            writer.append([packet(second) for second in range(100, 110)], [])
        log = next((tmp_path / "raw").glob("*.log"))
        octets = bytearray(log.read_bytes())
        octets[: end_of_old - 1] = bytes(end_of_old - 1)  # any look at it would find damage
        log.write_bytes(octets)
        assert newest(tmp_path, limit=10) == list(range(109, 99, -1))

    def test_are_found_after_compaction(self, tmp_path):
        with open_writer(tmp_path) as writer:
            for second in range(20):
                writer.append([packet(second)], [])
        compact(tmp_path)
        assert newest(tmp_path, limit=3) == [19, 18, 17]


class TestPacketAt:
    @pytest.mark.parametrize("is_flushed", [True, False])
    def test_gives_every_packet_back_by_its_cursor(self, tmp_path, is_flushed):
        with open_writer(tmp_path) as writer:
            for first in (0, 5, 10):
                packets = [packet(second) for second in range(first, first + 5)]
                if is_flushed:
                    writer.append(packets, [])
                else:
                    writer.log(rows_of_packets(packets))
            with open_reader(tmp_path) as reader:
                page = reader.packets_since(0, spacecraft="DD-1")
                assert len(page.packets) == 15
                for one in page.packets:
                    assert reader.packet_at(one.cursor, spacecraft="DD-1") == one

    def test_gives_none_where_no_packet_ends(self, tmp_path):
        with open_writer(tmp_path) as writer:
            end = writer.append([packet(1), packet(2)], [])
        with open_reader(tmp_path) as reader:
            for cursor in (-1, 0, 3, end - 1, end + 1, 1 << 62, 1 << 80):
                assert reader.packet_at(cursor, spacecraft="DD-1") is None
            assert reader.packet_at(end, spacecraft="DD-2") is None
