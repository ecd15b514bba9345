"""Every name that telemetry publishes under, and the shape of each message.

The archive and the rows are the truth; these are how others hear of it at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from redis.exceptions import RedisError

from missioncontrol.kernel import broker, live

_CLCW_KEPT: Final = 500  # some minutes of a pass; a reader that is later has nothing to gain

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedClcw:
    """A Communications Link Control Word as it was received."""

    word: bytes  # 4 octets
    received_at: datetime


def iso(instant: datetime) -> str:
    """Return UTC as the messages carry it, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def publish_values(spacecraft: str, values: dict[str, dict[str, Any]]) -> None:
    """Tell the open consoles the newest values.

    Args:
        spacecraft: Its name.
        values: By parameter: ``v`` the engineering value, ``s`` the status
            (normal, caution, serious, critical), ``t`` the generation time.
    """
    if values:
        live.publish({"type": "telemetry", "spacecraft": spacecraft, "values": values})


def news_channel(spacecraft: str) -> str:
    """Return the channel of a spacecraft's newest values, as soon as they are archived."""
    return f"telemetry:{spacecraft}"


def publish_news(spacecraft: str, values: dict[str, dict[str, Any]], *, position: int) -> int:
    """Tell the programs that listen the newest values; return how many channels listen.

    Args:
        spacecraft: Its name.
        values: As :func:`publish_values` takes them.
        position: In the archive's packet log; what was logged before it is told by now.
    """
    message = {"position": position, "values": values}
    try:
        count: Any = broker.connection().publish(
            news_channel(spacecraft), json.dumps(message, separators=(",", ":"))
        )
    except RedisError as error:
        logger.debug("news of %s not published, the broker is away: %s", spacecraft, error)
        return 0
    return int(count)


def publish_clcws(spacecraft_id: int, clcws: Sequence[StreamedClcw]) -> None:
    """Hand the link control words of a batch, in order, to who commands the spacecraft."""
    if not clcws:
        return
    try:
        with broker.connection().pipeline(transaction=False) as pipe:
            for clcw in clcws:
                pipe.xadd(
                    _clcw_stream(spacecraft_id),
                    {"word": clcw.word.hex(), "at": clcw.received_at.isoformat()},
                    maxlen=_CLCW_KEPT,
                    approximate=True,
                )
            pipe.execute()
    except RedisError as error:
        # COP-1 waits for the next one: each CLCW repeats the state in full.
        logger.warning("%d CLCWs not published: %s", len(clcws), error)


class ClcwReader:
    """Reads the link control words of one spacecraft from now on. One thread each."""

    def __init__(self, spacecraft_id: int) -> None:
        self._stream = _clcw_stream(spacecraft_id)
        self._last_id = b""
        self._is_away = False
        with contextlib.suppress(RedisError):  # then from the first read on
            self._last_id = self._newest_id()

    def read(self, *, block_ms: int) -> list[StreamedClcw]:
        """Return what came since the last call, waiting at most *block_ms* for the first.

        A broker that is away gives nothing, after the same wait: the commanding
        side then runs on its timers, as it would on a bad link.
        """
        try:
            entries = self._new_entries(block_ms)
        except RedisError as error:
            if not self._is_away:
                logger.warning("CLCWs cannot be read, the broker is away: %s", error)
            self._is_away = True
            time.sleep(block_ms / 1000)
            return []
        self._is_away = False
        words: list[StreamedClcw] = []
        for entry_id, fields in entries:
            self._last_id = entry_id
            words.append(
                StreamedClcw(
                    word=bytes.fromhex(fields[b"word"].decode()),
                    received_at=datetime.fromisoformat(fields[b"at"].decode()),
                )
            )
        return words

    def _new_entries(self, block_ms: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
        if not self._last_id:
            self._last_id = self._newest_id()
        # Typed by hand: the client's annotations also cover protocols not in use here.
        answer: Any = broker.connection().xread(
            {self._stream: self._last_id},
            count=_CLCW_KEPT,
            block=block_ms or None,  # to the broker, 0 is for ever
        )
        return [entry for _stream, entries in answer or [] for entry in entries]

    def _newest_id(self) -> bytes:
        newest: Any = broker.connection().xrevrange(self._stream, count=1)
        entry_id: bytes = newest[0][0] if newest else b"0-0"
        return entry_id


def _clcw_stream(spacecraft_id: int) -> str:
    return f"clcw:{spacecraft_id}"
