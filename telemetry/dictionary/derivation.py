"""Values that depend on more than their own octets, computed for whole batches.

Three kinds: derived parameters (algorithms), parameters whose calibrator depends on
others (a context, or an expression that names them), and times that count from another
parameter. What they depend on is looked for in the same packet, then in the newest
packet before it, then in the memory of earlier calls.

Source: OMG XTCE 1.2, AlgorithmSetType and ContextCalibratorType.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from telemetry.dictionary.batches import DecodedBatch
from telemetry.dictionary.calibration import (
    calibrated,
    elapsed_us,
    is_computed,
)
from telemetry.dictionary.columns import Column
from telemetry.dictionary.conditions import Condition, LookUp, Mask, compile_criteria
from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.evaluation import Values, evaluate
from telemetry.dictionary.histories import Histories, Memory
from telemetry.dictionary.inheritance import with_bases
from telemetry.dictionary.model import (
    Algorithm,
    Calibrator,
    Dictionary,
    Parameter,
    ParameterInstance,
    TypeKind,
    references_in,
)
from telemetry.dictionary.model.calibrators import instances_of

_DERIVED_KINDS: Final = (TypeKind.INTEGER, TypeKind.FLOAT, TypeKind.ENUMERATED, TypeKind.BOOLEAN)
_WHOLE_LIMIT: Final = 2.0**63
_NOT_A_TIME: Final = np.iinfo(np.int64).min  # which NumPy takes for NaT


@dataclass(frozen=True, slots=True)
class _Computation:
    """How the values of one parameter are computed, and for which packets."""

    parameter: Parameter
    needs: tuple[ParameterInstance, ...]
    compute: Callable[[Column | None, LookUp, int], tuple[Column, Mask]]
    algorithm: Algorithm | None  # None: it is sent, and computed where it is


class Derivation:
    """What has to be computed of a dictionary's parameters, in order of dependence."""

    def __init__(
        self,
        dictionary: Dictionary,
        *,
        follow: Collection[str] = (),
        repeated: Collection[str] = (),
    ) -> None:
        """Compile.

        Args:
            dictionary: Whose parameters.
            follow: Parameters to remember for others, beside those that are needed here.
            repeated: Parameters of which a packet may have more than one.

        Raises:
            DictionaryError: A condition that cannot be meant, two algorithms for one
                parameter, parameters that depend on each other in a circle, or one that
                depends on a repeated one.
        """
        self._parameters = dictionary.parameters
        computations = [
            *(_of_algorithm(each, dictionary) for each in dictionary.algorithms),
            *(
                _of_sent(parameter, dictionary)
                for parameter in dictionary.parameters.values()
                if is_computed(parameter.type)
            ),
        ]
        self._computations = _in_order(computations)
        _refuse_repeated(self._computations, follow, repeated)
        needed = {need.parameter for each in self._computations for need in each.needs}
        self._remembered = needed | set(follow)
        self._lines = {
            container.name: tuple(
                base.qualified_name for base in with_bases(dictionary, container.qualified_name)
            )
            for container in dictionary.containers.values()
        }

    def complete(self, batches: list[DecodedBatch], memory: Memory) -> list[DecodedBatch]:
        """Return the batches with the computed values; *memory* is brought up to date."""
        for computation in self._computations:
            names = {need.parameter for need in computation.needs}
            histories = Histories(names, self._parameters, batches, memory)
            batches = [
                part
                for batch in batches
                for part in self._with_computed(computation, batch, histories)
            ]
        if self._remembered:
            Histories(self._remembered, self._parameters, batches, memory).remember(memory)
        return batches

    def _with_computed(
        self, computation: _Computation, batch: DecodedBatch, histories: Histories
    ) -> Iterator[DecodedBatch]:
        name = computation.parameter.name
        sent = batch.columns.get(name)
        if not self._applies(computation, batch):
            yield batch
            return
        values, known = computation.compute(sent, histories.look_up(batch), len(batch.indices))
        if known.any():
            yield _with_column(batch, known, name, values, sent)
        if not known.all():
            yield _chosen(batch, ~known, without=name)

    def _applies(self, computation: _Computation, batch: DecodedBatch) -> bool:
        algorithm = computation.algorithm
        if algorithm is None:
            return computation.parameter.name in batch.columns
        return any(name in batch.columns for name in algorithm.parameters) or any(
            container in algorithm.containers for container in self._lines[batch.container]
        )


def _refuse_repeated(
    computations: Sequence[_Computation], follow: Collection[str], repeated: Collection[str]
) -> None:
    """Refuse what would depend on one of several values, nobody knows which."""
    needs = [need for each in computations for need in each.needs]
    for need in (*needs, *(ParameterInstance(parameter=name) for name in follow)):
        if need.parameter in repeated:
            raise DictionaryError(
                f"a calibrator, algorithm, alarm or time depends on {need.parameter!r}, of which"
                " a packet may have more than one; that is not supported",
                line=need.line,
            )


def _with_column(
    batch: DecodedBatch, known: Mask, name: str, values: Column, sent: Column | None
) -> DecodedBatch:
    kept = _chosen(batch, known)
    columns = {**kept.columns, name: values[known]}
    if sent is None:
        return replace(kept, columns=columns)
    return replace(kept, columns=columns, sent={**kept.sent, name: sent[known]})


def _chosen(batch: DecodedBatch, mask: Mask, *, without: str = "") -> DecodedBatch:
    if mask.all() and without not in batch.columns:
        return batch
    return replace(
        batch,
        indices=batch.indices[mask],
        columns={n: column[mask] for n, column in batch.columns.items() if n != without},
        sent={n: column[mask] for n, column in batch.sent.items() if n != without},
    )


def _of_algorithm(algorithm: Algorithm, dictionary: Dictionary) -> _Computation:
    parameter = dictionary.parameters[algorithm.output]
    if parameter.type.kind not in _DERIVED_KINDS:
        raise DictionaryError(
            f"the algorithm {algorithm.name!r} cannot give {parameter.name!r} a value: it is"
            f" {parameter.type.kind.value}; supported: {', '.join(_DERIVED_KINDS)}",
            line=algorithm.line,
        )
    needs = tuple(references_in(algorithm.expression))
    _check_numbers(needs, dictionary)
    is_whole = parameter.type.kind is not TypeKind.FLOAT

    def compute(_sent: Column | None, look_up: LookUp, count: int) -> tuple[Column, Mask]:
        known = np.ones(count, dtype=np.bool_)
        for need in needs:
            known &= look_up(need)[1]
        values = evaluate(
            algorithm.expression, count=count, look_up=lambda need: _numbers(look_up, need)
        )
        if not is_whole:
            return values, known
        known &= np.abs(values) < _WHOLE_LIMIT  # False for NaN too
        return np.rint(np.where(known, values, 0.0)).astype(np.int64), known

    return _Computation(parameter, needs, compute, algorithm)


def _of_sent(parameter: Parameter, dictionary: Dictionary) -> _Computation:
    kind = parameter.type
    scale = kind.time_scale
    if scale is not None and scale.offset_from is not None:
        return _of_offset_time(parameter, scale.offset_from, dictionary)
    needs = tuple(instances_of(kind.calibrator, kind.context_calibrators))
    contexts = [
        (compile_criteria(context.criteria, dictionary.parameters), context.calibrator)
        for context in kind.context_calibrators
    ]
    inputs = [
        need
        for calibrator in (
            kind.calibrator,
            *(each.calibrator for each in kind.context_calibrators),
        )
        for need in instances_of(calibrator, ())
    ]
    _check_numbers(inputs, dictionary)

    def compute(sent: Column | None, look_up: LookUp, count: int) -> tuple[Column, Mask]:
        assert sent is not None

        def own(need: ParameterInstance) -> Values:
            return _numbers(look_up, need)

        values = calibrated(kind.calibrator, sent, own)
        for chosen, calibrator in _chosen_contexts(contexts, look_up, count):
            values[chosen] = calibrated(calibrator, sent, own)[chosen]
        return values, np.ones(count, dtype=np.bool_)

    return _Computation(parameter, needs, compute, None)


def _chosen_contexts(
    contexts: Sequence[tuple[Condition, Calibrator]], look_up: LookUp, count: int
) -> Iterator[tuple[Mask, Calibrator]]:
    """Yield each context with the packets that it is the first to apply to."""
    free = np.ones(count, dtype=np.bool_)
    for condition, calibrator in contexts:
        chosen = condition(look_up) & free
        free &= ~chosen
        if chosen.any():
            yield chosen, calibrator


def _of_offset_time(
    parameter: Parameter, zero: ParameterInstance, dictionary: Dictionary
) -> _Computation:
    other = dictionary.parameters[zero.parameter]
    if other.type.kind is not TypeKind.ABSOLUTE_TIME or not zero.use_calibrated_value:
        raise DictionaryError(
            f"{parameter.name!r} counts from {other.name!r}, which is no absolute time",
            line=zero.line,
        )
    scale = parameter.type.time_scale
    assert scale is not None

    def compute(sent: Column | None, look_up: LookUp, _count: int) -> tuple[Column, Mask]:
        assert sent is not None
        zeros, known = look_up(zero)
        since_us, sane = elapsed_us(scale, sent)
        known = known & sane & ~np.isnat(zeros)
        zeros_us = (zeros - np.datetime64("1970-01-01", "us")).astype(np.int64)
        values = np.where(known, zeros_us + since_us, _NOT_A_TIME)
        return values, np.ones(len(values), dtype=np.bool_)

    return _Computation(parameter, (zero,), compute, None)


def _check_numbers(needs: Sequence[ParameterInstance], dictionary: Dictionary) -> None:
    for need in needs:
        kind = dictionary.parameters[need.parameter].type.kind
        if kind in {TypeKind.STRING, TypeKind.BINARY, TypeKind.ABSOLUTE_TIME} or (
            kind is TypeKind.ENUMERATED and need.use_calibrated_value
        ):
            raise DictionaryError(
                f"{need.parameter!r} is {kind.value}, and is used as a number;"
                " only numbers, booleans and raw values of enumerations are",
                line=need.line,
            )


def _numbers(look_up: LookUp, need: ParameterInstance) -> Values:
    values, known = look_up(need)
    if values.dtype.kind not in "iufb":  # a boolean's labels: its raw value stands for them
        values, known = look_up(replace(need, use_calibrated_value=False))
    return np.where(known, values.astype(np.float64), np.nan)


def _in_order(computations: list[_Computation]) -> list[_Computation]:
    """Return computations after those that they depend on."""
    by_name: dict[str, _Computation] = {}
    for computation in computations:
        name = computation.parameter.name
        if name in by_name:
            line = computation.algorithm.line if computation.algorithm is not None else 0
            raise DictionaryError(f"two algorithms give {name!r} a value", line=line)
        by_name[name] = computation
    ordered: dict[str, _Computation] = {}
    for name in by_name:
        _order_from(name, by_name, ordered, ())
    return list(ordered.values())


def _order_from(
    name: str,
    by_name: dict[str, _Computation],
    ordered: dict[str, _Computation],
    above: tuple[str, ...],
) -> None:
    if name in above:
        circle = " → ".join((*above[above.index(name) :], name))
        raise DictionaryError(f"parameters depend on each other in a circle: {circle}")
    if name in ordered or name not in by_name:
        return
    for need in by_name[name].needs:
        # A context may ask for the raw value that it calibrates: that is no circle.
        if need.parameter != name or need.use_calibrated_value:
            _order_from(need.parameter, by_name, ordered, (*above, name))
    ordered[name] = by_name[name]
