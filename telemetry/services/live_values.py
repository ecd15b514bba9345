from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from telemetry import streams
from telemetry.definition import plain
from telemetry.dictionary import Parameter, engineering
from telemetry.limits import LimitState, display_status
from telemetry.pipeline import UNIX_EPOCH, PipelineResult, TelemetryBatch, unix_us

# A person reads no faster, and a page with fifty values need not be redrawn more often.
_TOLD_EVERY_S: Final = 0.2


class LiveValues:
    """The newest values of one spacecraft, told to the open consoles a few times a second."""

    def __init__(
        self,
        spacecraft: str,
        parameters: Mapping[str, Parameter],
        *,
        newest_us: Mapping[str, int],
    ) -> None:
        """Start with what is known.

        Args:
            spacecraft: Its name.
            parameters: Of the dictionary, by name.
            newest_us: Generation times of the newest values that are archived.
        """
        self._spacecraft = spacecraft
        self._parameters = parameters
        self._newest_us = dict(newest_us)
        self._untold: dict[str, dict[str, Any]] = {}
        self._told_s = 0.0

    def note(self, result: PipelineResult) -> None:
        """Remember the newest values of a batch; values of the past are not news."""
        if not result.packets:
            return
        received_at = result.packets[-1].received_at
        for batch in result.batches:
            row = int(batch.generation_times_us.argmax())
            for name in batch.columns:
                self._note_one(batch, row, name, received_at)

    def tell_if_due(self) -> None:
        if time.monotonic() - self._told_s >= _TOLD_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Tell what is new now."""
        self._told_s = time.monotonic()
        values, self._untold = self._untold, {}
        streams.publish_values(self._spacecraft, values)

    def _note_one(self, batch: TelemetryBatch, row: int, name: str, received_at: datetime) -> None:
        time_us = int(batch.generation_times_us[row])
        known_us = self._newest_us.get(name)
        # A known time after the reception is of a rehearsal whose clock was set back.
        if known_us is not None and time_us < known_us <= unix_us(received_at):
            return
        self._newest_us[name] = time_us
        value = engineering(self._parameters[name], batch.columns[name][row : row + 1])[0]
        states = batch.states.get(name)
        state = LimitState(int(states[row])) if states is not None else LimitState.NOMINAL
        self._untold[name] = {
            "v": plain(value),
            "s": display_status(state).value,
            "t": streams.iso(UNIX_EPOCH + timedelta(microseconds=time_us)),
        }
