"""Integration tests run on the real thing: a real broker, a real database, real sockets."""

from __future__ import annotations

import subprocess

import pytest
from django.conf import settings
from django.db import connection

from missioncontrol.kernel import broker as broker_connections
from missioncontrol.supervision.processes import broker_process
from missioncontrol.supervision.supervisor import wait_for_broker


def pytest_collection_modifyitems(config, items):
    """Leave out what is about the other database, or about none: the suite runs on both."""
    kept, left_out = [], []
    for item in items:
        (kept if _belongs_here(item) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _belongs_here(item):
    if item.get_closest_marker("once"):
        return connection.vendor == "sqlite"
    mark = item.get_closest_marker("only_on")
    return mark is None or mark.args[0] == connection.vendor


@pytest.fixture(scope="session", autouse=True)
def broker():
    """A broker of this test process's own, on its unix socket."""
    definition = broker_process()
    assert definition is not None
    process = subprocess.Popen(definition.argv, stdout=subprocess.DEVNULL)
    wait_for_broker(within_s=10)
    yield settings.REDIS_URL
    broker_connections.connection().close()
    broker_connections.connection.cache_clear()
    process.terminate()
    process.wait(timeout=5)


@pytest.fixture(autouse=True)
def _empty_broker(broker):
    broker_connections.connection().flushall()


@pytest.fixture(autouse=True)
def _own_log_folder(settings, tmp_path):
    """Each test's database begins a log of its own, so the folder must be new too."""
    settings.LOG_DIR = tmp_path / "log"
