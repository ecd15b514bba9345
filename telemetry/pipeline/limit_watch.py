"""Limits of one spacecraft's parameters, watched as packets come and go.

Live values and values of the past are kept apart: a recorder's dump that
follows live telemetry must not overwrite the state in force, and yet an
excursion that only the recorder saw must be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary import DecodedBatch, Histories, Memory, Parameter, engineering
from telemetry.dictionary.conditions import LookUp, Mask
from telemetry.dictionary.model import ParameterInstance
from telemetry.limits import (
    LimitDefinition,
    LimitMemory,
    LimitState,
    NominalScreen,
    check_limits,
    definition_of,
)
from telemetry.pipeline.events import LimitTransition
from telemetry.pipeline.packets import ReceivedPackets, instant
from telemetry.pipeline.recent_rows import RecentRows

_REMEMBERED_PACKETS: Final = 16_384  # of a container; enough for two stations minutes apart

States = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Standing:
    """Which packets of a call tell of now, which of the past; repeats tell nothing."""

    is_live: Mask
    is_recorded: Mask


class LimitWatch:
    """Checks decoded batches against limits and remembers what persistence needs.

    What a packet may have several of (``P[3]``) gets its limits when it first comes.
    """

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
        self._known = {*parameters}  # names whose limits are known, or that have none
        self._screen = NominalScreen()
        for name, definition in self._limits.items():
            self._screen.add(definition, parameters[name])
        self._states_in_force = states_in_force or {}
        # Those for which even a nominal value changes something.
        self._restless = {name for name, state in self._states_in_force.items() if state}
        self._memories: dict[tuple[str, bool], LimitMemory] = {}  # by parameter, recorded
        self._archived_until_us = dict(archived_until_us or {})  # by container
        self._checked_until_us: dict[str, int] = {}  # by container
        self._checked: dict[str, RecentRows] = {}  # by container

    def check(
        self, batches: Sequence[DecodedBatch], packets: ReceivedPackets, memory: Memory
    ) -> tuple[list[dict[str, States]], list[LimitTransition]]:
        """Return the states of every limited parameter, batch by batch, and their changes.

        Args:
            batches: All decoded packets of one call, with indices into *packets*.
            packets: The packets.
            memory: Newest values before this call of the parameters that limits look at.
        """
        self._find_limits(batches)
        standing = self._standing(batches, packets)
        states: list[dict[str, States]] = [{} for _ in batches]
        transitions: list[LimitTransition] = []
        to_check = self._screened(batches, states)
        needs = frozenset().union(*(limit.needs for limit in self._limits.values()))
        histories = Histories(needs, self._parameters, batches, memory)
        for name in to_check:
            members = [index for index, batch in enumerate(batches) if name in batch.columns]
            column = _Column.of(self._parameters[name], [batches[i] for i in members], histories)
            checked = self._check(name, column, packets, standing, transitions)
            for index, part in zip(members, column.parts(checked), strict=True):
                states[index][name] = part
        return states, transitions

    def _screened(
        self, batches: Sequence[DecodedBatch], states: list[dict[str, States]]
    ) -> list[str]:
        """Note where all is nominal for certain; return the parameters to look at closely."""
        quiet = [self._screen.nominal(batch.columns) for batch in batches]
        to_check = {
            name
            for batch, own in zip(batches, quiet, strict=True)
            for name in batch.columns
            if name in self._limits and (name not in own or name in self._restless)
        }
        for batch, own, noted in zip(batches, quiet, states, strict=True):
            nominal = np.zeros(len(batch.indices), dtype=np.uint8)
            nominal.flags.writeable = False  # one for all
            noted.update(dict.fromkeys(own.difference(to_check), nominal))
        return [name for name in self._limits if name in to_check]

    def _find_limits(self, batches: Sequence[DecodedBatch]) -> None:
        """Give limits to parameters that come for the first time."""
        for batch in batches:
            for name in batch.columns:
                if name in self._known:
                    continue
                self._known.add(name)
                found = definition_of(self._parameters[name], self._parameters)
                if found is not None:
                    self._limits[name] = found
                    self._screen.add(found, self._parameters[name])

    def _standing(self, batches: Sequence[DecodedBatch], packets: ReceivedPackets) -> _Standing:
        is_live = np.zeros(len(packets), dtype=np.bool_)
        is_recorded = np.zeros(len(packets), dtype=np.bool_)
        for container in dict.fromkeys(batch.container for batch in batches):
            rows = np.sort(
                np.concatenate([b.indices for b in batches if b.container == container])
            )
            fresh, live = self._sort_rows(container, packets, rows)
            is_live[rows] = fresh & live
            is_recorded[rows] = fresh & ~live
        return _Standing(is_live, is_recorded)

    def _sort_rows(
        self, container: str, packets: ReceivedPackets, rows: Rows
    ) -> tuple[Mask, Mask]:
        """Return which packets of a container come for the first time, and which are live."""
        times_us, has_own_time = packets.generated_us[rows], packets.has_own_time[rows]
        checked = self._checked.setdefault(container, RecentRows(_REMEMBERED_PACKETS))
        # A packet that two stations delivered is the same packet. Without a time of its
        # own it can be known by nothing, and can only be taken for live.
        fresh = ~has_own_time
        fresh[has_own_time] = checked.add(
            times_us[has_own_time], packets.sequence_counts[rows][has_own_time]
        )
        until_us = self._checked_until_us.get(container)
        if until_us is None:
            until_us = self._known_until_us(container, times_us, int(packets.received_us[rows[0]]))
        self._checked_until_us[container] = max(until_us, int(times_us.max()))
        return fresh, ~has_own_time | (times_us > until_us)

    def _known_until_us(
        self, container: str, times_us: npt.NDArray[np.int64], received_us: int
    ) -> int:
        """Return the generation time up to which values of *container* are of the past.

        What the archive holds decides, unless it lies in the future: then a
        rehearsal's clock was set back, and the values that come are the newest.
        """
        archived_us = self._archived_until_us.get(container)
        if archived_us is not None and archived_us <= received_us:
            return archived_us
        return int(times_us.min()) - 1

    def _check(
        self,
        name: str,
        column: _Column,
        packets: ReceivedPackets,
        standing: _Standing,
        transitions: list[LimitTransition],
    ) -> States:
        definition = self._limits[name]
        times_us = packets.generated_us[column.indices]
        states = definition.states(column.values)  # stays for repeats, which are not checked
        order = np.argsort(times_us, kind="stable")
        for chosen, is_recorded in ((standing.is_recorded, True), (standing.is_live, False)):
            rows = order[chosen[column.indices][order]]
            if not len(rows):
                continue
            memory = self._memories.get((name, is_recorded))
            if memory is None:
                memory = self._first_memory(definition, is_recorded=is_recorded)
            checked = check_limits(
                definition,
                column.values[rows],
                memory,
                times_us=times_us[rows],
                look_up=column.look_up(rows),
            )
            self._memories[name, is_recorded] = checked.memory
            states[rows] = checked.states
            self._note_rest(name)
            for change in checked.transitions:
                row = int(rows[change.index])
                packet = int(column.indices[row])
                transitions.append(
                    LimitTransition(
                        parameter=name,
                        previous=change.previous,
                        current=change.current,
                        value=column.values[row].item(),
                        limit=(change.limits or definition).limit_text(
                            max(change.previous, change.current)
                        ),
                        generated_at=instant(int(packets.generated_us[packet])),
                        received_at=instant(int(packets.received_us[packet])),
                        recorded=is_recorded,
                    )
                )
        return states

    def _note_rest(self, name: str) -> None:
        live, recorded = (self._memories.get((name, recorded)) for recorded in (False, True))
        if any(memory is not None and not memory.is_at_rest for memory in (live, recorded)):
            self._restless.add(name)
        elif live is not None:
            self._restless.discard(name)

    def _first_memory(self, definition: LimitDefinition, *, is_recorded: bool) -> LimitMemory:
        """Return the memory of a parameter that has been in its state for long enough."""
        state = self._states_in_force.get(definition.parameter)
        if state is None or is_recorded:
            return LimitMemory()
        return LimitMemory(state, (int(state),) * (definition.longest_persistence - 1))


@dataclass(frozen=True, slots=True)
class _Column:
    """One parameter's values over all batches that have it."""

    indices: Rows  # of the packets
    values: npt.NDArray[Any]
    edges: tuple[int, ...]  # where one batch ends and the next begins
    look_ups: tuple[LookUp, ...]

    @classmethod
    def of(
        cls, parameter: Parameter, batches: Sequence[DecodedBatch], histories: Histories
    ) -> _Column:
        lengths = [len(batch.indices) for batch in batches]
        columns = [batch.columns[parameter.name] for batch in batches]
        return cls(
            np.concatenate([batch.indices for batch in batches]),
            np.concatenate([engineering(parameter, column) for column in columns]),
            tuple(np.cumsum(lengths[:-1]).tolist()),
            tuple(histories.look_up(batch) for batch in batches),
        )

    def parts(self, states: States) -> list[States]:
        return np.split(states, self.edges)

    def look_up(self, rows: Rows) -> LookUp:
        """Return what gives the values of other parameters at *rows*."""

        def look_up(instance: ParameterInstance) -> tuple[npt.NDArray[Any], Mask]:
            found = [own(instance) for own in self.look_ups]
            values = np.concatenate([values for values, _ in found])
            return values[rows], np.concatenate([known for _, known in found])[rows]

        return look_up
