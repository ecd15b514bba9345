from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.archive import ClickHouseServer
from telemetry.archive.clickhouse.server import close_connections

_PROGRAM = Path(__file__).with_name("chdb_server.py")
_PASSWORD = "p:a/s%s w@rd"
_IN_A_URL = "p%3Aa%2Fs%25s%20w%40rd"
_databases = itertools.count()


@pytest.fixture(scope="session")
def clickhouse_address(tmp_path_factory):
    """Where a ClickHouse is: chDB in a process of its own."""
    if importlib.util.find_spec("chdb") is None:
        pytest.skip("chDB is not installed (make install-dev)")
    folder = tmp_path_factory.mktemp("chdb")
    with subprocess.Popen(
        [sys.executable, str(_PROGRAM), str(folder), "mission", _PASSWORD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
        close_connections()
        process.stdin.close()


@pytest.fixture
def clickhouse_url(clickhouse_address):
    """The URL of an empty database."""
    name = f"archive_{next(_databases)}"
    everywhere = f"http://mission:{_IN_A_URL}@{clickhouse_address}"
    ClickHouseServer.at(f"{everywhere}/default").run(f"CREATE DATABASE {name}")
    return f"{everywhere}/{name}"


@pytest.fixture
def clickhouse(clickhouse_url):
    return ClickHouseServer.at(clickhouse_url)


@pytest.fixture
def away():
    """A server that is not there."""
    return ClickHouseServer.at("http://127.0.0.1:1/archive")
