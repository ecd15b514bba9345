"""Verification reports, kept to be sent again, because a frame that carried one may be lost."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_KEPT: Final = 500
_REPEATS: Final = 2
_REPEAT_AFTER: Final = timedelta(seconds=20)


@dataclass(slots=True)
class _Kept:
    packet: bytes
    repeats: int
    due: datetime | None  # None: with the dump of the next pass


class ReportLog:
    """Each report goes out twice more: soon in this pass and in the next, or in the next two."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque(maxlen=_KEPT)

    def keep(self, packet: bytes, *, sent_at: datetime | None) -> None:
        """Keep a report.

        Args:
            packet: The report for the recorded channel.
            sent_at: When it was sent while a pass was under way; None: it was not.
        """
        due = None if sent_at is None else sent_at + _REPEAT_AFTER
        self._kept.append(_Kept(packet, _REPEATS, due))

    def begin_dump(self, at: datetime) -> None:
        """A new pass: everything kept is due."""
        for one in self._kept:
            one.due = at

    def take(self, at: datetime) -> bytes | None:
        """Return the oldest report that is due; None when there is none."""
        for one in self._kept:
            if one.due is not None and one.due <= at:
                one.repeats -= 1
                one.due = None
                if one.repeats == 0:
                    self._kept.remove(one)
                return one.packet
        return None

    def snapshot(self) -> list[tuple[str, int]]:
        return [(b64encode(one.packet).decode(), one.repeats) for one in self._kept]

    def restore(self, snapshot: Iterable[tuple[str, int]]) -> None:
        """Continue from a snapshot; everything waits for the next pass."""
        self._kept = deque(
            (_Kept(b64decode(packet), repeats, None) for packet, repeats in snapshot),
            maxlen=_KEPT,
        )
