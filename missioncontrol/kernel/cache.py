"""A cache on the broker that may be away: what is kept there is only ever a convenience."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class BrokerCache(RedisCache):
    """Django's cache over Redis, which holds nothing while the broker is away.

    It counts attempts to sign in. An operator who must find out why the broker
    is away must still be able to; wrong passwords are counted in the database
    too (django-axes), which goes on. What counters here would refuse is let
    through for as long.
    """

    def add(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            return super().add(key, *args, **kwargs)
        except RedisError as error:
            _warn(error)
            return True

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            _warn(error)
            return default

    def set(self, key: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().set(key, *args, **kwargs)
        except RedisError as error:
            _warn(error)

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().delete(key, version)
        except RedisError as error:
            _warn(error)
            return False


def _warn(error: RedisError) -> None:
    logger.warning("the cache is away with the broker: %s", error)
