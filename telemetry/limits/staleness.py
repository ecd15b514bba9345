"""How old values are against how often they are expected.

Silence is judged from outside: no packet tells of its own absence, so whoever shows or
watches values asks again as time goes on.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

# After one expected period a value is late, after three it is stale.
LATE_PERIODS: Final = 1
STALE_PERIODS: Final = 3
NEVER_US: Final = np.iinfo(np.int64).min  # in place of a time: no value yet
_US_PER_S: Final = 1_000_000


class Freshness(IntEnum):
    FRESH = 0
    LATE = 1
    STALE = 2
    NEVER_SEEN = 3


def freshness(
    newest_us: npt.NDArray[np.int64],
    expected_period_s: npt.NDArray[np.float64],
    *,
    at_us: int,
) -> npt.NDArray[np.uint8]:
    """Return the freshness of many parameters at once.

    Args:
        newest_us: Time of each one's newest value, microseconds since 1970, or ``NEVER_US``.
        expected_period_s: Within how many seconds each comes again; NaN where nothing is
            expected, so that a value is never late.
        at_us: Now, microseconds since 1970.

    Returns:
        Values of ``Freshness``, shape (n,).
    """
    seen = newest_us != NEVER_US
    age_s = np.where(seen, at_us - np.where(seen, newest_us, at_us), 0) / _US_PER_S
    result = np.full(len(newest_us), Freshness.FRESH, dtype=np.uint8)
    result[age_s > LATE_PERIODS * expected_period_s] = Freshness.LATE  # False for NaN
    result[age_s > STALE_PERIODS * expected_period_s] = Freshness.STALE
    result[~seen] = Freshness.NEVER_SEEN
    return result
