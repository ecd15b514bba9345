"""Tell the open consoles and streams what has changed.

A message is a nudge, never the truth: a page that missed one shows the rows
when it is next read. So a broker that is away is noted, and nothing waits.
"""

from __future__ import annotations

import json
import logging
import threading
from functools import partial
from typing import Any, Final

from django.db import transaction
from redis.exceptions import RedisError

from missioncontrol.kernel import broker

LIVE_CHANNEL: Final = "live"
LOG_CHANNEL: Final = "log"  # a message without content: the log has published something

logger = logging.getLogger(__name__)
_broker_is_away = threading.Event()


def publish(message: dict[str, Any]) -> None:
    """Send *message* (JSON-able, with a "type") to every open console."""
    _send(LIVE_CHANNEL, json.dumps(message, separators=(",", ":")))


def announce_publication() -> None:
    """Have the streams of the log's events look at once instead of at their next turn."""
    _send(LOG_CHANNEL, "")


def _send(channel: str, text: str) -> None:
    try:
        broker.connection().publish(channel, text)
    except RedisError as error:
        if not _broker_is_away.is_set():  # once is enough: hundreds of messages may follow
            logger.warning("the broker is away, nobody is told at once: %s", error)
        _broker_is_away.set()
    else:
        _broker_is_away.clear()


def publish_after_commit(message: dict[str, Any]) -> None:
    """Send *message* when the current transaction commits."""
    transaction.on_commit(partial(publish, message))
