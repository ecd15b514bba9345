from __future__ import annotations

import json

import pytest

from tests.unit.missioncontrol.audit.merkle.stored_log import StoredLog
from tests.vectors import shared_vector


@pytest.fixture(scope="session")
def vectors():
    return json.loads(shared_vector("merkle_vectors.json").read_text("utf-8"))


@pytest.fixture
def stored_log():
    return StoredLog()


@pytest.fixture(scope="session")
def log_of_70000():
    """The log of the shared vectors, grown in the steps whose roots they give."""
    log = StoredLog()
    for size in (255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 65537, 69999, 70000):
        log.append([b"entry-%d" % i for i in range(log.size, size)])
    return log
