"""What UTC it is when the spacecraft's clock shows something: correlation, with its history.

Pure. Samples are pairs of what the on-board clock showed when a packet was made and the
UTC of that instant (the reception time less travel and handling time; whoever gives the
samples knows these). In each stretch of time the clock runs straight: UTC is fitted to
it by least squares. A clock that was set, or that drifts away, begins a new stretch;
earlier ones stay, so that what was received then is dated as it was then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.int64]  # microseconds
Residuals = npt.NDArray[np.float64]  # microseconds

_US_PER_S: Final = 1_000_000
_LEAST_SAMPLES: Final = 2
# So many samples in a row must lie beyond the tolerance before the clock is taken to have
# changed; fewer are outliers.
_CHANGED_AFTER: Final = 3


class CorrelationError(ValueError):
    """These samples give no correlation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockCorrelation:
    """One stretch in which the clock runs straight.

    ``utc = utc_us + (obt - obt_us) * (1 + drift)``

    Attributes:
        valid_from_us: What the clock showed at the first sample of the stretch.
        obt_us: What the clock showed at the reference, microseconds since its zero.
        utc_us: UTC then, microseconds since 1970.
        drift: How much slower than UTC the clock runs: seconds lost in a second.
        samples: How many it was fitted to.
        residual_rms_us: Root mean square of what is left at the samples.
        residual_max_us: The largest of them, without sign.
    """

    valid_from_us: int
    obt_us: int
    utc_us: int
    drift: float
    samples: int
    residual_rms_us: float
    residual_max_us: float

    def to_utc_us(self, obt_us: Instants) -> Instants:
        """Return UTC for readings of the clock."""
        since = obt_us - self.obt_us
        # The drift of the small difference only: a float would not hold the whole.
        return np.asarray(
            self.utc_us + since + np.rint(since * self.drift).astype(np.int64), dtype=np.int64
        )

    def to_obt_us(self, utc_us: Instants) -> Instants:
        """Return what the clock shows at instants of UTC."""
        since = utc_us - self.utc_us
        lost = np.rint(since * (self.drift / (1.0 + self.drift))).astype(np.int64)
        return np.asarray(self.obt_us + since - lost, dtype=np.int64)

    def residuals_us(self, obt_us: Instants, utc_us: Instants) -> Residuals:
        """Return how much later than computed each sample is."""
        return (utc_us - self.to_utc_us(obt_us)).astype(np.float64)


def fit_correlation(obt_us: Instants, utc_us: Instants) -> ClockCorrelation:
    """Fit a straight line to samples by least squares.

    Args:
        obt_us: What the clock showed, microseconds since its zero, shape (n,), n >= 2.
        utc_us: UTC then, microseconds since 1970, shape (n,).

    Raises:
        CorrelationError: Fewer than two samples, or all at one reading of the clock.
    """
    if len(obt_us) < _LEAST_SAMPLES or len(obt_us) != len(utc_us):
        raise CorrelationError(
            f"{len(obt_us)} readings and {len(utc_us)} instants; a correlation needs as many of"
            f" each, {_LEAST_SAMPLES} at least"
        )
    middle = int(np.sort(obt_us)[len(obt_us) // 2])
    since = (obt_us - middle).astype(np.float64)
    # What UTC gained on the clock: small, so that a float keeps every microsecond.
    reference = int(utc_us[0]) - int(obt_us[0])
    gained = (utc_us - obt_us - reference).astype(np.float64)
    spread = since - since.mean()
    squares = float(spread @ spread)
    if squares == 0.0:
        raise CorrelationError(
            f"all {len(obt_us)} samples are at one reading of the clock, {int(obt_us[0])} us"
        )
    drift = float(spread @ (gained - gained.mean())) / squares
    offset = float(gained.mean() - drift * since.mean())
    fitted = ClockCorrelation(
        valid_from_us=int(obt_us.min()),
        obt_us=middle,
        utc_us=middle + reference + round(offset),
        drift=drift,
        samples=len(obt_us),
        residual_rms_us=0.0,
        residual_max_us=0.0,
    )
    residuals = fitted.residuals_us(obt_us, utc_us)
    return replace(
        fitted,
        residual_rms_us=float(np.sqrt(np.mean(residuals**2))),
        residual_max_us=float(np.abs(residuals).max()),
    )


@dataclass(frozen=True, slots=True)
class CorrelationHistory:
    """The stretches of one clock, by growing ``valid_from_us``."""

    stretches: tuple[ClockCorrelation, ...] = ()

    def __post_init__(self) -> None:
        starts = [stretch.valid_from_us for stretch in self.stretches]
        if starts != sorted(set(starts)):
            raise CorrelationError("the stretches of a history must begin one after the other")

    def with_stretch(self, correlation: ClockCorrelation) -> CorrelationHistory:
        """Return the history with one stretch more, in place of any that begins there."""
        kept = [s for s in self.stretches if s.valid_from_us != correlation.valid_from_us]
        ordered = sorted((*kept, correlation), key=lambda stretch: stretch.valid_from_us)
        return CorrelationHistory(tuple(ordered))

    def to_utc_us(self, obt_us: Instants) -> Instants:
        """Return UTC for readings of the clock, each by the stretch that it lies in.

        What is before the first stretch is dated by the first.

        Raises:
            CorrelationError: The history is empty.
        """
        if not self.stretches:
            raise CorrelationError("the clock has no correlation yet")
        starts = np.array([stretch.valid_from_us for stretch in self.stretches])
        which = np.maximum(np.searchsorted(starts, obt_us, side="right") - 1, 0)
        utc_us = np.empty(len(obt_us), dtype=np.int64)
        for index in np.unique(which).tolist():
            chosen = which == index
            utc_us[chosen] = self.stretches[index].to_utc_us(obt_us[chosen])
        return utc_us

    def residuals_us(self, obt_us: Instants, utc_us: Instants) -> Residuals:
        """Return how much later than computed each sample is."""
        return (utc_us - self.to_utc_us(obt_us)).astype(np.float64)


def correlate(obt_us: Instants, utc_us: Instants, *, tolerance_us: float) -> CorrelationHistory:
    """Return the stretches in which samples of a clock lie on straight lines.

    A stretch goes on while samples lie within the tolerance of its line; three in a row
    beyond it begin a new one. A single one beyond it belongs to no stretch.

    Args:
        obt_us: What the clock showed, in order of UTC, shape (n,).
        utc_us: UTC then, growing, shape (n,).
        tolerance_us: How far from its line a sample may lie.

    Raises:
        CorrelationError: Fewer than two samples, or instants that do not grow.
    """
    if len(utc_us) < _LEAST_SAMPLES or (np.diff(utc_us) <= 0).any():
        raise CorrelationError(
            f"{len(utc_us)} samples; at least {_LEAST_SAMPLES} with growing instants are needed"
        )
    history = CorrelationHistory()
    begin = 0
    while begin < len(obt_us):
        used, following = _stretch(obt_us, utc_us, begin, tolerance_us)
        if len(used) >= _LEAST_SAMPLES:
            history = history.with_stretch(fit_correlation(obt_us[used], utc_us[used]))
        begin = following
    return history


def _stretch(
    obt_us: Instants, utc_us: Instants, begin: int, tolerance_us: float
) -> tuple[npt.NDArray[np.intp], int]:
    """Return the samples of the stretch from *begin* on, and where the next one begins."""
    since_s = (obt_us - obt_us[begin]).astype(np.float64) / _US_PER_S
    gained_us = ((utc_us - utc_us[begin]) - (obt_us - obt_us[begin])).astype(np.float64)
    line = _RunningLine()
    line.add(0.0, 0.0)
    used, beyond = [begin], 0
    for index in range(begin + 1, len(obt_us)):
        residual_us = gained_us[index] - line.at(since_s[index])
        if abs(residual_us) <= tolerance_us:
            line.add(since_s[index], gained_us[index])
            used.append(index)
            beyond = 0
            continue
        beyond += 1
        if beyond == _CHANGED_AFTER:
            return np.array(used), index - beyond + 1
    return np.array(used), len(obt_us)


class _RunningLine:
    """Least squares over the samples so far, from sums."""

    def __init__(self) -> None:
        self._count = 0
        self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        self._count += 1
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y

    def at(self, x: float) -> float:
        mean_x, mean_y = self._x / self._count, self._y / self._count
        squares = self._xx - self._x * mean_x
        # The first ones cannot say how the clock runs: it runs almost as UTC does.
        if self._count < _CHANGED_AFTER or squares <= 0.0:
            return mean_y
        return mean_y + (self._xy - self._x * mean_y) / squares * (x - mean_x)
