"""The migrated database of a test process, copied for each installation that a test starts.

To migrate takes seconds, and a test process has done so already for its own tests. What it keeps
is the database as the migrations left it: with the log's triggers, which its own database loses,
and without a row of any test.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.db import connection


class Migrated:
    """Takes its copy when it is made, of the database that these tests run on."""

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "migrated.sqlite3"
        self._name = f"migrated_{secrets.token_hex(4)}"
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            with closing(sqlite3.connect(self._kept)) as kept:
                connection.connection.backup(kept)
            return
        source = connection.settings_dict["NAME"]
        connection.close()  # PostgreSQL copies a database that nobody is connected to
        self._administer(f"CREATE DATABASE {self._name} TEMPLATE {source}")

    @contextmanager
    def copied(self, folder: Path):
        """Yield the DATABASE_URL of a copy for an installation in *folder*."""
        if connection.vendor == "sqlite":
            file = folder / "mission.sqlite3"
            shutil.copy(self._kept, file)
            yield f"sqlite:///{quote(str(file))}"
            return
        name = f"installation_{secrets.token_hex(4)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self._name}")
        try:
            yield f"{self._server()}/{name}"
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def drop(self) -> None:
        """Let go of what was kept."""
        if connection.vendor == "sqlite":
            self._kept.unlink()
        else:
            self._administer(f"DROP DATABASE {self._name}")

    def _administer(self, statement: str) -> None:
        with psycopg.connect(f"{self._server()}/postgres", autocommit=True) as administrator:
            administrator.execute(statement)

    @staticmethod
    def _server() -> str:
        values = connection.settings_dict
        user, password, host = (
            quote(values[name], safe="") for name in ("USER", "PASSWORD", "HOST")
        )
        return f"postgresql://{user}:{password}@{host}:{values['PORT']}"
