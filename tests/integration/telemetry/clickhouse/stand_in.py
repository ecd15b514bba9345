"""Starts the stand-in for a ClickHouse server, chDB behind HTTP, in a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from telemetry.archive.clickhouse.server import close_connections

IS_INSTALLED = importlib.util.find_spec("chdb") is not None
_PROGRAM = Path(__file__).with_name("chdb_server.py")
_PASSWORD = "p:a/s%s w@rd"


@contextmanager
def stand_in(folder: Path) -> Iterator[str]:
    """Give the URL of the server, without a database, while it runs."""
    with subprocess.Popen(
        [sys.executable, str(_PROGRAM), str(folder), "mission", _PASSWORD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            yield f"http://mission:{quote(_PASSWORD, safe='')}@127.0.0.1:{port}"
        finally:
            close_connections()
            process.stdin.close()
