"""A span of the past as it was: packets decoded again, in order of generation time.

They go through the pipeline that live telemetry goes through, one of their own: limits
are checked as if it were now, and nothing of it touches alarms, archive or live values.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np

from missioncontrol.fleet.models import Spacecraft
from telemetry.archive import PacketRows
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.definition import Telling, compiled, pipeline_of
from telemetry.pipeline import TelemetryBatch, instant, unix_us
from telemetry.selectors.archives import TelemetryRefusedError, archive_reader

_WINDOW_US: Final = 60_000_000  # decoded at once


class Replay:
    """One replay. Ask it for what was new until a later and later instant."""

    def __init__(self, spacecraft: Spacecraft, *, start: datetime, end: datetime) -> None:
        """Begin before *start*.

        Raises:
            TelemetryRefusedError: no interval.
        """
        if end <= start:
            raise TelemetryRefusedError(
                f"The end {end.isoformat()} is not after the start {start.isoformat()}."
            )
        self._spacecraft = spacecraft
        self._telling = Telling(compiled(spacecraft.telemetry_dictionary).dictionary.parameters)
        self._pipeline = pipeline_of(spacecraft)
        self._end_us = unix_us(end)
        self._loaded_until_us = unix_us(start)
        self._batches: list[TelemetryBatch] = []
        self._given: list[int] = []

    def until(self, moment: datetime) -> dict[str, dict[str, Any]]:
        """Return the newest values generated before *moment* that were not given yet.

        The shape is that of live values.
        """
        wanted_us = min(unix_us(moment), self._end_us)
        values: dict[str, dict[str, Any]] = {}
        self._give(wanted_us, values)
        while self._loaded_until_us < wanted_us:
            self._load()
            self._give(wanted_us, values)
        return values

    def _give(self, until_us: int, values: dict[str, dict[str, Any]]) -> None:
        for number, batch in enumerate(self._batches):
            row = int(np.searchsorted(batch.generation_times_us, until_us)) - 1
            if row < self._given[number]:
                continue
            self._given[number] = row + 1
            values |= self._telling.row(batch, row)

    def _load(self) -> None:
        """Decode the next window."""
        first_us = self._loaded_until_us
        self._loaded_until_us = min(first_us + _WINDOW_US, self._end_us)
        with archive_reader(self._spacecraft) as reader:
            parts = list(
                reader.rows_between(
                    spacecraft=self._spacecraft.name,
                    start=instant(first_us),
                    end=instant(self._loaded_until_us),
                )
            )
        self._batches, self._given = [], []
        if parts:
            batch, received_us = _in_order_of_generation(parts)
            result = self._pipeline.receive_packet_columns(
                batch, received_us=received_us, station="replay"
            )
            self._batches = result.batches
            self._given = [0] * len(result.batches)


def _in_order_of_generation(parts: list[PacketRows]) -> tuple[PacketBatch, Any]:
    """Return packets by generation time, those that came twice once."""
    times_us = np.concatenate([part.generated_us for part in parts])
    apids = np.concatenate([part.apids for part in parts])
    counts = np.concatenate([part.sequence_counts for part in parts])
    order = np.lexsort((counts, apids, times_us))
    new = np.ones(len(order), dtype=np.bool_)
    keys = (times_us[order], apids[order], counts[order])
    new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    chosen = order[new]
    packets = [octets for part in parts for octets in part.packets]
    received_us = np.concatenate([part.received_us for part in parts])
    return PacketBatch.of([packets[row] for row in chosen.tolist()]), received_us[chosen]
