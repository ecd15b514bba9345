from __future__ import annotations

import io

import pytest

from missioncontrol.client import progress
from missioncontrol.client.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def time(monkeypatch):
    """Return a clock that a test sets."""
    at = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: at[0])
    return at


def test_shows_nothing_of_short_work(time):
    stream = Terminal()
    with ProgressLine(stream) as line:
        time[0] = 1.9
        line(1, 2)
    assert stream.getvalue() == ""


def test_shows_long_work_at_most_once_a_second_and_clears_the_line(time):
    stream = Terminal()
    with ProgressLine(stream) as line:
        for at in (2.0, 2.9, 3.1):
            time[0] = at
            line(int(at * 1000), 10_000)
    assert stream.getvalue() == (
        "\r\x1b[K2,000 of 10,000 entries (20 %)\r\x1b[K3,100 of 10,000 entries (31 %)\r\x1b[K"
    )


def test_writes_plain_lines_where_nobody_watches(time):
    stream = io.StringIO()
    with ProgressLine(stream) as line:
        time[0] = 5
        line(0, 0)
    assert stream.getvalue() == "0 of 0 entries (0 %)\n"
