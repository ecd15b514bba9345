from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from missioncontrol.audit.models import AuditEntry, Checkpoint
from tests.integration.missioncontrol.audit.log_entries import append, publish
from tests.log_guards import deletion_guarded

pytestmark = pytest.mark.django_db

ENTRY = "an audit entry never changes"
CHECKPOINT = "a checkpoint never changes"


def refused(text):
    return pytest.raises(IntegrityError, match=text)


def execute(sql, *arguments):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, arguments)


class TestEntries:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("action", "x"),
            ("subject", "x"),
            ("actor", "x"),
            ("organisation", "x"),
            ("at", "2026-01-01 00:00:00+00:00"),
            ("entry", b"x"),
            ("leaf_hash", b"x"),
            ("id", 99),
        ],
    )
    def test_refuse_a_change_of_any_column_even_together_with_the_index(self, column, value):
        [row] = append()
        with refused(ENTRY):
            execute(f"UPDATE audit_auditentry SET {column} = %s", value)
        with refused(ENTRY):
            execute(f"UPDATE audit_auditentry SET log_index = 5, {column} = %s", value)
        row.refresh_from_db()
        assert row.log_index is None

    def test_take_an_index_once(self):
        [row] = append()
        execute("UPDATE audit_auditentry SET log_index = 0")
        for index in ("1", "NULL", "0"):
            with refused(ENTRY):
                execute(f"UPDATE audit_auditentry SET log_index = {index}")
        row.refresh_from_db()
        assert row.log_index == 0

    def test_refuse_to_be_saved_again_as_an_object(self):
        [row] = append()
        row.actor = "operator:mallory"
        with refused(ENTRY), transaction.atomic():
            row.save()

    def test_refuse_deletion(self):
        append()
        with deletion_guarded():
            with refused(ENTRY):
                execute("DELETE FROM audit_auditentry")
            with refused(ENTRY), transaction.atomic():
                AuditEntry.objects.all().delete()
        assert AuditEntry.objects.count() == 1


class TestCheckpoints:
    def test_refuse_any_change(self):
        publish()
        with refused(CHECKPOINT):
            execute("UPDATE audit_checkpoint SET note = 'x' WHERE size = 1")
        assert Checkpoint.objects.get(size=1).note != "x"

    def test_refuse_deletion(self):
        publish()
        with deletion_guarded(), refused(CHECKPOINT):
            execute("DELETE FROM audit_checkpoint")
        assert Checkpoint.objects.count() == 2


@pytest.mark.only_on("sqlite")  # statements of SQLite's own
class TestReplacementInSQLite:
    COLUMNS = "action, subject, actor, organisation, at, entry, leaf_hash"

    def test_of_an_entry_by_an_insert_is_refused(self):
        [row] = publish()
        for key, value in (("id", row.pk), ("log_index", 0)):
            with refused(ENTRY):
                execute(
                    f"INSERT OR REPLACE INTO audit_auditentry ({key}, {self.COLUMNS}) "
                    f"VALUES ({value}, 'x', 'x', 'x', '', '2026-01-01', x'00', x'00')"
                )
        assert AuditEntry.objects.get().actor == "operator:alice"

    def test_of_an_entry_by_the_index_of_another_is_refused(self):
        publish()
        append()
        with refused(ENTRY):
            execute("UPDATE OR REPLACE audit_auditentry SET log_index = 0 WHERE log_index IS NULL")
        assert AuditEntry.objects.count() == 2

    def test_of_a_checkpoint_is_refused(self):
        publish()
        with refused(CHECKPOINT):
            execute(
                "INSERT OR REPLACE INTO audit_checkpoint (size, root, note, published_at) "
                "VALUES (1, x'00', 'x', '2026-01-01')"
            )


@pytest.mark.only_on("postgresql")  # a statement of PostgreSQL's own
@pytest.mark.parametrize("table", ["audit_auditentry", "audit_checkpoint"])
def test_truncation_is_refused_in_postgresql(table):
    publish()
    with deletion_guarded(), refused("never changes"):
        execute(f"TRUNCATE {table} CASCADE")
