from __future__ import annotations

import io

import pytest

from missioncontrol.kernel import progress
from missioncontrol.kernel.progress import ProgressBar


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def at(monkeypatch):
    """Set the monotonic clock."""
    clock = {"s": 100.0}
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock["s"])
    return lambda seconds: clock.update(s=100.0 + seconds)


def test_short_work_shows_nothing(at):
    screen = Screen()
    bar = ProgressBar(screen, total=100, unit="spacecraft")
    at(0.9)
    bar.show(50)
    bar.close()
    assert screen.getvalue() == ""


def test_long_work_is_written_over_and_taken_away(at):
    screen = Screen()
    bar = ProgressBar(screen, total=2000, unit="spacecraft")
    at(1.5)
    bar.show(1000)
    at(1.6)
    bar.show(1001)  # too soon after the last
    bar.close()
    assert screen.getvalue() == (
        "\r\x1b[K[###############...............]  1,000 of 2,000 spacecraft\r\x1b[K"
    )


def test_in_a_log_it_is_a_line_now_and_then(at):
    log = io.StringIO()
    bar = ProgressBar(log, total=4, unit="spacecraft")
    for seconds, done in ((2.0, 1), (5.0, 2), (13.0, 3)):
        at(seconds)
        bar.show(done)
    bar.close()
    assert log.getvalue().splitlines() == [
        "[#######.......................]  1 of 4 spacecraft",
        "[######################........]  3 of 4 spacecraft",
    ]
