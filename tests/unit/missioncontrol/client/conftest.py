from __future__ import annotations

import pytest

from tests.unit.missioncontrol.client.growing_log import GrowingLog


@pytest.fixture
def log(tmp_path):
    return GrowingLog(tmp_path / "log")
