"""The product with ARCHIVE_URL set: received, kept, shown, and what an outage costs."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from telemetry import selectors, services, tasks
from telemetry.archive import ArchiveUnavailableError, ClickHouseServer
from telemetry.services import TelemetryReception
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT, after, power, received

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("clickhouse"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _columns_in_clickhouse(settings, clickhouse_url):
    settings.ARCHIVE_URL = clickhouse_url


@pytest.fixture
def outage(monkeypatch):
    """Let the server be silent while the context lasts."""

    def silent(*_arguments, **_more):
        raise ArchiveUnavailableError("ClickHouse at nowhere does not answer")

    @contextmanager
    def lasting():
        with monkeypatch.context() as patch:
            patch.setattr(ClickHouseServer, "_post", silent)
            yield

    return lasting


def volts(dd1):
    return selectors.history(dd1, "VOLT", start=AT, end=after(10_000)).values


class TestReception:
    def test_keeps_columns_there_that_pages_show(self, dd1, clickhouse):
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(*[power(s, s, rate=s / 8) for s in range(100)]))
            reception.settle()
            assert volts(dd1) == list(range(100))
        found = clickhouse.select(
            "SELECT parameter, count() AS n, max(value) AS most FROM samples FINAL"
            " WHERE parameter IN ('RATE', 'VOLT') GROUP BY parameter ORDER BY parameter"
        )
        assert [tuple(row.values()) for row in found.to_pylist()] == [
            ("RATE", 100, 99 / 8),
            ("VOLT", 100, 99.0),
        ]
        parts = selectors.buckets(dd1, "RATE", start=AT, end=after(100), size=4)
        assert parts.maximum.tolist() == [24 / 8, 49 / 8, 74 / 8, 99 / 8]
        [latest] = selectors.latest_values(dd1, names=["VOLT"])
        assert (latest.value, latest.generated_at) == (99, after(99))

    def test_goes_on_through_an_outage_and_makes_its_columns_good(
        self, dd1, outage, monkeypatch, caplog
    ):
        monkeypatch.setattr("telemetry.services.reception._TRY_AGAIN_S", 0.0)
        monkeypatch.setattr("telemetry.services.reception._SHARE_OF_STORING", 0)
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(1, 11)))
            reception.settle()
            with outage():
                for second in (2, 3):
                    reception.receive_packets(received(power(second, 10 + second)))
                    reception.settle()
                assert len(selectors.packets_since(dd1, 0, apids={100}).packets) == 3
            assert "packets are logged, their columns are not stored yet" in caplog.text
            assert volts(dd1) == [11]
            reception.settle()
            assert volts(dd1) == [11, 12, 13]
            reception.receive_packets(received(power(4, 14)))
        assert volts(dd1) == [11, 12, 13, 14]

    def test_begins_and_ends_in_an_outage_and_upkeep_makes_its_columns_good(self, dd1, outage):
        with outage():
            for second in (1, 2):
                with TelemetryReception(dd1) as reception:
                    reception.receive_packets(received(power(second, 10 + second)))
            assert tasks.compact_archives() == 0
        assert volts(dd1) == []
        tasks.compact_archives()
        assert volts(dd1) == [11, 12]


class TestCommands:
    def test_ingest_check_and_rebuild_work_as_ever(self, dd1, tmp_path, capsys, settings):
        clock.set_clock(mission_time=after(60), factor=1.0)
        file = tmp_path / "pass.bin"
        file.write_bytes(b"".join(power(second, 20 + second) for second in range(5)))
        call_command("ingest", str(file), spacecraft="DD-1")
        call_command("check_archive", "DD-1")
        told = capsys.readouterr().out
        assert "columns in ClickHouse, which checks them itself; no faults" in told
        assert volts(dd1) == [20, 21, 22, 23, 24]
        settings.ARCHIVE_URL = ""
        call_command("rebuild_archive", "DD-1")
        assert volts(dd1) == [20, 21, 22, 23, 24]

    def test_retention_reaches_the_server(self, dd1, settings):
        settings.TELEMETRY_KEEP_COLUMNS_DAYS = 1
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(1, 11), power(86_400, 12)))
        services.keep_within_policy(spacecraft=dd1, actor="process:test", at=after(86_500))
        assert selectors.history(dd1, "VOLT", start=AT, end=after(90_000)).values == [12]
        entry = AuditEntry.objects.get(action="telemetry.forget")
        assert json.loads(bytes(entry.entry))["details"]["values"] == 5

    def test_rebuild_says_that_the_server_is_away(self, dd1, outage):
        with TelemetryReception(dd1) as reception:
            reception.receive_packets(received(power(1, 11)))
        with outage(), pytest.raises(CommandError, match="the columns were left as they are"):
            call_command("rebuild_archive", "DD-1")
        assert volts(dd1) == [11]

    def test_check_refuses_a_server_that_is_away(self, settings, outage):
        call_command("check", deploy=True)
        with outage(), pytest.raises(CommandError, match="does not answer"):
            call_command("check", deploy=True)


def test_two_spacecraft_do_not_see_each_other(dd1):
    other = craft.spacecraft("DD-2", ccsds_id=0x43)
    for one, value in ((dd1, 11), (other, 12)):
        with TelemetryReception(one) as reception:
            reception.receive_packets(received(power(1, value)))
    assert (volts(dd1), volts(other)) == ([11], [12])
