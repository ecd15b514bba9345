from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.kernel.isolation import role_faults

# Rows here are added and never taken away; triggers say so too.
_KEPT: Final = ("audit_auditentry", "audit_checkpoint", "audit_cosignature")


class Command(BaseCommand):
    help = (
        "Let a PostgreSQL role that owns nothing work with the tables (run it as their owner, "
        "after each migrate). The product's processes connect as that role; row-level security "
        "then binds them."
    )
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="must exist, e.g. missioncontrol_app")

    def handle(self, *, role: str, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("DATABASE_URL is no PostgreSQL; SQLite knows no roles.")
        with connection.cursor() as cursor:
            faults = role_faults(cursor, role)
            if faults:
                raise CommandError(f"The role {role} cannot be used: {'; '.join(faults)}.")
            name = connection.ops.quote_name(role)
            kept = ", ".join(connection.ops.quote_name(table) for table in _KEPT)
            for statement in (
                f"GRANT USAGE ON SCHEMA public TO {name}",
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
                f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
                f"REVOKE DELETE ON {kept} FROM {name}",
            ):
                cursor.execute(statement)
        self.stdout.write(f"{role} may work with the tables, and owns none.")
