from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any, Final

from missioncontrol.console.presentation.parameters import unit_text
from telemetry.dictionary.model import ConcernLevel
from telemetry.limits import LimitState, display_status
from telemetry.selectors import BucketColumns, LimitStretch

_SEVERITY: Final = tuple(ConcernLevel)
_CSV_HEAD: Final = ("time", "parameter", "unit", "minimum", "mean", "maximum", "samples")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """One limit as a line: beyond it, on its side, the parameter is in that state.

    ``from_s`` and ``to_s``, seconds since 1970, are where the line begins and ends; None:
    at the edge of the picture.
    """

    value: float
    side: str  # "above" or "below"
    status: str
    mildest: bool
    from_s: float | None = None
    to_s: float | None = None


def limit_lines(stretches: Iterable[LimitStretch]) -> list[LimitLine]:
    """Return the limits of a number as lines, those of each stretch the mildest first.

    Limits of the rate of change are none of them.
    """
    return [line for stretch in stretches for line in _lines_of(stretch)]


def _lines_of(stretch: LimitStretch) -> list[LimitLine]:
    ranges = sorted(
        (one for one in stretch.ranges if one.level is not ConcernLevel.NORMAL),
        key=lambda one: _SEVERITY.index(one.level),
    )
    lines = []
    for one in ranges:
        status = display_status(LimitState[one.level.name]).value
        sides = ("above", "below") if one.alarm_inside else ("below", "above")
        lines += [
            LimitLine(
                value=value,
                side=side,
                status=status,
                mildest=one.level is ranges[0].level,
                from_s=stretch.begin.timestamp() if stretch.begin else None,
                to_s=stretch.end.timestamp() if stretch.end else None,
            )
            for value, side in zip((one.minimum, one.maximum), sides, strict=True)
            if value is not None
        ]
    return lines


def plotted(found: BucketColumns, limits: Iterable[LimitStretch]) -> dict[str, Any]:
    """Return one parameter as plot.js takes it; ``buckets`` gives finite numbers only."""
    return {
        "parameter": found.parameter,
        "unit": unit_text(found.unit),
        "times_s": (found.starts_us / 1e6).tolist(),
        "mean": found.mean.tolist(),
        "minimum": found.minimum.tolist(),
        "maximum": found.maximum.tolist(),
        "counts": found.count.tolist(),
        "limits": [asdict(line) for line in limit_lines(limits)],
    }


def plotted_csv(columns: Iterable[BucketColumns]) -> str:
    """Return what a plot shows as CSV: one row a bucket, the parameters one after another."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV_HEAD)
    for found in columns:
        writer.writerows(_csv_rows(found))
    return text.getvalue()


def _csv_rows(found: BucketColumns) -> Iterable[Sequence[Any]]:
    times = found.starts_us.astype("datetime64[us]").astype(str).tolist()
    numbers = (found.minimum, found.mean, found.maximum, found.count)
    for time, *figures in zip(times, *(column.tolist() for column in numbers), strict=True):
        yield (f"{time}Z", found.parameter, found.unit, *figures)
