"""Which values a container's entries have given so far, while its plan is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry.dictionary.calibration import is_computed
from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.model import (
    Container,
    Criteria,
    IntegerValue,
    Parameter,
    instances_in,
)
from telemetry.dictionary.model.types import MAX_ELEMENTS
from telemetry.dictionary.plan import Leaf


@dataclass(slots=True)
class KnownValues:
    """Names of values, those of the bases first.

    Attributes:
        container: Whose plan is made.
        parameters: Of the dictionary.
        possible: What may have a value by now.
        certain: How often every packet has each value.
    """

    container: Container
    parameters: Mapping[str, Parameter]
    possible: set[str] = field(default_factory=set)
    certain: dict[str, int] = field(default_factory=dict)
    _fixed: frozenset[str] = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self._fixed = frozenset(self.parameters)

    def for_derived(self, container: Container) -> KnownValues:
        """Return what a container derived from this one begins with."""
        return KnownValues(container, self.parameters, set(self.possible), dict(self.certain))

    def check(self, what: Criteria | IntegerValue, problem: str) -> None:
        """Refuse to depend on values that are not there, or not in one meaning."""
        for instance in instances_in(what):
            name = instance.parameter
            if name not in self.possible:
                raise self._error(f"compares {name!r}, which {problem}", instance.line)
            if self.certain.get(name, 1) > 1:
                raise self._error(
                    f"compares {name!r}, which stands in it more than once", instance.line
                )
            if self.parameters[name].type.context_calibrators and instance.use_calibrated_value:
                raise self._error(
                    f"depends on the calibrated value of {name!r}, whose calibrator depends on"
                    " a context; use its raw value",
                    instance.line,
                )

    def numbered(self, leaf: Leaf, turns: int, *, certain: bool) -> tuple[Leaf, Parameter]:
        """Return the value that a leaf is: what stands there once more has a number behind it."""
        parameter = leaf.parameter((0,) * turns)
        before = self.certain.get(parameter.name, 0)
        if not before:
            return leaf, parameter
        if certain:
            self.certain[parameter.name] += 1
        again = Leaf(leaf.declared, (*leaf.path, before))
        return again, again.parameter((0,) * turns)

    def note(self, parameter: Parameter, line: int, *, certain: bool) -> None:
        """Note a value that an entry gives."""
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
        if name in self.certain:
            raise self._error(f"holds {name!r} twice", line)
        self.possible.add(name)
        if certain:
            self.certain[name] = 1

    def _error(self, message: str, line: int) -> DictionaryError:
        return DictionaryError(f"the container {self.container.name!r} {message}", line=line)
