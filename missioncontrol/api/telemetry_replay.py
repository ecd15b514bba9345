"""The past as if it were now, over a websocket of its own: nothing live comes over it.

    .../telemetry/replay?start=2026-12-01T00:00:00Z&end=2026-12-01T01:00:00Z&speed=30

Messages have the shape of live ones, and ``"replay": true`` and the instant ``at`` that
the replay has reached. The client may send ``{"speed": 0}`` (a pause) or another speed.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from missioncontrol.api.fields import parse_instant, utc_text
from missioncontrol.api.telemetry_live import TelemetrySocket
from telemetry.selectors import Replay, TelemetryRefusedError

STEP_S: Final = 0.05
MAX_SPEED: Final = 100_000.0
CLOSE_AT_THE_END: Final = 1000


class ReplayConsumer(TelemetrySocket):
    """Replays one span to one client."""

    speed = 1.0

    async def begin(self) -> None:
        """Start with what the address asks for."""
        asked = parse_qs(self.scope["query_string"].decode("latin-1"))
        try:
            start = parse_instant(asked["start"][0])
            end = parse_instant(asked["end"][0])
            self.speed = _speed(asked.get("speed", ["1"])[0])
            replay = await database_sync_to_async(Replay)(self.spacecraft, start=start, end=end)
        except (KeyError, ValueError, TelemetryRefusedError) as error:
            reason = f"start and end are needed, speed may be: {error}"
            await self.refuse(reason)
            return
        self.sender = asyncio.create_task(self._play(replay, start, end))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Go on at another speed."""
        try:
            self.speed = _speed(json.loads(text_data or "")["speed"])
        except (ValueError, KeyError, TypeError) as error:
            await self.refuse(f'send {{"speed": number}}: {error}')

    async def _play(self, replay: Replay, start: datetime, end: datetime) -> None:
        reached, before_s = start, time.monotonic()
        while reached < end:
            await asyncio.sleep(STEP_S)
            now_s = time.monotonic()
            reached = min(reached + timedelta(seconds=self.speed * (now_s - before_s)), end)
            before_s = now_s
            values = await database_sync_to_async(replay.until)(reached)
            if values:
                await self._tell(reached, values)
        await self._tell(reached, {})
        await self.close(code=CLOSE_AT_THE_END)

    async def _tell(self, at: datetime, values: dict[str, Any]) -> None:
        message = {"replay": True, "at": utc_text(at), "values": values}
        await self.send(text_data=json.dumps(message, separators=(",", ":")))


def _speed(value: object) -> float:
    speed = float(str(value))
    if not (math.isfinite(speed) and 0 <= speed <= MAX_SPEED):
        raise ValueError(f"the speed {value} is not from 0 to {MAX_SPEED:g}")
    return speed
