"""A dictionary compiled once, packets decoded in batches, one column a parameter.

Packets are sorted into containers by comparing whole columns, then each
container's packets are laid side by side and every field is read from all of
them at once. No Python object is made for a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.calibration import engineering
from telemetry.dictionary.columns import Column, Octets, read_column
from telemetry.dictionary.layout import DictionaryError, Field, Layout, lay_out
from telemetry.dictionary.model import (
    Comparison,
    ComparisonOperator,
    Dictionary,
    Parameter,
    TypeKind,
)

Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

_OPERATIONS: Final[dict[ComparisonOperator, Callable[[Any, Any], Any]]] = {
    ComparisonOperator.EQUAL: np.equal,
    ComparisonOperator.NOT_EQUAL: np.not_equal,
    ComparisonOperator.LESS: np.less,
    ComparisonOperator.LESS_OR_EQUAL: np.less_equal,
    ComparisonOperator.GREATER: np.greater,
    ComparisonOperator.GREATER_OR_EQUAL: np.greater_equal,
}
_EQUALITIES: Final = (ComparisonOperator.EQUAL, ComparisonOperator.NOT_EQUAL)


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """All packets of one container in a batch.

    Attributes:
        container: Name of the container.
        indices: Which of the input packets these are, ascending, shape (n,).
        columns: Raw values by parameter name, each of shape (n,).
    """

    container: str
    indices: Indices
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Undecoded:
    index: int  # of the input packet
    reason: str


@dataclass(frozen=True, slots=True)
class DecodeResult:
    batches: list[DecodedBatch]
    undecoded: list[Undecoded]


@dataclass(frozen=True, slots=True)
class _Test:
    """One comparison, compiled."""

    field: Field
    operation: Callable[[Any, Any], Any]
    value: float | int | str
    calibrated: bool

    def holds(self, octets: Octets) -> Mask:
        values = read_column(octets, self.field)
        if self.calibrated:
            values = engineering(self.field.parameter, values)
        return np.asarray(self.operation(values, self.value), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class _Node:
    """One container, compiled: what it needs, and how to choose what derives from it."""

    name: str
    abstract: bool
    fields: tuple[Field, ...]
    octets_needed: int
    tests: tuple[_Test, ...]
    derived: tuple[_Node, ...]


@dataclass(slots=True)
class _Batch:
    """The packets of one call, and what became of them so far."""

    octets: Octets  # all packets, one after the other
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    batches: list[DecodedBatch] = field(default_factory=list)
    undecoded: list[Undecoded] = field(default_factory=list)

    def rows(self, chosen: Indices, width: int) -> Octets:
        """Return the first *width* octets of the chosen packets, shape (n, width)."""
        rows: Octets = self.octets[self.starts[chosen][:, None] + np.arange(width)]
        return rows

    def refuse(self, chosen: Indices, reason: Callable[[int], str]) -> None:
        self.undecoded += [Undecoded(index, reason(index)) for index in chosen.tolist()]


def compile_dictionary(dictionary: Dictionary, *, root: str | None = None) -> Decoder:
    """Return a decoder for the packets that a dictionary describes.

    Args:
        dictionary: As read by ``parse_xtce``.
        root: Qualified name of the root container; see ``lay_out``.

    Raises:
        DictionaryError: The dictionary contradicts itself.
    """
    return Decoder(_compile(lay_out(dictionary, root=root)))


class Decoder:
    """Decodes batches of packets. Holds no state between calls."""

    def __init__(self, root: _Node) -> None:
        self._root = root
        self.containers: tuple[str, ...] = tuple(_names(root))

    def decode(self, packets: Sequence[bytes]) -> DecodeResult:
        """Decode packets, each into the most derived container that it fits.

        Octets after the last field of a container are not looked at.

        Args:
            packets: Whole packets, primary header included, in any mixture.

        Returns:
            One batch a container that occurs, and the packets that fit none
            with the reason. Never raises on what the packets hold.
        """
        lengths = np.fromiter(map(len, packets), dtype=np.int64, count=len(packets))
        batch = _Batch(
            octets=np.frombuffer(b"".join(packets), dtype=np.uint8),
            starts=np.cumsum(lengths) - lengths,
            lengths=lengths,
        )
        _sort_into(self._root, np.arange(len(packets)), batch)
        batch.undecoded.sort(key=lambda undecoded: undecoded.index)
        return DecodeResult(batches=batch.batches, undecoded=batch.undecoded)


def _sort_into(node: _Node, chosen: Indices, batch: _Batch) -> None:
    """Give the chosen packets, which are instances of *node*, to what derives from it."""
    long_enough = batch.lengths[chosen] >= node.octets_needed
    batch.refuse(
        chosen[~long_enough],
        lambda index: (
            f"{batch.lengths[index]} octets are too few for {node.name},"
            f" which needs {node.octets_needed}"
        ),
    )
    chosen = chosen[long_enough]
    if not len(chosen):
        return
    octets = batch.rows(chosen, node.octets_needed)
    matches = [_matches(child, octets) for child in node.derived]
    counts = np.sum(matches, axis=0) if matches else np.zeros(len(chosen), dtype=np.intp)
    _refuse_ambiguous(node, chosen[counts > 1], batch)
    for child, match in zip(node.derived, matches, strict=True):
        _sort_into(child, chosen[match & (counts == 1)], batch)
    rest = counts == 0
    if node.abstract:
        batch.refuse(chosen[rest], lambda _: f"no container derived from {node.name} fits")
    elif rest.any():
        own = octets if rest.all() else octets[rest]
        columns = {f.parameter.name: read_column(own, f) for f in node.fields}
        batch.batches.append(DecodedBatch(node.name, chosen[rest], columns))


def _matches(node: _Node, octets: Octets) -> Mask:
    match = np.ones(len(octets), dtype=np.bool_)
    for test in node.tests:
        match &= test.holds(octets)
    return match


def _refuse_ambiguous(node: _Node, chosen: Indices, batch: _Batch) -> None:
    batch.refuse(chosen, lambda _: f"more than one container derived from {node.name} fits")


def _names(node: _Node) -> list[str]:
    """Return the names of the containers that packets can end in."""
    own = [] if node.abstract else [node.name]
    return own + [name for child in node.derived for name in _names(child)]


def _compile(layout: Layout) -> _Node:
    fields = {f.parameter.name: f for f in layout.fields}
    return _Node(
        name=layout.container.name,
        abstract=layout.container.abstract,
        fields=layout.fields,
        octets_needed=layout.octets_needed,
        tests=tuple(
            _compile_test(fields[comparison.parameter], comparison)
            for comparison in layout.restrictions
        ),
        derived=tuple(_compile(child) for child in layout.derived),
    )


def _compile_test(compared: Field, comparison: Comparison) -> _Test:
    calibrated = comparison.use_calibrated_value and _has_engineering(compared.parameter)
    return _Test(
        field=compared,
        operation=_OPERATIONS[comparison.operator],
        value=_comparison_value(compared.parameter, comparison, calibrated=calibrated),
        calibrated=calibrated,
    )


def _has_engineering(parameter: Parameter) -> bool:
    """Say whether engineering values differ from raw ones."""
    return parameter.type.calibrator is not None or parameter.type.kind in {
        TypeKind.ENUMERATED,
        TypeKind.BOOLEAN,
        TypeKind.STRING,
    }


def _comparison_value(
    parameter: Parameter, comparison: Comparison, *, calibrated: bool
) -> float | int | str:
    kind = parameter.type.kind
    if kind in {TypeKind.BINARY, TypeKind.ABSOLUTE_TIME}:
        raise DictionaryError(
            f"a comparison with {parameter.name!r}, a {kind}, is not supported",
            line=comparison.line,
        )
    if kind is TypeKind.STRING or (calibrated and parameter.type.calibrator is None):
        return _text_value(parameter, comparison, calibrated=calibrated)
    try:
        return int(comparison.value, 0)
    except ValueError:
        pass
    try:
        return float(comparison.value)
    except ValueError as error:
        raise DictionaryError(
            f"{parameter.name!r} is compared with {comparison.value!r}, which is no number",
            line=comparison.line,
        ) from error


def _text_value(parameter: Parameter, comparison: Comparison, *, calibrated: bool) -> str:
    if not calibrated:
        raise DictionaryError(
            f"a comparison with the raw octets of {parameter.name!r} is not supported",
            line=comparison.line,
        )
    if comparison.operator not in _EQUALITIES:
        raise DictionaryError(
            f"{comparison.operator} is not supported for the texts of {parameter.name!r}",
            line=comparison.line,
        )
    kind = parameter.type
    known = {label.label for label in kind.labels} or {kind.one_label, kind.zero_label}
    if kind.kind is not TypeKind.STRING and comparison.value not in known:
        raise DictionaryError(
            f"{parameter.name!r} has no label {comparison.value!r}", line=comparison.line
        )
    return comparison.value
