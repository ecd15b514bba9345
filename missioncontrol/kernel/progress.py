"""A bar on the terminal while long work goes on."""

from __future__ import annotations

import time
from typing import Final, Protocol

_FIRST_AFTER_S: Final = 1.0  # short work shows nothing
_EVERY_S: Final = 0.2
_EVERY_LINE_S: Final = 10.0  # where what is shown cannot be written over
_WIDTH: Final = 30


class Terminal(Protocol):
    """A stream that people may look at."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def flush(self) -> None:
        """Let it be seen."""

    def isatty(self) -> bool:
        """Return whether a line can be written over."""


class ProgressBar:
    """Shows ``[#######.......................]  512 of 2,000 spacecraft``."""

    def __init__(self, stream: Terminal, *, total: int, unit: str) -> None:
        self._stream = stream
        self._total = total
        self._unit = unit
        self._rewrites = stream.isatty()
        self._next_s = time.monotonic() + _FIRST_AFTER_S
        self._shown = False

    def show(self, done: int) -> None:
        """Show how much is done, if what was shown last is old enough."""
        at_s = time.monotonic()
        if at_s < self._next_s:
            return
        self._next_s = at_s + (_EVERY_S if self._rewrites else _EVERY_LINE_S)
        self._shown = True
        filled = _WIDTH * done // max(self._total, 1)
        bar = "#" * filled + "." * (_WIDTH - filled)
        text = f"[{bar}]  {done:,} of {self._total:,} {self._unit}"
        self._stream.write(f"\r\x1b[K{text}" if self._rewrites else f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._shown and self._rewrites:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
