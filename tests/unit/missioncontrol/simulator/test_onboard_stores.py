"""The recorder, the report log, the mass memory and the state files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.simulator.file_store import FileStore
from missioncontrol.simulator.recorder import Recorder
from missioncontrol.simulator.report_log import ReportLog
from missioncontrol.simulator.state import StateFile
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket

T0 = datetime(2026, 12, 1, 12, tzinfo=UTC)


def packet(number, octets=10):
    return SpacePacket(
        packet_type=TELEMETRY, apid=100, sequence_count=number, data=bytes(octets)
    ).encode()


class TestRecorder:
    @given(lengths=st.lists(st.integers(1, 90), max_size=30), capacity=st.integers(100, 900))
    def test_keeps_the_latest_that_fit_in_their_order(self, lengths, capacity):
        packets = [packet(number, length) for number, length in enumerate(lengths)]
        recorder = Recorder(capacity_octets=capacity)
        for one in packets:
            recorder.record(one)
        again = Recorder(capacity_octets=capacity)
        again.restore(recorder.snapshot())
        assert again.stored_octets == recorder.stored_octets <= capacity
        kept = [again.take() for _ in range(len(recorder))]
        assert kept == packets[len(packets) - len(kept) :]
        assert again.take() is None
        assert len(kept) == len(packets) or sum(map(len, packets[-len(kept) - 1 :])) > capacity


class TestReportLog:
    def test_gives_a_report_soon_and_in_the_next_pass(self):
        log = ReportLog()
        log.keep(b"report", sent_at=T0)
        assert log.take(T0 + timedelta(seconds=19)) is None
        assert log.take(T0 + timedelta(seconds=20)) == b"report"
        assert log.take(T0 + timedelta(hours=1)) is None
        log.begin_dump(T0)
        assert log.take(T0) == b"report"
        log.begin_dump(T0)
        assert log.take(T0) is None

    def test_gives_what_was_never_sent_in_the_next_two_passes(self):
        log = ReportLog()
        log.keep(b"one", sent_at=None)
        log.keep(b"two", sent_at=None)
        assert log.take(T0) is None
        for _ in range(2):
            log.begin_dump(T0)
            assert [log.take(T0), log.take(T0), log.take(T0)] == [b"one", b"two", None]
        log.begin_dump(T0)
        assert log.take(T0) is None

    def test_survives_a_restart(self):
        log = ReportLog()
        log.keep(b"report", sent_at=T0)
        again = ReportLog()
        again.restore(log.snapshot())
        assert again.take(T0 + timedelta(hours=1)) is None
        again.begin_dump(T0)
        assert again.take(T0) == b"report"


class TestFileStore:
    def test_puts_parts_together_in_any_order(self, tmp_path):
        store = FileStore(tmp_path)
        store.write_part("1-1", 4, b"5678")
        store.write_part("1-1", 0, b"1234")
        store.write_part("1-1", 2, b"34")
        assert store.read_part("1-1", 0, 8) == b"12345678"
        store.finish_part("1-1", "job-1.in")
        assert store.read_file("job-1.in") == b"12345678"

    def test_may_finish_a_file_again_after_a_kill(self, tmp_path):
        store = FileStore(tmp_path)
        store.write_part("1-1", 0, b"1234")
        store.finish_part("1-1", "job-1.in")
        again = FileStore(tmp_path)
        assert again.read_part("1-1", 0, 4) == b"1234"
        again.finish_part("1-1", "job-1.in")
        again.discard_part("1-1")
        assert again.read_file("job-1.in") == b"1234"

    def test_takes_a_file_of_no_octets(self, tmp_path):
        store = FileStore(tmp_path)
        assert store.read_part("1-1", 0, 0) == b""
        store.finish_part("1-1", "empty")
        assert store.read_file("empty") == b""

    @pytest.mark.parametrize("name", ["", "../job", "a/b", ".hidden", "x" * 101, "a\nb"])
    def test_accepts_no_name_that_could_be_a_path(self, tmp_path, name):
        store = FileStore(tmp_path)
        assert not store.accepts(name, 1)
        assert store.read_file(name) is None
        with pytest.raises(ValueError, match="is no file name"):
            store.finish_part("1-1", name)

    def test_counts_what_it_holds(self, tmp_path):
        store = FileStore(tmp_path, capacity_octets=1000)
        empty = store.used_fraction
        store.write_part("1-1", 0, bytes(300))
        store.finish_part("1-1", "a")
        store.discard_part("1-1")
        store.keep_outgoing("2-1", bytes(100))
        assert store.used_fraction == pytest.approx(empty + 0.4)
        assert store.accepts("b", 600)
        assert not store.accepts("b", 601)
        assert FileStore(tmp_path, capacity_octets=1000).used_fraction == store.used_fraction
        store.discard_outgoing("2-1")
        assert store.used_fraction == pytest.approx(empty + 0.3)
        assert not store.has_outgoing("2-1")


class TestStateFile:
    def test_gives_back_what_was_saved(self, tmp_path):
        file = StateFile(tmp_path / "deep" / "state.json")
        assert file.load() is None
        file.save({"a": [1, 2]})
        file.save({"a": [3]})
        assert StateFile(tmp_path / "deep" / "state.json").load() == {"a": [3]}
        assert [path.name for path in (tmp_path / "deep").iterdir()] == ["state.json"]

    def test_puts_aside_what_it_cannot_read(self, tmp_path):
        path = tmp_path / "state.json"
        path.write_text('{"a": ')
        assert StateFile(path).load() is None
        assert (tmp_path / "state.unreadable").exists()
