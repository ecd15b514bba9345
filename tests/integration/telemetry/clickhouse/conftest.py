from __future__ import annotations

import itertools

import pytest

from telemetry.archive import ClickHouseServer
from tests.integration.telemetry.clickhouse.stand_in import IS_INSTALLED, stand_in

_databases = itertools.count()


@pytest.fixture(scope="session")
def clickhouse_address(tmp_path_factory):
    """Where a ClickHouse is: chDB in a process of its own."""
    if not IS_INSTALLED:
        pytest.skip("chDB is not installed (make install-dev)")
    with stand_in(tmp_path_factory.mktemp("chdb")) as address:
        yield address


@pytest.fixture
def clickhouse_url(clickhouse_address):
    """The URL of an empty database."""
    name = f"archive_{next(_databases)}"
    ClickHouseServer.at(f"{clickhouse_address}/default").run(f"CREATE DATABASE {name}")
    return f"{clickhouse_address}/{name}"


@pytest.fixture
def clickhouse(clickhouse_url):
    return ClickHouseServer.at(clickhouse_url)


@pytest.fixture
def away():
    """A server that is not there."""
    return ClickHouseServer.at("http://127.0.0.1:1/archive")
