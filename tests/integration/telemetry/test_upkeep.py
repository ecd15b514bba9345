from __future__ import annotations

import json
import threading

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.audit.models import AuditEntry
from telemetry import selectors, services, tasks
from telemetry.archive import open_reader
from telemetry.archive.database import ArchiveFolder
from telemetry.services import TelemetryReception
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT, after, power, received


def segments(dd1) -> int:
    connection = ArchiveFolder(selectors.archive_folder(dd1)).connect(read_only=True)
    try:
        return connection.execute("SELECT count(*) FROM segment").fetchone()[0]
    finally:
        connection.close()


def volts(dd1):
    return selectors.history(dd1, "VOLT", start=AT, end=after(10_000)).values


def fill(reception, count, *, begin=0):
    for second in range(begin, begin + count):
        reception.receive_packets(received(power(second, second % 256)))
        reception.settle()


class TestCompaction:
    def test_merges_the_segments_of_live_batches_and_keeps_every_value(self, reception, dd1):
        fill(reception, 40)
        before = volts(dd1)
        assert segments(dd1) == 40
        assert tasks.compact_archives() == 39
        assert segments(dd1) == 1
        assert volts(dd1) == before == list(range(40))
        assert tasks.compact_archives() == 0

    def test_runs_beside_the_writer(self, reception, dd1):
        """The archive is written, compacted and read at once; nothing is lost or doubled."""
        faults = []
        done = threading.Event()
        folder = selectors.archive_folder(dd1)

        def compact():
            try:
                while not done.is_set():
                    services.compact_archive(spacecraft=dd1)
            except Exception as error:
                faults.append(error)

        thread = threading.Thread(target=compact)
        thread.start()
        for second in range(200):
            fill(reception, 1, begin=second)
            with open_reader(folder) as reader:
                samples = reader.read(
                    spacecraft="DD-1", parameter="VOLT", start=AT, end=after(10_000)
                )
            assert len(samples) == second + 1
        done.set()
        thread.join()
        assert faults == []

    def test_goes_on_with_the_next_when_one_is_in_use(self, dd1):
        other = craft.spacecraft("DD-2", ccsds_id=0x43)
        for one in (dd1, other):
            with TelemetryReception(one) as reception:
                fill(reception, 20)
        with ArchiveFolder(selectors.archive_folder(dd1)).locked("compaction"):
            assert tasks.compact_archives() == 19
        assert (segments(dd1), segments(other)) == (20, 1)

    def test_makes_no_archive_where_nothing_was_received(self, dd1):
        assert tasks.compact_archives() == 0
        assert not selectors.archive_folder(dd1).exists()


class TestRebuildArchive:
    def test_decodes_old_packets_by_the_new_dictionary(self, dd1, capsys):
        with TelemetryReception(dd1) as reception:
            fill(reception, 30)
        cursor = selectors.packets_since(dd1, 0, apids={100}, limit=10).cursor
        dd1.telemetry_dictionary = dd1.telemetry_dictionary.replace('"VOLT"', '"BUS_VOLT"')
        dd1.save()
        call_command("rebuild_archive", "DD-1")
        assert capsys.readouterr().out == "30 packets of DD-1 decoded again\n"
        read = selectors.history(dd1, "BUS_VOLT", start=AT, end=after(100))
        assert read.values == list(range(30))
        # Whoever follows the packet log goes on from where it was.
        assert len(selectors.packets_since(dd1, cursor, apids={100}).packets) == 20
        entry = AuditEntry.objects.get(action="telemetry.rebuild")
        assert json.loads(bytes(entry.entry))["details"] == {"packets": 30}

    def test_refuses_while_the_spacecraft_is_received(self, reception):
        with pytest.raises(CommandError, match="The archive of DD-1 is in use"):
            call_command("rebuild_archive", "DD-1")

    def test_names_the_spacecraft_that_are_known(self, dd1):
        with pytest.raises(CommandError, match=r"No spacecraft 'DD-9'\. Known: DD-1\."):
            call_command("rebuild_archive", "DD-9")

    def test_says_that_the_log_is_damaged(self, dd1):
        with TelemetryReception(dd1) as reception:
            fill(reception, 3)
        [log] = (selectors.archive_folder(dd1) / "raw").glob("*.log")
        octets = bytearray(log.read_bytes())
        octets[60] ^= 1
        log.write_bytes(octets)
        with pytest.raises(CommandError, match="the columns were left as they are"):
            call_command("rebuild_archive", "DD-1")
        assert volts(dd1) == [0, 1, 2]
