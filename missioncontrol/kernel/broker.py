"""Connections to the Redis-protocol server that everything here shares."""

from __future__ import annotations

from functools import cache

import redis
import redis.asyncio
from django.conf import settings


@cache
def connection() -> redis.Redis:
    """Return this process's connection pool; replies are octets."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=2, health_check_interval=30
    )


def async_connection() -> redis.asyncio.Redis:
    """Return a new asynchronous connection; it belongs to the caller's event loop."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, health_check_interval=30)
