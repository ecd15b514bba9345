from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from telemetry import streams
from telemetry.definition import Telling
from telemetry.dictionary import Parameter
from telemetry.pipeline import PipelineResult, TelemetryBatch

# A person reads no faster, and a page with fifty values need not be redrawn more often.
_CONSOLES_EVERY_S: Final = 0.2
# Programs that listen are told at once, as far as telling takes a tenth of the time.
_LISTENERS_EVERY_S: Final = 0.005
_SHARE_OF_TELLING: Final = 10


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest row of a container in a batch."""

    batch: TelemetryBatch
    row: int
    received_us: int
    time_us: int


class LiveValues:
    """The newest values of one spacecraft, told to who listens many times a second."""

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
        self._telling = Telling(parameters)
        self._newest_us = dict(newest_us)
        self._noted: dict[tuple[str, int], _Newest] = {}
        self._position = 0
        self._for_consoles: dict[str, dict[str, Any]] = {}
        self._told_s = self._told_consoles_s = self._telling_took_s = 0.0
        self._has_listeners = False

    def note(self, result: PipelineResult, *, position: int) -> None:
        """Remember the newest values of a batch; values of the past are not news.

        Args:
            result: Of the pipeline; it has packets.
            position: In the archive's packet log, after the batch.
        """
        self._position = position
        received_us = int(result.packets.received_us[-1])
        for batch in result.batches:
            row = int(batch.generation_times_us.argmax())
            newest = _Newest(batch, row, received_us, int(batch.generation_times_us[row]))
            # Batches of one container may differ in the parameters that they hold.
            key = (batch.container, len(batch.columns))
            known = self._noted.get(key)
            # A known time after the reception is of a rehearsal whose clock was set back.
            if known is None or not newest.time_us < known.time_us <= received_us:
                self._noted[key] = newest

    def tell_if_due(self) -> None:
        """Tell listeners and consoles what has waited long enough for them."""
        every_s = _LISTENERS_EVERY_S if self._has_listeners else _CONSOLES_EVERY_S
        every_s = max(every_s, _SHARE_OF_TELLING * self._telling_took_s)
        if time.monotonic() - self._told_s >= every_s:
            self._tell(consoles=time.monotonic() - self._told_consoles_s >= _CONSOLES_EVERY_S)

    def tell(self) -> None:
        """Tell everybody what is new; call it when the line is quiet, so that nothing waits."""
        self._tell(consoles=True)

    def _tell(self, *, consoles: bool) -> None:
        began_s = time.monotonic()
        noted, self._noted = self._noted, {}
        values: dict[str, dict[str, Any]] = {}
        for newest in noted.values():
            values |= self._told(newest)
        if values:
            listeners = streams.publish_news(self._spacecraft, values, position=self._position)
            self._has_listeners = listeners > 0
            self._for_consoles |= values
        self._told_s = time.monotonic()
        if consoles:
            self._told_consoles_s = self._told_s
            waiting, self._for_consoles = self._for_consoles, {}
            streams.publish_values(self._spacecraft, waiting)
        self._telling_took_s = time.monotonic() - began_s

    def _told(self, newest: _Newest) -> dict[str, dict[str, Any]]:
        """Return the values of a row that are no older than what was told before."""
        names = [name for name in newest.batch.columns if self._is_news(name, newest)]
        self._newest_us |= dict.fromkeys(names, newest.time_us)
        return self._telling.row(newest.batch, newest.row, names=names)

    def _is_news(self, name: str, newest: _Newest) -> bool:
        known_us = self._newest_us.get(name)
        return known_us is None or not newest.time_us < known_us <= newest.received_us
