from __future__ import annotations

import secrets

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from missioncontrol.accounts.models import Organisation
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel import clock
from missioncontrol.kernel.isolation import isolation_faults

pytestmark = pytest.mark.django_db


@pytest.mark.only_on("sqlite")
class TestOnSqlite:
    def test_says_that_there_are_no_roles(self):
        with pytest.raises(CommandError, match="SQLite knows no roles"):
            call_command("grant_database_role", "anybody")
        assert isolation_faults() == ["SQLite has no row-level security"]


@pytest.mark.only_on("postgresql")
class TestOnPostgresql:
    def execute(self, statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def test_names_a_role_that_is_not_there(self):
        with pytest.raises(CommandError, match="there is no role nobody_here"):
            call_command("grant_database_role", "nobody_here")

    def test_refuses_roles_that_stand_above_the_policies(self):
        with pytest.raises(CommandError, match="it owns the tables"):
            call_command("grant_database_role", connection.settings_dict["USER"])
        with pytest.raises(CommandError, match="it is a superuser"):
            call_command("grant_database_role", "postgres")

    def test_lets_a_role_work_that_owns_nothing(self, app_role):
        call_command("grant_database_role", app_role)
        self.execute(f"SET LOCAL ROLE {app_role}")
        assert isolation_faults() == []
        Organisation.objects.create(slug="made", name="Made", kind="insurer")
        entry = append_entry(action="test", subject="x:1", actor="process:x", at=clock.now())
        for statement in (
            "DELETE FROM audit_auditentry",
            "ALTER TABLE jobs_job DISABLE ROW LEVEL SECURITY",
            "DROP TABLE jobs_job CASCADE",
        ):
            with pytest.raises(ProgrammingError), transaction.atomic():
                self.execute(statement)
        assert entry.pk


@pytest.fixture
def app_role():
    """A role without any right; a superuser makes it, as a database administrator would."""
    name = f"app_{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")
        cursor.execute(f"GRANT {name} TO current_user")
    return name
