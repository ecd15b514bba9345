"""A line on the terminal while long work goes on."""

from __future__ import annotations

import time
from typing import Final, Protocol, Self, TextIO

_FIRST_AFTER_S: Final = 2.0  # short work shows nothing
_EVERY_S: Final = 1.0


class Progress(Protocol):
    """Told how far a piece of work has come."""

    def __call__(self, done: int, total: int) -> None:
        """Take entries done and entries in all."""


def silent(done: int, total: int) -> None:
    """Show nothing."""


class ProgressLine:
    """Writes ``12,288 of 70,000 entries (17 %)`` at most once a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rewrites = stream.isatty()
        self._next_s = time.monotonic() + _FIRST_AFTER_S
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Show the state if the last one shown is old enough."""
        at_s = time.monotonic()
        if at_s < self._next_s:
            return
        self._next_s = at_s + _EVERY_S
        self._shown = True
        text = f"{done:,} of {total:,} entries ({100 * done // max(total, 1)} %)"
        self._stream.write(f"\r\x1b[K{text}" if self._rewrites else f"{text}\n")
        self._stream.flush()

    def __enter__(self) -> Self:
        """Begin; nothing is shown yet."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Leave an empty line for what is written next."""
        if self._shown and self._rewrites:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
