"""From raw to engineering values.

Source: OMG XTCE 1.2, CalibratorType and ContextCalibratorType.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from telemetry.dictionary.model.criteria import Criteria, ParameterInstance, instances_in
from telemetry.dictionary.model.expressions import Expression, references_in


@dataclass(frozen=True, slots=True)
class PolynomialCalibrator:
    """Engineering value = sum of ``coefficients[i] * raw ** i``."""

    coefficients: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplineCalibrator:
    """Straight lines or steps between points.

    Attributes:
        raw: Raw values of the points, growing; at least two.
        calibrated: Their engineering values.
        orders: Of each point, for the stretch that begins there: 0 keeps its value up to
            the next point, 1 draws a straight line to it.
        extrapolate: The first and last stretch go on outside of the points; without it
            there is no engineering value there.
    """

    raw: tuple[float, ...]
    calibrated: tuple[float, ...]
    orders: tuple[int, ...]
    extrapolate: bool = False


@dataclass(frozen=True, slots=True)
class MathCalibrator:
    """A closed expression of the raw value and of other parameters."""

    expression: Expression


Calibrator = PolynomialCalibrator | SplineCalibrator | MathCalibrator


@dataclass(frozen=True, slots=True)
class ContextCalibrator:
    """Applies while *criteria* hold."""

    criteria: Criteria
    calibrator: Calibrator


def instances_of(
    calibrator: Calibrator | None, contexts: tuple[ContextCalibrator, ...]
) -> Iterator[ParameterInstance]:
    """Yield the other parameters that a calibration depends on."""
    calibrators = [calibrator, *(context.calibrator for context in contexts)]
    for each in calibrators:
        if isinstance(each, MathCalibrator):
            yield from references_in(each.expression)
    for context in contexts:
        yield from instances_in(context.criteria)
