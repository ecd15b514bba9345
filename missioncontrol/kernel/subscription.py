"""What is published on a channel of the broker, as it comes; for asynchronous listeners."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any, Final

from redis.exceptions import RedisError

from missioncontrol.kernel import broker

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0

logger = logging.getLogger(__name__)


async def messages_of(channel: str) -> AsyncGenerator[bytes | None]:
    """Yield the messages of *channel*, for ever; a broker that is away is tried again.

    ``None`` says that the subscription is new: what was published before it is
    missed. Close the generator (``contextlib.aclosing``).
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        connection = broker.async_connection()
        try:
            async with connection.pubsub() as subscription:
                await subscription.subscribe(channel)
                async for item in subscription.listen():
                    pause_s = _FIRST_PAUSE_S
                    yield _data(item)
        except (RedisError, OSError) as error:
            logger.warning("%s messages are cut off, the broker is away: %s", channel, error)
        finally:
            await connection.aclose()
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _data(item: dict[str, Any]) -> bytes | None:
    """Return what a message carries; a subscription's confirmation carries nothing."""
    data: bytes = item["data"]
    return data if item["type"] == "message" else None
