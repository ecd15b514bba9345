"""What every test may use."""

from __future__ import annotations

import pytest

from missioncontrol.kernel import clock


@pytest.fixture(autouse=True)
def _fresh_clock():
    """No test sees the clock anchor that another one read."""
    clock.forget()
    yield
    clock.forget()
