"""Limits of one spacecraft's parameters, watched as packets come and go.

Live values and values of the past are kept apart: a recorder's dump that
follows live telemetry must not overwrite the state in force, and yet an
excursion that only the recorder saw must be told.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary import DecodedBatch, Parameter, engineering
from telemetry.limits import LimitDefinition, LimitMemory, LimitState, follow_states
from telemetry.pipeline.events import Column, GoodPacket, LimitTransition, unix_us

_REMEMBERED_PACKETS: Final = 16_384  # enough for two stations minutes apart

States = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]


class RecentKeys:
    """The last *limit* different keys that were added."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._keys: OrderedDict[Hashable, None] = OrderedDict()

    def add(self, key: Hashable) -> bool:
        """Add *key*; return whether it was new."""
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self._limit:
            self._keys.popitem(last=False)
        return True


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
        self._checked = RecentKeys(limit=_REMEMBERED_PACKETS)

    def check(
        self,
        batch: DecodedBatch,
        packets: Sequence[GoodPacket],
        times_us: npt.NDArray[np.int64],
    ) -> tuple[dict[str, States], list[LimitTransition]]:
        """Return the states of every limited parameter, and their changes.

        Args:
            batch: Decoded packets of one container.
            packets: The same packets, in the same order.
            times_us: Their generation times.
        """
        limited = [name for name in batch.columns if name in self._limits]
        states: dict[str, States] = {}
        transitions: list[LimitTransition] = []
        if limited:
            live, recorded = self._split(batch.container, packets, times_us)
            for name in limited:
                raw = batch.columns[name]
                states[name] = self._check(name, raw, packets, live, recorded, transitions)
        return states, transitions

    def _split(
        self, container: str, packets: Sequence[GoodPacket], times_us: npt.NDArray[np.int64]
    ) -> tuple[Rows, Rows]:
        """Return the live and the recorded rows, in order of time.

        A packet that two stations delivered is in neither the second time.
        """
        fresh = np.array([self._is_fresh(container, p) for p in packets], dtype=np.bool_)
        # Without a time of its own a packet can only be taken for live.
        live = np.array([not p.has_own_time for p in packets], dtype=np.bool_)
        until_us = self._checked_until_us.get(container)
        if until_us is None:
            until_us = self._known_until_us(container, packets, times_us)
        live |= times_us > until_us
        self._checked_until_us[container] = max(until_us, int(times_us.max()))
        order = np.argsort(times_us, kind="stable")
        return order[(fresh & live)[order]], order[(fresh & ~live)[order]]

    def _known_until_us(
        self, container: str, packets: Sequence[GoodPacket], times_us: npt.NDArray[np.int64]
    ) -> int:
        """Return the generation time up to which values of *container* are of the past.

        What the archive holds decides, unless it lies in the future: then a
        rehearsal's clock was set back, and the values that come are the newest.
        """
        archived_us = self._archived_until_us.get(container)
        if archived_us is not None and archived_us <= unix_us(packets[0].received_at):
            return archived_us
        return int(times_us.min()) - 1

    def _is_fresh(self, container: str, packet: GoodPacket) -> bool:
        key = (container, packet.sequence_count, packet.generated_at)
        return not packet.has_own_time or self._checked.add(key)

    def _check(
        self,
        name: str,
        raw: Column,
        packets: Sequence[GoodPacket],
        live: Rows,
        recorded: Rows,
        transitions: list[LimitTransition],
    ) -> States:
        definition = self._limits[name]
        values = engineering(self._parameters[name], raw)
        states = definition.states(values)  # stays for repeats, which are not checked
        for rows, is_recorded in ((recorded, True), (live, False)):
            if not len(rows):
                continue
            memory = self._memories.get((name, is_recorded), LimitMemory())
            checked = follow_states(definition, states[rows], memory)
            self._memories[name, is_recorded] = checked.memory
            states[rows] = checked.states
            for change in checked.transitions:
                row = int(rows[change.index])
                transitions.append(
                    LimitTransition(
                        parameter=name,
                        previous=change.previous,
                        current=change.current,
                        value=values[row].item(),
                        limit=definition.limit_text(max(change.previous, change.current)),
                        generated_at=packets[row].generated_at,
                        received_at=packets[row].received_at,
                        recorded=is_recorded,
                    )
                )
        return states


def _settled(definition: LimitDefinition, state: LimitState) -> LimitMemory:
    """Return the memory of a parameter that has been in *state* for long enough."""
    back = max(definition.min_violations, definition.min_conformance) - 1
    return LimitMemory(state, (int(state),) * back)
