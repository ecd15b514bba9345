"""Any span of history as a file that other programs read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from missioncontrol.fleet.models import Spacecraft
from telemetry import selectors


def export_samples(
    *,
    spacecraft: Spacecraft,
    parameters: Sequence[str],
    start: datetime,
    end: datetime,
    file: Path,
) -> int:
    """Write samples, parameter after parameter, to a Parquet or CSV file by its suffix.

    Columns: ``parameter``, ``time``, ``value`` (numbers) and ``text`` (everything else).

    Returns:
        How many samples.

    Raises:
        TelemetryRefusedError: unknown parameter, no interval, or another suffix.
        OSError: the file cannot be written.
    """
    import pyarrow

    schema = pyarrow.schema(
        [
            ("parameter", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            ("time", pyarrow.timestamp("us", tz="UTC")),
            ("value", pyarrow.float64()),
            ("text", pyarrow.string()),
        ]
    )
    count = 0
    with _writer(file, schema) as writer:
        for parameter in parameters:
            found = selectors.samples(spacecraft, parameter, start=start, end=end)
            if len(found):
                writer.write_table(_table(found, schema))
            count += len(found)
    return count


def _writer(file: Path, schema: Any) -> Any:
    if file.suffix == ".parquet":
        import pyarrow.parquet

        return pyarrow.parquet.ParquetWriter(file, schema, compression="zstd")
    if file.suffix == ".csv":
        import pyarrow.csv

        # The names of parameters are plain text there.
        plain = schema.set(0, schema.field(0).with_type(schema.field(0).type.value_type))
        return pyarrow.csv.CSVWriter(file, plain)
    raise selectors.TelemetryRefusedError(
        f"{file.name} ends in neither .parquet nor .csv, and nothing else can be written."
    )


def _table(found: selectors.SampleColumns, schema: Any) -> Any:
    import pyarrow

    count = len(found)
    number = found.values.dtype.kind in "iuf"
    names = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array(np.zeros(count, dtype=np.int32)), pyarrow.array([found.parameter])
    )
    values = found.values.astype(np.float64) if number else np.full(count, np.nan)
    texts = None if number else [str(value) for value in found.values]
    columns = [
        names,
        pyarrow.array(found.times_us).cast(schema.field("time").type),
        pyarrow.array(values, from_pandas=not number),
        pyarrow.nulls(count, pyarrow.string()) if number else pyarrow.array(texts),
    ]
    return pyarrow.table(columns, schema=schema)
