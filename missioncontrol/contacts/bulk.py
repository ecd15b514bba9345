"""Hundreds of thousands of rows into a table: as columns, not as objects.

PostgreSQL takes them by COPY in its binary form, in which a row of columns of
fixed length is a record of fixed length: the records are made by NumPy, all at
once. Other databases take them by ``bulk_create``.

Source: PostgreSQL's documentation of COPY, "Binary Format": the signature, two
words of flags; then for each row the number of fields, and each field with its
length before it, all most significant octet first; then -1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

import numpy as np
from django.db import connection, models
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_POSTGRESQL_EPOCH: Final = np.datetime64("2000-01-01T00:00:00", "us")
_ROWS_AT_ONCE: Final = 2000


def insert_columns(model: type[models.Model], columns: Columns) -> None:
    """Insert rows given as columns; all are inserted, or none.

    Args:
        model: Whose table; fields that are not among the columns need a default
            of the database's own.
        columns: By field name (``spacecraft_id`` for a foreign key): whole
            numbers, real numbers, truth values, or UTC times (``datetime64``).
    """
    if connection.vendor == "postgresql":
        _copy(model, columns)
    else:
        _create(model, columns)


def _copy(model: type[models.Model], columns: Columns) -> None:
    in_table = {field.attname: field.column for field in model._meta.concrete_fields}
    names = ", ".join(connection.ops.quote_name(str(in_table[name])) for name in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    command = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(command) as copy,
    ):
        copy.write(_SIGNATURE + _records(columns).tobytes() + _END)


def _records(columns: Columns) -> NDArray[Any]:
    """Return the rows in PostgreSQL's binary form."""
    fields = {name: _as_stored(column) for name, column in columns.items()}
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, column in fields.items():
        layout += [(f"length of {name}", ">i4"), (name, column.dtype.str)]
    records = np.empty(len(next(iter(fields.values()))), dtype=layout)
    records["fields"] = len(fields)
    for name, column in fields.items():
        records[f"length of {name}"] = column.dtype.itemsize
        records[name] = column
    return records


def _as_stored(column: NDArray[Any]) -> NDArray[Any]:
    kind = column.dtype.kind
    if kind == "M":  # microseconds since 2000, as timestamptz has them
        return ((column - _POSTGRESQL_EPOCH) / np.timedelta64(1, "us")).astype(">i8")
    if kind == "b":
        return column.astype("u1")
    return column.astype({"i": ">i8", "f": ">f8"}[kind])


def _create(model: type[models.Model], columns: Columns) -> None:
    lists = {name: _as_objects(column) for name, column in columns.items()}
    rows = [
        model(**dict(zip(lists, values, strict=True)))
        for values in zip(*lists.values(), strict=True)
    ]
    model._default_manager.bulk_create(rows, batch_size=_ROWS_AT_ONCE)


def _as_objects(column: NDArray[Any]) -> list[Any]:
    if column.dtype.kind == "M":
        times = column.astype("datetime64[us]").tolist()
        return [at.replace(tzinfo=UTC) for at in times]
    objects: list[Any] = column.tolist()
    return objects
