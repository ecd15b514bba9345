"""What other packets told: the newest values of parameters that something depends on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.batches import DecodedBatch
from telemetry.dictionary.calibration import engineering
from telemetry.dictionary.columns import Column
from telemetry.dictionary.conditions import LookUp, Mask
from telemetry.dictionary.model import Parameter, ParameterInstance

Indices = npt.NDArray[np.intp]


@dataclass(slots=True)
class Memory:
    """The newest values of the parameters that others depend on, each of shape (1,)."""

    newest: dict[str, Column] = field(default_factory=dict)

    def copy(self) -> Memory:
        return Memory(dict(self.newest))


@dataclass(frozen=True, slots=True)
class ParameterHistory:
    """The values of one parameter in the order of the packets that brought them."""

    indices: Indices  # of the packets, ascending; -1: remembered from before
    values: Column

    @classmethod
    def of(cls, name: str, batches: Sequence[DecodedBatch], memory: Memory) -> ParameterHistory:
        parts = [(b.indices, b.columns[name]) for b in batches if name in b.columns]
        if name in memory.newest:
            parts.insert(0, (np.array([-1]), memory.newest[name]))
        if not parts:
            return cls(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float64))
        indices = np.concatenate([part for part, _ in parts])
        columns = [column for _, column in parts]
        if len({column.dtype for column in columns}) > 1:
            columns = [column.astype(object) for column in columns]
        values = np.concatenate(columns)
        order = np.argsort(indices, kind="stable")
        return cls(indices[order], values[order])

    @property
    def newest(self) -> Column | None:
        return self.values[-1:] if len(self.values) else None

    def before(self, indices: Indices) -> tuple[Column, Mask]:
        """Return the newest values before each of the packets, and which there are."""
        places = np.searchsorted(self.indices, indices) - 1
        known = places >= 0
        if not len(self.values):
            return np.zeros(len(indices), dtype=np.float64), known
        return self.values[np.maximum(places, 0)], known


class Histories:
    """The histories of some parameters over the packets of one call."""

    def __init__(
        self,
        names: Collection[str],
        parameters: Mapping[str, Parameter],
        batches: Sequence[DecodedBatch],
        memory: Memory,
    ) -> None:
        self._parameters = parameters
        self._histories = {name: ParameterHistory.of(name, batches, memory) for name in names}

    def look_up(self, batch: DecodedBatch) -> LookUp:
        """Return what gives values for a batch: of the same packet, else the newest before."""

        def look_up(instance: ParameterInstance) -> tuple[Column, Mask]:
            name = instance.parameter
            if name in batch.columns:
                values = batch.columns[name]
                if not instance.use_calibrated_value:
                    values = batch.sent.get(name, values)
                known = np.ones(len(values), dtype=np.bool_)
            else:
                values, known = self._histories[name].before(batch.indices)
            if instance.use_calibrated_value:
                values = engineering(self._parameters[name], values)
            return values, known

        return look_up

    def remember(self, memory: Memory) -> None:
        """Bring a memory up to date."""
        for name, history in self._histories.items():
            if (newest := history.newest) is not None:
                memory.newest[name] = newest
