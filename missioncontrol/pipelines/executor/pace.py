"""Work that is due every so often, on the wall's clock."""

from __future__ import annotations

import time


class Every:
    """True once in every *period_s*; the first time at once."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._due_at_s = 0.0

    def is_due(self) -> bool:
        """Return whether the period is over, and begin the next."""
        at_s = time.monotonic()
        if at_s < self._due_at_s:
            return False
        self._due_at_s = at_s + self._period_s
        return True
