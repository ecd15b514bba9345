from __future__ import annotations

import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command

from tests.integration.telemetry.craft import power, received

SPAN = ["--start", "2026-12-01T12:00Z", "--end", "2026-12-01T12:01Z"]


@pytest.fixture
def filled(reception, dd1):
    reception.receive_packets(received(*[power(s, s, mode=s % 2) for s in range(90)]))
    reception.settle()
    return dd1


class TestExport:
    def test_writes_parquet_that_pyarrow_reads(self, filled, tmp_path):
        file = tmp_path / "span.parquet"
        call_command(
            "export_telemetry", "DD-1", str(file), *SPAN, "--parameter=VOLT", "--parameter=MODE"
        )
        table = pyarrow.parquet.read_table(file)
        rows = table.to_pylist()
        assert [row["value"] for row in rows if row["parameter"] == "VOLT"] == list(range(60))
        assert [row["text"] for row in rows if row["parameter"] == "MODE"] == ["IDLE", "BUSY"] * 30
        assert rows[0]["time"].isoformat() == "2026-12-01T12:00:00+00:00"

    def test_writes_csv(self, filled, tmp_path):
        file = tmp_path / "span.csv"
        call_command("export_telemetry", "DD-1", str(file), *SPAN, "--parameter=VOLT")
        lines = file.read_text().splitlines()
        assert lines[0] == '"parameter","time","value","text"'
        assert lines[1] == '"VOLT",2026-12-01 12:00:00.000000Z,0,'
        assert len(lines) == 61

    def test_refuses_another_suffix(self, filled, tmp_path):
        with pytest.raises(CommandError, match="ends in neither"):
            call_command("export_telemetry", "DD-1", str(tmp_path / "span.xls"), *SPAN)


class TestCheck:
    def test_says_that_an_archive_is_whole(self, filled, capsys):
        call_command("check_archive", "DD-1")
        assert "DD-1: 90 packets in 1 blocks, 90 rows in 1 segments; no faults" in (
            capsys.readouterr().out
        )

    def test_fails_where_one_is_damaged(self, filled, settings):
        [log] = (settings.ARCHIVE_DIR / "DD-1" / "raw").glob("*.log")
        octets = bytearray(log.read_bytes())
        octets[60] ^= 1
        log.write_bytes(octets)
        with pytest.raises(CommandError, match=r"damaged: DD-1\. Restore"):
            call_command("check_archive", "DD-1")
