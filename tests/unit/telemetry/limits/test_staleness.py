from __future__ import annotations

import numpy as np

from telemetry.limits import (
    NEVER_US,
    Freshness,
    freshness,
)


class TestFreshness:
    def test_tells_late_and_stale_by_the_expected_period(self):
        now_us = 1_000_000_000
        ages_s = [0, 10, 10.1, 30, 30.1]
        newest = np.array([now_us - int(age * 1e6) for age in ages_s])
        found = freshness(newest, np.full(5, 10.0), at_us=now_us)
        assert [Freshness(value).name for value in found] == [
            *("FRESH", "FRESH", "LATE", "LATE", "STALE")
        ]

    def test_never_calls_late_what_nobody_expects_and_tells_what_was_never_seen(self):
        newest = np.array([0, NEVER_US])
        found = freshness(newest, np.array([np.nan, 1.0]), at_us=10**15)
        assert found.tolist() == [Freshness.FRESH, Freshness.NEVER_SEEN]
