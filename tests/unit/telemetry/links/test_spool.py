from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.links import spool
from telemetry.links.spool import (
    RecordKind,
    SpoolReader,
    SpoolWriter,
    encode_note,
    encode_units,
    record_start_near,
)
from telemetry.links.spool_ingest import joined


def writer(folder: Path, limit: int = 1 << 30) -> SpoolWriter:
    return SpoolWriter(folder, limit_octets=limit)


def units(*packets: bytes, at: int = 7) -> bytes:
    return encode_units(packets, stream=1, received_us=at)


class TestSpool:
    @settings(max_examples=30, deadline=None)
    @given(
        batches=st.lists(
            st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5),
            min_size=1,
            max_size=12,
        ),
        read_after=st.sets(st.integers(0, 12)),
    )
    def test_gives_every_unit_once_whenever_it_is_read(self, batches, read_after):
        with tempfile.TemporaryDirectory() as name:
            own = writer(Path(name))
            reader = SpoolReader(Path(name), 0)
            read = []
            for number, batch in enumerate(batches):
                own.append(units(*batch))
                if number in read_after:
                    read += reader.read()
            read += reader.read()
            assert [list(record.batch) for record in read] == batches
            batch, received_us = joined(read)
            assert list(batch) == [unit for own_units in batches for unit in own_units]
            assert set(received_us.tolist()) == {7}

    def test_goes_on_in_another_file(self, tmp_path, monkeypatch):
        monkeypatch.setattr(spool, "FILE_OCTETS", 100)
        own = writer(tmp_path)
        for number in range(20):
            own.append(units(bytes([number]) * 30))
        assert len(list(tmp_path.glob("*.spool"))) > 5
        reader, read = SpoolReader(tmp_path, 0), []
        while records := reader.read():
            read += records
        assert [record.batch[0][0] for record in read] == list(range(20))

    def test_a_reader_goes_on_at_its_position_after_a_restart(self, tmp_path):
        own = writer(tmp_path)
        own.append(units(b"a") + units(b"b"))
        first = SpoolReader(tmp_path, 0).read()[0]
        own.append(units(b"c"))
        assert [r.batch[0] for r in SpoolReader(tmp_path, first.end).read()] == [b"b", b"c"]

    def test_cuts_off_what_a_killed_receiver_left_half_written(self, tmp_path):
        own = writer(tmp_path)
        own.append(units(b"a"))
        own.append(units(b"bbbb")[:-2])
        reader = SpoolReader(tmp_path, 0)
        assert [r.batch[0] for r in reader.read()] == [b"a"]
        assert reader.read() == []
        writer(tmp_path).append(units(b"c"))
        assert [r.batch[0] for r in reader.read()] == [b"c"]

    def test_positions_of_a_spool_that_was_deleted_do_not_come_again(self, tmp_path):
        own = writer(tmp_path / "one")
        own.append(units(b"a"))
        [record] = SpoolReader(tmp_path / "one", 0).read()
        writer(tmp_path / "two").append(units(b"b"))
        assert [r.batch[0] for r in SpoolReader(tmp_path / "two", record.end).read()] == [b"b"]

    def test_is_full_until_the_reader_has_deleted_enough(self, tmp_path, monkeypatch):
        monkeypatch.setattr(spool, "FILE_OCTETS", 1 << 20)
        monkeypatch.setattr(spool, "KEPT_OCTETS", 0)
        own = writer(tmp_path, limit=4 << 20)
        while not own.is_full:
            own.append(units(bytes(1 << 18)))
        reader = SpoolReader(tmp_path, 0)
        while records := reader.read():
            reader.forget_before(records[-1].end)
        assert not own.is_full

    def test_notes_say_what_was_lost_and_why(self, tmp_path):
        own = writer(tmp_path)
        own.append(
            encode_note(
                RecordKind.DROPPED, stream=0, received_us=5, reason="the spool was full", count=9
            )
        )
        own.append(
            encode_note(
                RecordKind.REJECTED, stream=2, received_us=6, reason="no packet", octets=b"xy"
            )
        )
        dropped, rejected = SpoolReader(tmp_path, 0).read()
        assert (dropped.kind, dropped.count, dropped.reason) == (
            RecordKind.DROPPED,
            9,
            "the spool was full",
        )
        assert (rejected.octets, rejected.reason, rejected.stream) == (b"xy", "no packet", 2)

    @pytest.mark.parametrize("back", [0, 1, 40])
    def test_finds_where_a_record_begins_near_a_position(self, tmp_path, back):
        own = writer(tmp_path)
        for number in range(10):
            own.append(units(bytes([number]) * 30))
        records = SpoolReader(tmp_path, 0).read()
        ends = [record.end for record in records]
        near = record_start_near(tmp_path, ends[5] - back)
        assert near in ends
        assert near >= ends[5] - back
