"""How often a token, an organisation or an address may ask; all processes count together.

While the broker is away everything is let through: an operator's pass must not
wait for a counter.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import redis
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from missioncontrol.accounts.principals import Principal
from missioncontrol.env import Rate
from missioncontrol.kernel import broker

# A broker on another machine may take seconds to not answer: it is not asked at every request.
_ASK_AGAIN_AFTER_S: Final = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What somebody may ask for in a window of time."""

    policy: str  # the name that clients are told
    whose: str
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaState:
    """How much of a quota is left, and when it is whole again."""

    quota: Quota
    remaining: int
    reset_s: int
    exceeded: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """The quotas of one request after it was counted, up to the first that it exceeds."""

    states: Sequence[QuotaState]

    @property
    def exceeded(self) -> QuotaState | None:
        """The quota that the request exceeds, if it does."""
        return next((state for state in self.states if state.exceeded), None)

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields of draft-ietf-httpapi-ratelimit-headers (from version 08 on)."""
        return {
            "RateLimit-Policy": ", ".join(
                f'"{each.quota.policy}";q={each.quota.rate.amount};w={each.quota.rate.window_s}'
                for each in self.states
            ),
            "RateLimit": ", ".join(
                f'"{each.quota.policy}";r={each.remaining};t={each.reset_s}'
                for each in self.states
            ),
        }


class _Outage:
    """When the broker was last found away, on the monotonic clock; None while it answers."""

    since_s: float | None = None


def quotas_of(principal: Principal) -> list[Quota]:
    """Return what *principal* may ask for: a token has two quotas, a session one."""
    token = principal.token
    if token is None:
        whose = f"session-of:{principal.operator.pk}"
        return [Quota(policy="session", whose=whose, rate=settings.API_RATE_PER_TOKEN)]
    return [
        Quota(policy="token", whose=str(token.pk), rate=settings.API_RATE_PER_TOKEN),
        Quota(
            policy="organisation",
            whose=str(token.organisation_id),
            rate=settings.API_RATE_PER_ORGANISATION,
        ),
    ]


def quota_of_wrong_tokens(address: str) -> Quota:
    """Return how many tokens that open nothing may come from *address*."""
    return Quota(policy="wrong-token", whose=address, rate=settings.API_RATE_OF_WRONG_TOKENS)


def spend(quotas: Sequence[Quota]) -> Spent | None:
    """Count one request against *quotas*; None while the broker is away.

    What exceeds one of them is not counted against those after it: who asks
    too often with one token takes nothing from the organisation's others.
    """
    away_since_s = _Outage.since_s
    if away_since_s is not None and time.monotonic() - away_since_s < _ASK_AGAIN_AFTER_S:
        return None
    try:
        states = _spend(quotas)
    except RedisError as error:
        if away_since_s is None:  # once is enough: every request would say it
            logger.warning("the broker is away, requests are not counted: %s", error)
        _Outage.since_s = time.monotonic()
        return None
    _Outage.since_s = None
    return Spent(states)


def _spend(quotas: Sequence[Quota]) -> list[QuotaState]:
    storage = _storage(broker.connection())
    states: list[QuotaState] = []
    for quota in quotas:
        states.append(_count(storage, quota))
        if states[-1].exceeded:
            break
    return states


def _count(storage: RedisStorage, quota: Quota) -> QuotaState:
    """Count one request in the fixed window that its first one opened."""
    amount, window_s = quota.rate
    key = RateLimitItemPerSecond(amount, window_s, quota.policy).key_for(quota.whose)
    asked = storage.incr(key, window_s)
    ends_at_s = storage.get_expiry(key)
    return QuotaState(
        quota=quota,
        remaining=max(0, amount - asked),
        # The broker tells whole seconds, rounded: one more is never too early.
        reset_s=max(0, round(ends_at_s - time.time())) + 1,
        exceeded=asked > amount,
    )


@cache
def _storage(connection: redis.Redis) -> RedisStorage:
    return RedisStorage("redis://", connection.connection_pool, key_prefix="rate")
