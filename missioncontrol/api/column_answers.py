"""Answers that are columns: JSON for browsers, CSV for people, Arrow for programs.

Columns never become Python objects one by one on the way out, but for JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.http import HttpRequest, HttpResponse

ARROW: Final = "application/vnd.apache.arrow.stream"
CSV: Final = "text/csv"
_TIME_SUFFIX: Final = "_us"  # columns of microseconds since 1970, told as times

Column = npt.NDArray[Any]


class Form(StrEnum):
    """How columns are written."""

    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"


def form_asked(request: HttpRequest, named: Form | None) -> Form:
    """Return the form that the query names, or else the one that the client accepts first."""
    if named is not None:
        return named
    for accepted in request.headers.get("Accept", "").split(","):
        kind = accepted.partition(";")[0].strip()
        if kind == ARROW:
            return Form.ARROW
        if kind == CSV:
            return Form.CSV
    return Form.JSON


def column_answer(
    form: Form, columns: Mapping[str, Column], *, about: Mapping[str, Any], name: str
) -> HttpResponse:
    """Return columns of one length.

    Args:
        form: How they are written.
        columns: By name; those whose names end in ``_us`` are told as times.
        about: What JSON says beside them, and Arrow in its schema.
        name: Of the file that a browser saves.
    """
    if form is Form.JSON:
        told = {_told_name(key): _told(key, column) for key, column in columns.items()}
        body = json.dumps({**about, **told}, separators=(",", ":"))
        return HttpResponse(body, content_type="application/json")
    table = _table(columns, about)
    sink = BytesIO()
    if form is Form.ARROW:
        import pyarrow.ipc

        with pyarrow.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    else:
        import pyarrow.csv

        pyarrow.csv.write_csv(table, sink)
    kind, suffix = (ARROW, "arrows") if form is Form.ARROW else (f"{CSV}; charset=utf-8", "csv")
    headers = {"Content-Disposition": f'attachment; filename="{name}.{suffix}"'}
    return HttpResponse(sink.getvalue(), content_type=kind, headers=headers)


def _table(columns: Mapping[str, Column], about: Mapping[str, Any]) -> Any:
    """Return the columns as an Arrow table; the library is large, and loaded when it is needed."""
    import pyarrow

    arrays = {}
    for key, column in columns.items():
        if key.endswith(_TIME_SUFFIX):
            kind = pyarrow.timestamp("us", tz="UTC")
            arrays[_told_name(key)] = pyarrow.array(column).cast(kind)
        elif column.dtype.kind == "M":
            arrays[key] = pyarrow.array(column, type=pyarrow.timestamp("us", tz="UTC"))
        else:
            arrays[key] = pyarrow.array(column.tolist() if column.dtype.kind in "UO" else column)
    known = {key: str(value) for key, value in about.items() if value is not None}
    return pyarrow.table(arrays).replace_schema_metadata(known)


def _told_name(key: str) -> str:
    return f"{key.removesuffix(_TIME_SUFFIX)}s" if key.endswith(_TIME_SUFFIX) else key


def _told(key: str, column: Column) -> list[Any]:
    """Return a column as JSON carries it: NaN and the infinities become text."""
    if key.endswith(_TIME_SUFFIX):
        return times_told(column)
    if column.dtype.kind == "M":
        return times_told(column.astype("datetime64[us]").astype(np.int64))
    values: list[Any] = column.tolist()
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        return [value if math.isfinite(value) else str(value) for value in values]
    if column.dtype.kind == "O":
        return [value.hex() if isinstance(value, bytes) else value for value in values]
    return values


def times_told(times_us: npt.NDArray[np.int64]) -> list[str]:
    """Return times as the API writes them: UTC, ISO 8601, ending in Z."""
    told = np.datetime_as_string(times_us.astype("datetime64[us]"), unit="us")
    return [f"{time}Z" for time in told.tolist()]
