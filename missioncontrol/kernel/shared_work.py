"""Work in the background of an event loop that goes on while somebody needs it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from django.db import DatabaseError

_Work = Callable[[], Coroutine[Any, Any, None]]

logger = logging.getLogger(__name__)


class SharedWork:
    """Starts its work with the first who needs it and ends it with the last.

    It runs in a context of its own: whoever comes first is a request of
    somebody, and what is done for all must not be done for that somebody's
    organisations.
    """

    def __init__(self, *works: _Work) -> None:
        self._works = works
        self._needed_by = 0
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Have the work done from now on, until as many have called ``end``."""
        self._needed_by += 1
        if self._needed_by > 1:
            return
        self._tasks = [asyncio.create_task(work(), context=Context()) for work in self._works]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def end(self) -> None:
        """Need it no longer."""
        self._needed_by -= 1
        if self._needed_by:
            return
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def every(period_s: float, work: _Work) -> None:
    """Do *work* again and again; what goes wrong costs one turn and stands in the journal."""
    while True:
        await asyncio.sleep(period_s)
        try:
            await work()
        except DatabaseError as error:
            logger.warning("%s waits for the database: %s", work.__qualname__, error)
        except Exception:
            logger.exception("%s failed; it is tried again", work.__qualname__)


def _report(task: asyncio.Task[None]) -> None:
    """Write into the journal why work ended; it should not."""
    if not task.cancelled() and task.exception() is not None:
        logger.error("work in the background ended", exc_info=task.exception())
