"""Makes the plan of a dictionary's containers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from telemetry.dictionary.columns import fixed_size_bits
from telemetry.dictionary.conditions import compile_criteria, compile_number
from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.inheritance import (
    container_named,
    refuse_circular_bases,
    root_of,
    with_bases,
)
from telemetry.dictionary.known_values import KnownValues
from telemetry.dictionary.model import (
    AggregateType,
    ArrayType,
    Container,
    ContainerEntry,
    Criteria,
    DataType,
    Dictionary,
    Dimension,
    IntegerValue,
    ParameterEntry,
    ParameterType,
    Reference,
    Repeat,
)
from telemetry.dictionary.plan import (
    PACKET_START,
    Block,
    Branch,
    Field,
    FromPacket,
    Leaf,
    Loop,
    LoopIndex,
    Move,
    PacketCondition,
    PacketNumber,
    Plan,
    Position,
    Step,
    VaryingOctets,
)

_Body = Callable[[], None]


def make_plan(dictionary: Dictionary, *, root: str | None = None) -> Plan:
    """Return the plan of the root container, with all that derive from it.

    Args:
        dictionary: What to compile.
        root: Name or qualified name of the container that every packet is an instance
            of; may be left out where only one container has no base and is not
            included in another, or only one such has containers derived from it.

    Raises:
        DictionaryError: No single root; inheritance or inclusion in a circle;
            a parameter twice in one container; an entry before the packet's
            start; a condition on a parameter that no earlier entry gives.
    """
    refuse_circular_bases(dictionary)
    container = root_of(dictionary) if root is None else container_named(dictionary, root)
    nothing = KnownValues(container, dictionary.parameters)
    return _plan(dictionary, container, _Start(Position(PACKET_START), 1, nothing))


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a derived container goes on from its base."""

    position: Position
    bases: int
    known: KnownValues


def _plan(dictionary: Dictionary, container: Container, start: _Start) -> Plan:
    builder = _Builder(dictionary, container, start)
    restriction = None
    if container.restriction is not None:
        restriction = builder.condition(container.restriction, what="its base does not hold")
    builder.add_container(container, start=Position(PACKET_START))
    steps, end = builder.finished(), builder.end()
    return Plan(
        container=container,
        restriction=restriction,
        steps=steps,
        derived=tuple(
            _plan(dictionary, child, end)
            for child in dictionary.containers.values()
            if child.base == container.qualified_name
        ),
        bases=builder.bases,
        repeated=frozenset(builder.known.repeated),
    )


@dataclass(slots=True)
class _Builder:
    """Lines up the steps of one container."""

    dictionary: Dictionary
    container: Container
    start: _Start
    position: Position = field(init=False)
    bases: int = field(init=False)
    known: KnownValues = field(init=False)
    _within: list[str] = field(default_factory=list)  # containers being included
    _index_path: tuple[int | LoopIndex, ...] = ()  # turns around the included container
    _included: int = 0  # how often it was included before
    _steps: list[Step] = field(default_factory=list)
    _pending: list[Field] = field(default_factory=list)
    _turns: int = 0  # loops around the current entry

    def __post_init__(self) -> None:
        self.position = self.start.position
        self.bases = self.start.bases
        self.known = self.start.known.for_derived(self.container)

    def end(self) -> _Start:
        """Return where a container derived from this one goes on."""
        return _Start(self.position, self.bases, self.known)

    def finished(self) -> tuple[Step, ...]:
        self._flush()
        return tuple(self._steps)

    def add_container(self, container: Container, *, start: Position) -> None:
        """Add a container's own entries; offsets from its start count from *start*."""
        if container.qualified_name in self._within:
            raise DictionaryError(
                f"the container {container.name!r} includes itself", line=container.line
            )
        self._within.append(container.qualified_name)
        for entry in container.entries:
            self._add_entry(container, entry, start)
        self._within.pop()

    def condition(self, criteria: Criteria, *, what: str) -> PacketCondition:
        sources = self.known.sources(criteria, what)
        self._flush()
        return FromPacket(compile_criteria(criteria, self.dictionary.parameters), sources)

    def _number(self, value: IntegerValue) -> PacketNumber:
        assert not isinstance(value, int)
        sources = self.known.sources(value, "no earlier entry gives")
        self._flush()
        return FromPacket(compile_number(value, self.dictionary.parameters), sources)

    def _add_entry(
        self, container: Container, entry: ParameterEntry | ContainerEntry, start: Position
    ) -> None:
        place = entry.place
        if place.condition is not None:
            condition = self.condition(place.condition, what="no earlier entry gives")
            self._branch(condition, lambda: self._place_entry(container, entry, start))
        else:
            self._place_entry(container, entry, start)

    def _place_entry(
        self, container: Container, entry: ParameterEntry | ContainerEntry, start: Position
    ) -> None:
        place = entry.place
        if place.reference is Reference.CONTAINER_START:
            self.position = start
        if isinstance(place.offset_bits, int):
            self.position = self.position.moved(place.offset_bits)
            if self.position.base == PACKET_START and self.position.offset_bits < 0:
                raise DictionaryError(
                    f"an entry of {container.name!r} lies {-self.position.offset_bits} bits"
                    " before the packet",
                    line=entry.line,
                )
        else:
            bits = self._number(place.offset_bits)
            before, after = self.position, self._new_base()
            self._steps.append(Move(before, bits, after.base, entry.line))
            self.position = after
        if place.repeat is None:
            self._add_body(entry, ())
        else:
            self._repeat(entry, place.repeat)

    def _repeat(self, entry: ParameterEntry | ContainerEntry, repeat: Repeat) -> None:
        if isinstance(repeat.count, int) and isinstance(repeat.gap_bits, int):
            for turn in range(repeat.count):
                self._add_body(entry, (turn,))
                if turn < repeat.count - 1:
                    self.position = self.position.moved(repeat.gap_bits)
            return
        count = repeat.count if isinstance(repeat.count, int) else self._number(repeat.count)
        gap = repeat.gap_bits
        gap_bits = gap if isinstance(gap, int) else self._number(gap)
        name = entry.parameter if isinstance(entry, ParameterEntry) else entry.container
        with_index = (LoopIndex(self._turns),)
        self._loop(name, count, 0, gap_bits, lambda: self._add_body(entry, with_index))

    def _add_body(
        self, entry: ParameterEntry | ContainerEntry, indices: tuple[int | LoopIndex, ...]
    ) -> None:
        if isinstance(entry, ContainerEntry):
            self._include(entry, indices)
            return
        declared = self.dictionary.declared[entry.parameter]
        kind = declared.type
        if entry.dimensions:
            kind = self._sliced(entry, kind)
        repeats = (*self._index_path, *indices)
        self._add_value(Leaf(declared, repeats, len(repeats)), kind, declared.line or entry.line)

    def _sliced(self, entry: ParameterEntry, kind: DataType) -> DataType:
        if not isinstance(kind, ArrayType) or len(kind.dimensions) != len(entry.dimensions):
            raise DictionaryError(
                f"{entry.parameter!r} is no array of {len(entry.dimensions)} dimensions",
                line=entry.line,
            )
        return ArrayType(name=kind.name, element=kind.element, dimensions=entry.dimensions)

    def _include(self, entry: ContainerEntry, indices: tuple[int | LoopIndex, ...]) -> None:
        """Add an included container, its bases first."""
        start, outer = self.position, (self._index_path, self._included)
        self._index_path = (*self._index_path, *indices)
        again = self.known.include(entry.container, self._index_path)
        self._included = max(self._included, again)
        for container in reversed(list(with_bases(self.dictionary, entry.container))):
            if container.restriction is not None:
                raise DictionaryError(
                    f"the container {container.name!r} is included and has a restriction, which"
                    " is not supported; put the condition on the entry",
                    line=entry.line,
                )
            self.add_container(container, start=start)
        self._index_path, self._included = outer

    def _add_value(self, leaf: Leaf, kind: DataType, line: int) -> None:
        if isinstance(kind, AggregateType):
            for member in kind.members:
                self._add_value(leaf.inside(member.name), member.type, line)
        elif isinstance(kind, ArrayType):
            self._add_array(leaf, kind, kind.dimensions, line)
        else:
            self._add_scalar(leaf, kind, line)

    def _add_array(
        self, leaf: Leaf, kind: ArrayType, dimensions: tuple[Dimension, ...], line: int
    ) -> None:
        if not dimensions:
            self._add_value(leaf, kind.element, line)
            return
        dimension, rest = dimensions[0], dimensions[1:]
        if dimension.fixed is not None:
            for index in dimension.fixed:
                self._add_array(leaf.inside(index), kind, rest, line)
            return
        if not isinstance(dimension.first, int):
            raise DictionaryError(
                f"the StartingIndex of {leaf.declared.name!r} depends on a packet, which is not"
                " supported; only the EndingIndex may",
                line=line,
            )
        last = self._number(dimension.last)
        inner = leaf.inside(LoopIndex(self._turns, dimension.first))
        self._loop(
            leaf.declared.name,
            last,
            1 - dimension.first,
            0,
            lambda: self._add_array(inner, kind, rest, line),
        )

    def _add_scalar(self, leaf: Leaf, kind: ParameterType, line: int) -> None:
        leaf, parameter = self.known.note(leaf, line, included=self._included)
        assert kind.encoding is not None
        size_bits = fixed_size_bits(kind)
        if size_bits is None:
            size = self._number(kind.encoding.size_bits)
            before, after = self.position, self._new_base()
            self._steps.append(VaryingOctets(leaf, before, size, after.base))
            self.position = after
            return
        if self._pending and self._pending[-1].position.base != self.position.base:
            self._flush()
        self._pending.append(Field(leaf, parameter, self.position, size_bits))
        self.position = self.position.moved(size_bits)

    def _branch(self, condition: PacketCondition, body: _Body) -> None:
        before = self.position
        steps, end = self._scope(body, is_loop=False)
        after = self._new_base()
        self._steps.append(Branch(condition, before, steps, end, after.base))
        self.position = after

    def _loop(
        self,
        name: str,
        count: PacketNumber | int,
        extra: int,
        gap_bits: PacketNumber | int,
        body: _Body,
    ) -> None:
        self._flush()
        before = self.position
        turn = self.position = self._new_base()
        self._turns += 1
        steps, end = self._scope(body, is_loop=True)
        self._turns -= 1
        after = self._new_base()
        self._steps.append(
            Loop(name, count, extra, gap_bits, before, turn.base, steps, end, after.base)
        )
        self.position = after

    def _scope(self, body: _Body, *, is_loop: bool) -> tuple[tuple[Step, ...], Position]:
        """Let *body* add steps that not every packet takes; return them and where they end."""
        self._flush()
        outer, self._steps = self._steps, []
        self.known.enter(is_loop=is_loop)
        body()
        self.known.leave()
        steps = self.finished()
        self._steps = outer
        return steps, self.position

    def _new_base(self) -> Position:
        self._flush()
        self.bases += 1
        return Position(self.bases - 1)

    def _flush(self) -> None:
        if self._pending:
            self._steps.append(Block.of(tuple(self._pending)))
            self._pending = []
