"""Columns that were decoded and wait to be stored together: few segments, not many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from telemetry.archive.codec import LIVE_LEVEL, dtype_text
from telemetry.archive.interface import ColumnGroup
from telemetry.archive.merging import Rows, in_order
from telemetry.archive.segments import EncodedSegment, encode_segment, rows_of

_Key = tuple[str, str, tuple[tuple[str, str], ...]]  # spacecraft, container, layout


class WaitingColumns:
    """Groups of rows, those of the same container and layout kept together."""

    def __init__(self) -> None:
        self._parts: dict[_Key, list[Rows]] = {}
        self.rows = 0

    def add(self, groups: Iterable[ColumnGroup]) -> None:
        """Take groups.

        Raises:
            ArchiveError: The columns of a group differ in length; nothing of it is taken.
        """
        for group in groups:
            if not len(group.times_us):
                continue
            rows = rows_of(group)
            layout = tuple((name, dtype_text(c)) for name, c in rows.columns.items())
            key = (group.spacecraft, group.container, layout)
            self._parts.setdefault(key, []).append(rows)
            self.rows += len(rows)

    def together(self) -> Iterator[tuple[str, str, Rows]]:
        """Yield spacecraft, container and rows of all that waits, each layout once."""
        for (spacecraft, container, _), parts in self._parts.items():
            yield spacecraft, container, _together(parts)

    def encoded(self) -> list[EncodedSegment]:
        """Return all that waits as segments."""
        return [
            encode_segment(spacecraft, container, rows, level=LIVE_LEVEL)
            for spacecraft, container, rows in self.together()
        ]

    def clear(self) -> None:
        self._parts.clear()
        self.rows = 0


def _together(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    return in_order(
        np.concatenate([part.times_us for part in parts]),
        np.concatenate([part.sequence_counts for part in parts]),
        {
            name: np.concatenate([part.columns[name] for part in parts])
            for name in parts[0].columns
        },
    )
