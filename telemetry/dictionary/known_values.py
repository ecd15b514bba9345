"""Which values a container's entries have given so far, while its plan is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from telemetry.dictionary.calibration import is_computed
from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.model import (
    Container,
    Criteria,
    IntegerValue,
    Parameter,
    ParameterInstance,
    instances_in,
)
from telemetry.dictionary.model.types import MAX_ELEMENTS
from telemetry.dictionary.plan import Leaf

_Scope = tuple[int, ...]  # the branches and loops around an entry, outermost first
_Key = tuple[str, tuple[Any, ...]]  # a declared parameter, and the path to one of its values


@dataclass(frozen=True, slots=True)
class _Occurrence:
    """One place at which a value stands."""

    leaf: Leaf
    scope: _Scope


@dataclass(frozen=True, slots=True)
class _Use:
    """Something that depends on a value which certainly stands before it."""

    instance: ParameterInstance
    scope: _Scope
    value_scope: _Scope


@dataclass(slots=True)
class KnownValues:
    """The values that a packet has, or may have, up to the entry at hand; of the bases first.

    A value certainly stands before an entry if all branches and loops around it are around
    the entry too.

    Attributes:
        container: Whose plan is made.
        parameters: Of the dictionary.
        repeated: Parameters of which a packet may have more than one.
    """

    container: Container
    parameters: Mapping[str, Parameter]
    repeated: set[str] = field(default_factory=set)
    _fixed: frozenset[str] = field(init=False)
    _occurrences: dict[_Key, list[_Occurrence]] = field(default_factory=dict)
    _scopes_of: dict[_Key, list[_Scope]] = field(default_factory=dict)  # not numbered yet
    _scope: _Scope = ()
    _scopes: int = 0  # made so far
    _loops: frozenset[int] = frozenset()  # those scopes that are loops
    _uses: list[_Use] = field(default_factory=list)  # in the loops at hand
    _count: int = 0

    def __post_init__(self) -> None:
        self._fixed = frozenset(self.parameters)

    def for_derived(self, container: Container) -> KnownValues:
        """Return what a container derived from this one begins with."""
        derived = copy(self)
        derived.container = container
        derived._occurrences = {key: list(known) for key, known in self._occurrences.items()}
        derived._scopes_of = {key: list(known) for key, known in self._scopes_of.items()}
        derived._count = 0
        return derived

    def enter(self, *, is_loop: bool) -> None:
        """Begin a part that not every packet has, or has as often as it says."""
        self._scopes += 1
        self._scope = (*self._scope, self._scopes)
        if is_loop:
            self._loops |= {self._scopes}

    def leave(self) -> None:
        """End the innermost such part."""
        left = self._scope[-1]
        self._scope = self._scope[:-1]
        if left not in self._loops:
            return
        for use in self._uses:
            others = self._occurrences[self._key_of(use.instance)]
            is_from_before = left in use.scope and left not in use.value_scope
            if is_from_before and any(left in other.scope for other in others):
                # In all turns but the first the one of the turn before would be newer.
                raise self._error(
                    f"uses {use.instance.parameter!r} from before what it repeats, which has"
                    " one too; that is not supported. Give one of them another name",
                    use.instance.line,
                )
        if not self._loops.intersection(self._scope):
            self._uses.clear()

    def sources(self, what: Criteria | IntegerValue, problem: str) -> dict[str, tuple[Leaf, ...]]:
        """Return where each value may stand that something depends on, the newest first.

        Raises:
            DictionaryError: It stands nowhere before, or which one is meant is not known.
        """
        found = {}
        for instance in instances_in(what):
            places = tuple(self._places(instance))
            if not places:
                raise self._error(
                    f"compares {instance.parameter!r}, which {problem}", instance.line
                )
            found[instance.parameter] = places
        return found

    def _places(self, instance: ParameterInstance) -> Iterator[Leaf]:
        name = instance.parameter
        if self.parameters[name].type.context_calibrators and instance.use_calibrated_value:
            raise self._error(
                f"depends on the calibrated value of {name!r}, whose calibrator depends on"
                " a context; use its raw value",
                instance.line,
            )
        for occurrence in reversed(self._occurrences.get(self._key_of(instance), ())):
            if self._loops.intersection(occurrence.scope) - {*self._scope}:
                raise self._error(
                    f"compares {name!r}, which stands in it as often as a packet says",
                    instance.line,
                )
            yield occurrence.leaf
            if self._is_certain(occurrence.scope):
                if self._loops.intersection(self._scope):
                    self._uses.append(_Use(instance, self._scope, occurrence.scope))
                return

    def _is_certain(self, scope: _Scope) -> bool:
        return self._scope[: len(scope)] == scope

    def _key_of(self, instance: ParameterInstance) -> _Key:
        parameter = self.parameters[instance.parameter]
        return parameter.declared, parameter.path

    def include(self, container: str, repeats: tuple[Any, ...]) -> int:
        """Note that a container is included; return how often it certainly was before."""
        return self._certainly_before((container, repeats))

    def _certainly_before(self, key: _Key) -> int:
        """Note that something stands here; return how often it certainly stands before."""
        scopes = self._scopes_of.setdefault(key, [])
        count = sum(map(self._is_certain, scopes))
        scopes.append(self._scope)
        return count

    def note(self, leaf: Leaf, line: int, *, included: int) -> tuple[Leaf, Parameter]:
        """Note a value that an entry gives, and return it.

        What certainly stands in the packet once more, or in a container that does, has a
        number behind its name.

        Args:
            leaf: Not numbered yet.
            line: Of the entry.
            included: How often the container around it was included before.
        """
        number = max(self._certainly_before((leaf.declared.name, leaf.path)), included)
        noted = leaf.inside(number) if number else leaf
        places = self._occurrences.setdefault((leaf.declared.name, leaf.own_path), [])
        places.append(_Occurrence(noted, self._scope))
        first_turns = (0,) * len(self._loops.intersection(self._scope))
        parameter = noted.parameter(first_turns)
        self._check(parameter, line)
        if noted.path != leaf.own_path:
            own_path = leaf.parameter(first_turns).path[leaf.repeats :]
            self.repeated.add(leaf.declared.element(own_path).name)
        return noted, parameter

    def _check(self, parameter: Parameter, line: int) -> None:
        name, kind = parameter.name, parameter.type
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise self._error(f"has more than {MAX_ELEMENTS} values", self.container.line)
        if kind.encoding is None:
            raise self._error(
                f"holds {name!r}, whose type {kind.name!r} has no data encoding", line
            )
        if is_computed(kind) and name not in self._fixed:
            raise self._error(
                f"holds {name!r} as often as a packet says or an entry repeats, and its value"
                " depends on other parameters (a context calibrator, or a time that counts from"
                " another), which is not supported",
                line,
            )

    def _error(self, message: str, line: int) -> DictionaryError:
        return DictionaryError(f"the container {self.container.name!r} {message}", line=line)
