"""Which events somebody wants: ``job.complete``, all of a kind ``job.*``, or all ``*``.

The type of an event is the action of its log entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Self

MAX_PATTERNS: Final = 50
MAX_LENGTH: Final = 60
_PART: Final = "[a-z][a-z0-9_]*"
_PATTERN: Final = re.compile(rf"\*|{_PART}(\.{_PART})*\.(\*|{_PART})")


class EventTypesError(ValueError):
    """What was given selects no events."""


class EventTypes:
    """Patterns of event types; an event is wanted if one of them fits."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take the patterns.

        Raises:
            EventTypesError: there is none, there are too many, or one is no pattern.
        """
        self.patterns = tuple(dict.fromkeys(patterns))
        if not 0 < len(self.patterns) <= MAX_PATTERNS:
            raise EventTypesError(
                f"{len(self.patterns)} event types are given; 1 to {MAX_PATTERNS} are allowed. "
                "* stands for all."
            )
        for pattern in self.patterns:
            _check(pattern)
        self.everything = "*" in self.patterns
        self.exact = frozenset(each for each in self.patterns if not each.endswith("*"))
        self.prefixes = tuple(each[:-1] for each in self.patterns if each.endswith(".*"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read patterns separated by commas.

        Raises:
            EventTypesError: see ``EventTypes``.
        """
        return cls(part.strip() for part in text.split(","))

    def take(self, event_type: str) -> bool:
        """Return whether an event of this type is wanted."""
        return self.everything or event_type in self.exact or event_type.startswith(self.prefixes)


def _check(pattern: str) -> None:
    if len(pattern) <= MAX_LENGTH and _PATTERN.fullmatch(pattern):
        return
    raise EventTypesError(
        f"{pattern[: MAX_LENGTH + 1]!r} is no event type: give one such as job.complete, all of "
        f"a kind as job.*, or * for all, in at most {MAX_LENGTH} characters."
    )


ALL: Final = EventTypes(["*"])
