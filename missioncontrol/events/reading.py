"""The database as live streams read it: in one thread of their own.

A stream stays open for hours. If it read in the thread of the request that
opened it, as Django would have it, each would keep a thread busy and a
connection to the database open.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from channels.db import DatabaseSyncToAsync
from django.db import connections

_P = ParamSpec("_P")
_Result = TypeVar("_Result")

_THREAD: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream-reads")


async def read(
    function: Callable[_P, _Result], *arguments: _P.args, **named: _P.kwargs
) -> _Result:
    """Return what *function* finds in the database."""
    call = DatabaseSyncToAsync(function, thread_sensitive=False, executor=_THREAD)
    found: _Result = await call(*arguments, **named)
    return found


async def release_connection() -> None:
    """Give back the connection of the request's own thread: the stream needs none."""
    await sync_to_async(connections.close_all)()
