"""Columns as values that texts and tables can hold."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from telemetry.dictionary import DecodedBatch, Parameter, engineering, raw_values
from telemetry.dictionary.columns import Column
from telemetry.dictionary.model import TypeKind

_DEFAULT_LABELS: Final = ("True", "False")


def engineering_column(parameter: Parameter, batch: DecodedBatch) -> Column:
    """Return a parameter's engineering values in a batch."""
    return engineering(parameter, batch.columns[parameter.name])


def raw_column(parameter: Parameter, batch: DecodedBatch) -> Column:
    """Return a parameter's values in a batch as they were sent; derived ones as computed."""
    name = parameter.name
    return raw_values(parameter, batch.sent.get(name, batch.columns[name]))


def plain_values(parameter: Parameter, column: Column, *, raw: bool) -> list[Any]:
    """Return a column as JSON can hold it.

    Numbers, texts and booleans as they are; octets as hexadecimal digits; times as
    ISO 8601; what has no value (not a number, infinity, no time) as ``None``.
    """
    if column.dtype.kind == "M":
        return _times(column)
    if column.dtype.kind == "f":
        return [value if math.isfinite(value) else None for value in column.tolist()]
    if column.dtype.kind == "O":
        return [value.hex() if isinstance(value, bytes) else value for value in column.tolist()]
    if not raw and _is_plain_boolean(parameter):
        return [value == parameter.type.one_label for value in column.tolist()]
    return list(column.tolist())


def _is_plain_boolean(parameter: Parameter) -> bool:
    """Say whether a boolean's labels are no more than its two values."""
    kind = parameter.type
    return kind.kind is TypeKind.BOOLEAN and (kind.one_label, kind.zero_label) == _DEFAULT_LABELS


def _times(column: Column) -> list[Any]:
    texts = np.datetime_as_string(column, unit="us", timezone="UTC").tolist()
    return [None if text == "NaT" else text for text in texts]


def nested(paths: list[tuple[str | int, ...]], values: list[Any]) -> Any:
    """Return values put together by their paths: indices make lists, names objects.

    An index that no value has reads ``None``.
    """
    if paths[0] == ():
        if len(paths) == 1:
            return values[0]
        # What stands in a packet once more is numbered from the first one on.
        paths = [(0,), *paths[1:]]
    groups: dict[str | int, tuple[list[tuple[str | int, ...]], list[Any]]] = {}
    for path, value in zip(paths, values, strict=True):
        inner = groups.setdefault(path[0], ([], []))
        inner[0].append(path[1:])
        inner[1].append(value)
    built = {part: nested(*inner) for part, inner in groups.items()}
    if isinstance(paths[0][0], int):
        return [built.get(index) for index in range(max(int(part) for part in built) + 1)]
    return built
