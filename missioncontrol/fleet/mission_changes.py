"""What loading a mission file changes, field by field.

Pure: compares values and describes the differences.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_ABSENT: Final = object()  # a field that one side does not have, not even empty
_LONGEST_TEXT_SHOWN: Final = 80  # characters; longer texts are shown as a digest


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that got another value."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


@dataclass(slots=True)
class MissionLoad:
    """What one load did: rows created, fields changed. Empty when all was there already."""

    mission: str
    created: list[str] = field(default_factory=list)
    changed: list[FieldChange] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.created or self.changed)

    def lines(self) -> list[str]:
        """Return the report for a person, one line for each change."""
        if not self:
            return [f"Mission {self.mission} is loaded already; nothing changed."]
        return [
            f"Mission {self.mission}: {len(self.created)} created, {len(self.changed)} changed.",
            *(f"  created {name}" for name in self.created),
            *(f"  changed {change}" for change in self.changed),
        ]


def differences(path: str, old: Any, new: Any) -> Iterator[FieldChange]:
    """Yield the differences of two JSON-able values, as deep down as they can be named."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from differences(f"{path}.{key}", old.get(key, _ABSENT), new.get(key, _ABSENT))
        return
    named_old, named_new = _by_name(old), _by_name(new)
    if named_old is not None and named_new is not None:
        for name in sorted(named_old.keys() | named_new.keys()):
            yield from differences(
                f"{path}[{name}]", named_old.get(name, _ABSENT), named_new.get(name, _ABSENT)
            )
        if named_old == named_new:
            yield FieldChange(path, " ".join(named_old), " ".join(named_new))  # another order
        return
    yield FieldChange(path, _shown(old), _shown(new))


def _by_name(value: Any) -> dict[str, Any] | None:
    """Return a list of rows as a mapping by their names; None when it is no such list."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return None
    named = {row["name"]: row for row in value if "name" in row}
    return named if value and len(named) == len(value) else None


def _shown(value: Any) -> str:
    if value is None or value is _ABSENT:
        return "none" if value is None else "absent"
    text = str(value)
    if len(text) <= _LONGEST_TEXT_SHOWN:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"({len(text)} characters, SHA-256 {digest}…)"
