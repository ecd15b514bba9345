"""Limits of one spacecraft's parameters, watched as packets come and go.

Live values and values of the past are kept apart: a recorder's dump that
follows live telemetry must not overwrite the state in force, and yet an
excursion that only the recorder saw must be told.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary import DecodedBatch, Parameter, engineering
from telemetry.limits import LimitDefinition, LimitMemory, LimitState, follow_states
from telemetry.pipeline.events import Column, GoodPackets, LimitTransition, from_unix_us

_REMEMBERED_PACKETS: Final = 16_384  # enough for two stations minutes apart
_LONG_AGO_US: Final = -(2**63)
_TABLED: Final = ("u1", "i1", "u2", "i2")  # types with few enough values to look them all up

States = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]
Times = npt.NDArray[np.int64]


class RecentRows:
    """The (time, sequence count) of the last *limit* rows of one container, or some more."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._parts: list[tuple[Times, npt.NDArray[np.uint16]]] = []
        self._held = 0
        self._newest_us = _LONG_AGO_US

    def add(self, times_us: Times, counts: npt.NDArray[np.uint16]) -> None:
        self._parts.append((times_us, counts))
        self._held += len(times_us)
        self._newest_us = max(self._newest_us, int(times_us.max()))
        while self._held - len(self._parts[0][0]) >= self._limit:
            self._held -= len(self._parts.pop(0)[0])

    def holds(self, times_us: Times, counts: npt.NDArray[np.uint16]) -> npt.NDArray[np.bool_]:
        """Say of each row whether it was added before."""
        held = np.zeros(len(times_us), dtype=np.bool_)
        if not self._parts or times_us.min() > self._newest_us:
            return held
        known_us = np.concatenate([part[0] for part in self._parts])
        known_counts = np.concatenate([part[1] for part in self._parts])
        self._parts = [(known_us, known_counts)]
        rows = np.flatnonzero(np.isin(times_us, known_us))
        if len(rows):
            known = set(zip(known_us.tolist(), known_counts.tolist(), strict=True))
            asked = zip(times_us[rows].tolist(), counts[rows].tolist(), strict=True)
            held[rows] = [row in known for row in asked]
        return held


class _StateTables:
    """Limit states of raw values, looked up where a type has few values."""

    def __init__(self) -> None:
        self._tables: dict[Hashable, States] = {}

    def states(self, parameter: Parameter, limit: LimitDefinition, raw: Column) -> States:
        """Return each value's own state, without regard to its neighbours."""
        if raw.dtype.str[1:] not in _TABLED:
            return limit.states(engineering(parameter, raw))
        labels = None if limit.labels is None else tuple(limit.labels.items())
        # Parameters of one type share a table; a type may be many times as common.
        key = (id(parameter.type), raw.dtype, limit.ranges, labels, limit.other_labels)
        table = self._tables.get(key)
        if table is None:
            unsigned = np.dtype(f"u{raw.dtype.itemsize}")
            every = np.arange(1 << 8 * raw.dtype.itemsize, dtype=unsigned).view(raw.dtype)
            table = self._tables[key] = limit.states(engineering(parameter, every))
        found: States = table[raw.view(f"u{raw.dtype.itemsize}")]
        return found


class LimitWatch:
    """Checks decoded batches against limits and remembers what persistence needs."""

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        definitions: Iterable[LimitDefinition],
        *,
        states_in_force: Mapping[str, LimitState] | None = None,
        archived_until_us: Mapping[str, int] | None = None,
    ) -> None:
        self._parameters = parameters
        self._limits = {definition.parameter: definition for definition in definitions}
        self._memories = {  # by parameter, recorded
            (name, False): _settled(self._limits[name], state)
            for name, state in (states_in_force or {}).items()
            if name in self._limits
        }
        self._archived_until_us = dict(archived_until_us or {})  # by container
        self._checked_until_us: dict[str, int] = {}  # by container
        self._checked: dict[str, RecentRows] = {}  # by container
        self._tables = _StateTables()

    def check(
        self, batch: DecodedBatch, packets: GoodPackets
    ) -> tuple[dict[str, States], list[LimitTransition]]:
        """Return the states of every limited parameter, and their changes.

        Args:
            batch: Decoded packets of one container.
            packets: The same packets, in the same order.
        """
        limited = [name for name in batch.columns if name in self._limits]
        states: dict[str, States] = {}
        transitions: list[LimitTransition] = []
        if limited:
            live, recorded = self._split(batch.container, packets)
            for name in limited:
                raw = batch.columns[name]
                states[name] = self._check(name, raw, packets, live, recorded, transitions)
        return states, transitions

    def _split(self, container: str, packets: GoodPackets) -> tuple[Rows, Rows]:
        """Return the live and the recorded rows, in order of time.

        A packet that two stations delivered is in neither the second time.
        """
        times_us = packets.generated_us
        until_us = self._checked_until_us.get(container)
        if until_us is None:
            until_us = self._known_until_us(container, packets)
        self._checked_until_us[container] = max(until_us, int(times_us.max()))
        fresh = self._fresh(container, packets)
        # Without a time of its own a packet can only be taken for live.
        live = ~packets.own_time | (times_us > until_us)
        if fresh.all() and live.all() and (times_us[1:] >= times_us[:-1]).all():
            return np.arange(len(times_us)), np.empty(0, dtype=np.intp)
        order = np.argsort(times_us, kind="stable")
        return order[(fresh & live)[order]], order[(fresh & ~live)[order]]

    def _known_until_us(self, container: str, packets: GoodPackets) -> int:
        """Return the generation time up to which values of *container* are of the past.

        What the archive holds decides, unless it lies in the future: then a
        rehearsal's clock was set back, and the values that come are the newest.
        """
        archived_us = self._archived_until_us.get(container)
        if archived_us is not None and archived_us <= int(packets.received_us[0]):
            return archived_us
        return int(packets.generated_us.min()) - 1

    def _fresh(self, container: str, packets: GoodPackets) -> npt.NDArray[np.bool_]:
        """Say of each packet whether it came for the first time, as far as is remembered."""
        checked = self._checked.setdefault(container, RecentRows(limit=_REMEMBERED_PACKETS))
        times_us, counts = packets.generated_us, packets.sequence_counts
        fresh = ~checked.holds(times_us, counts)
        if len(times_us) > 1 and not (times_us[1:] > times_us[:-1]).all():
            order = np.lexsort((counts, times_us))  # stable: the first given comes first
            same = times_us[order][1:] == times_us[order][:-1]
            same &= counts[order][1:] == counts[order][:-1]
            fresh[order[1:][same]] = False
        fresh |= ~packets.own_time
        new = fresh & packets.own_time
        if new.any():
            checked.add(times_us[new], counts[new])
        return fresh

    def _check(
        self,
        name: str,
        raw: Column,
        packets: GoodPackets,
        live: Rows,
        recorded: Rows,
        transitions: list[LimitTransition],
    ) -> States:
        definition = self._limits[name]
        # Of repeats these stay; they are not checked.
        states = self._tables.states(self._parameters[name], definition, raw)
        calm = not states.any()
        for rows, is_recorded in ((recorded, True), (live, False)):
            memory = self._memories.get((name, is_recorded), _AT_EASE)
            if not len(rows) or (calm and not memory.state and not any(memory.recent)):
                continue
            checked = follow_states(definition, states[rows], memory)
            self._memories[name, is_recorded] = checked.memory
            states[rows] = checked.states
            for change in checked.transitions:
                row = int(rows[change.index])
                value = engineering(self._parameters[name], raw[row : row + 1])[0]
                transitions.append(
                    LimitTransition(
                        parameter=name,
                        previous=change.previous,
                        current=change.current,
                        value=value.item(),
                        limit=definition.limit_text(max(change.previous, change.current)),
                        generated_at=from_unix_us(int(packets.generated_us[row])),
                        received_at=from_unix_us(int(packets.received_us[row])),
                        recorded=is_recorded,
                    )
                )
        return states


_AT_EASE: Final = LimitMemory()


def _settled(definition: LimitDefinition, state: LimitState) -> LimitMemory:
    """Return the memory of a parameter that has been in *state* for long enough."""
    back = max(definition.min_violations, definition.min_conformance) - 1
    return LimitMemory(state, (int(state),) * back)
