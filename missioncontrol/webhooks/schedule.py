"""When a webhook that failed is tried again.

Source: Standard Webhooks 1.0.0, "Deliverability and reliability"; RFC 9110
section 10.2.3 for Retry-After.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

# After the first attempt, which comes at once: 23 h 35 min in all.
DELAYS_S: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 28800.0, 28800.0)
MAX_ATTEMPTS: Final = 1 + len(DELAYS_S)
# Up to so much longer: what failed together is not tried again together.
JITTER: Final = 0.2
LONGEST_RETRY_AFTER_S: Final = DELAYS_S[-1]
# The endpoint as a whole gets a rest: it is overloaded, or what stands before it is.
OVERLOADED: Final = frozenset({429, 502, 503, 504})
_REST_S: Final = 30.0
_LONGEST_REST_S: Final = 3600.0


def delay_s(attempts: int, *, chance: float, retry_after_s: float | None) -> float | None:
    """Return for how long to wait before the next attempt; None: that was the last.

    Args:
        attempts: How many there were.
        chance: A random number from 0 to 1.
        retry_after_s: What the endpoint asked for.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    wait_s = DELAYS_S[attempts - 1] * (1 + JITTER * chance)
    return max(wait_s, min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))


def rest_s(status: int | None, *, retry_after_s: float | None) -> float | None:
    """Return for how long to send nothing at all to an endpoint that answered *status*."""
    if status not in OVERLOADED:
        return None
    return min(retry_after_s if retry_after_s is not None else _REST_S, _LONGEST_REST_S)


def read_retry_after(value: str, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for; None: it says nothing usable."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        instant = parsedate_to_datetime(value)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())
