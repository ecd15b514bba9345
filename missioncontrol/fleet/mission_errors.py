"""What is wrong with a mission file, field by field, in words that help to mend it.

Pure: no Django, no files. pydantic finds the faults; this module says for each
one where it stands (``stations[2].latitude_deg``), what was written there and
what is allowed.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_VALUE_LENGTH_SHOWN: Final = 60  # characters; a pasted file must not fill the screen
_BOUND_ERRORS: Final = frozenset(
    {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
)
_PHRASES: Final = {
    "missing": "this field must be given",
    "timezone_aware": "a time with its zone, e.g. 2026-12-01T12:00:00Z",
}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: where, what stands there, what may stand there."""

    path: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.path}: {self.value}; allowed: {self.allowed}"


class MissionFileError(ValueError):
    """The mission file cannot be loaded; ``problems`` lists every wrong field."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "field is" if count == 1 else "fields are"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"{count} {noun} wrong in the mission file; nothing was changed.\n{lines}"
        )


def shown(value: object) -> str:
    """Return *value* as it is shown in a message: short, and quoted if it is text."""
    text = value.isoformat() if isinstance(value, datetime) else repr(value)
    if len(text) <= _VALUE_LENGTH_SHOWN:
        return text
    return f"{text[:_VALUE_LENGTH_SHOWN]}… ({len(text)} characters)"


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[FieldProblem]:
    """Return one problem for each fault that pydantic found against *model*."""
    problems = []
    for fault in error.errors(include_url=False):
        place = _Place(model)
        for part in fault["loc"]:
            place.enter(part)
        value = "missing" if fault["type"] == "missing" else shown(fault["input"])
        problems.append(
            FieldProblem(
                path=place.path or "mission file",
                value=value,
                allowed=_allowed(fault["type"], fault["msg"], place),
            )
        )
    return problems


class _Place:
    """Follows a pydantic location through the models, so that the field is known."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.path = ""
        self.field: FieldInfo | None = None
        self.siblings: Sequence[str] = ()
        self._annotation: Any = model

    def enter(self, part: int | str) -> None:
        if isinstance(part, int):
            self.path += f"[{part}]"
            self._annotation = _item_type(self._annotation)
            return
        chosen = _union_member(self._annotation, part)
        if chosen is not None:  # the tag of a union is not a part of the path
            self._annotation = chosen
            return
        self.path += f".{part}" if self.path else part
        fields = _fields(self._annotation)
        self.siblings = tuple(fields)
        self.field = fields.get(part)
        self._annotation = self.field.annotation if self.field else _item_type(self._annotation)


def _fields(annotation: Any) -> dict[str, FieldInfo]:
    for candidate in (annotation, *typing.get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate.model_fields
    return {}


def _item_type(annotation: Any) -> Any:
    """Return what a list or a mapping holds; the annotation itself when neither."""
    for candidate in (annotation, *typing.get_args(annotation)):
        if typing.get_origin(candidate) in (list, tuple, dict):
            return typing.get_args(candidate)[-1]
    return annotation


def _union_member(annotation: Any, tag: str) -> Any:
    """Return the member of a tagged union that *tag* chooses, if there is one."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return None
    for member in typing.get_args(annotation):
        if any(tag in _literals(field.annotation) for field in _fields(member).values()):
            return member
    return None


def _literals(annotation: Any) -> tuple[Any, ...]:
    is_literal = typing.get_origin(annotation) is typing.Literal
    return typing.get_args(annotation) if is_literal else ()


def _allowed(kind: str, message: str, place: _Place) -> str:
    if kind == "extra_forbidden":
        return f"there is no such field; the fields here are {', '.join(place.siblings)}"
    if kind in _PHRASES:
        return _PHRASES[kind]
    if kind in _BOUND_ERRORS and place.field is not None:
        return _bounds(place.field) or _plain(message)
    description = place.field.description if place.field is not None else None
    if description and not kind.startswith("value_error"):
        return description
    return _plain(message)


def _bounds(field: FieldInfo) -> str:
    limits = {
        name: getattr(item, name)
        for item in field.metadata
        for name in ("gt", "ge", "lt", "le")
        if getattr(item, name, None) is not None
    }
    low = limits.get("ge", limits.get("gt"))
    high = limits.get("le", limits.get("lt"))
    if low is None or high is None:
        return ""
    ends = [f"{low} itself excluded"] if "gt" in limits else []
    ends += [f"{high} itself excluded"] if "lt" in limits else []
    return f"{low} to {high}" + (f" ({', '.join(ends)})" if ends else "")


def _plain(message: str) -> str:
    for prefix in ("Value error, ", "Input should be "):
        message = message.removeprefix(prefix)
    return message
