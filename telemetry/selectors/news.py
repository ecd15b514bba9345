"""Values as those who listen are told them: the newest, and all since a position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from missioncontrol.fleet.models import Spacecraft
from telemetry.definition import Telling, compiled, pipeline_of, plain
from telemetry.dictionary import engineering
from telemetry.limits import LimitState
from telemetry.selectors.archives import archive_reader, instant
from telemetry.streams import iso

Wanted = Callable[[str], bool]


def newest_news(spacecraft: Spacecraft, wanted: Wanted) -> tuple[int, dict[str, Any]]:
    """Return (position in the packet log, newest values by parameter), as published."""
    what = compiled(spacecraft.telemetry_dictionary)
    limits = {limit.parameter: limit for limit in what.limits}
    with archive_reader(spacecraft) as reader:
        position = reader.end()
        latest = reader.latest(spacecraft=spacecraft.name)
    telling = Telling(what.dictionary.parameters)
    values: dict[str, Any] = {}
    for name, newest in latest.items():
        parameter = what.dictionary.parameters.get(name)
        if parameter is None or not wanted(name):
            continue
        state = LimitState.NOMINAL
        if name in limits:
            own = limits[name].states(engineering(parameter, newest.raw))
            state = LimitState(int(own[0]))
        values[name] = telling.value(name, newest.raw, state, iso(instant(newest.time_us)))
    return position, values


def samples_since(
    spacecraft: Spacecraft, position: int, wanted: Wanted
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield every sample that was archived after a position, part by part.

    Each part is (position after it, ``{parameter: {"t": [...], "v": [...]}}``).

    Raises:
        ArchiveError: *position* is none that this archive gave.
    """
    what = compiled(spacecraft.telemetry_dictionary)
    pipeline = pipeline_of(spacecraft, checks_limits=False)
    with archive_reader(spacecraft) as reader:
        for rows in reader.rows_since(position, spacecraft=spacecraft.name):
            result = pipeline.receive_packet_columns(
                rows.packets, received_us=rows.received_us, station=rows.station
            )
            samples: dict[str, Any] = {}
            for batch in result.batches:
                times = np.datetime_as_string(
                    batch.generation_times_us.astype("datetime64[us]"), unit="ms"
                )
                told = [f"{time}Z" for time in times.tolist()]
                for name, raw in batch.columns.items():
                    if wanted(name):
                        values = engineering(what.dictionary.parameters[name], raw)
                        own = samples.setdefault(name, {"t": [], "v": []})
                        own["t"] += told
                        own["v"] += [plain(value) for value in values]
            yield int(rows.cursors[-1]), samples
