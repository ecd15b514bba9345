"""Samples of one parameter over time, as columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from missioncontrol.fleet.models import Spacecraft
from telemetry.archive import Affine, Samples
from telemetry.definition import compiled, plain
from telemetry.dictionary import Parameter, engineering, straight_line
from telemetry.selectors.archives import (
    TelemetryRefusedError,
    archive_reader,
    instant,
    known_parameter,
)

MAX_SAMPLES: Final = 100_000
MAX_BUCKETS: Final = 10_000
BEGINNING: Final = datetime(1958, 1, 1, tzinfo=UTC)  # the oldest epoch of any time code

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Values of one parameter over time; with buckets also what lies within each."""

    parameter: str
    unit: str
    times: list[datetime]
    values: list[float | int | str]  # bucket means where ``minimum`` is given
    minimum: list[float] | None = None
    maximum: list[float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleColumns:
    """Samples as columns of one length: microseconds since 1970, and engineering values."""

    parameter: str
    unit: str
    times_us: npt.NDArray[np.int64]
    values: Column

    def __len__(self) -> int:
        return len(self.times_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketColumns:
    """Buckets that hold a finite value, as columns of one length."""

    parameter: str
    unit: str
    starts_us: npt.NDArray[np.int64]
    minimum: npt.NDArray[np.float64]
    maximum: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    count: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts_us)


def samples(
    spacecraft: Spacecraft,
    parameter: str,
    *,
    start: datetime,
    end: datetime,
    newest: int | None = None,
) -> SampleColumns:
    """Return the values generated from *start* to before *end*, in order of time.

    Args:
        spacecraft: Whose.
        parameter: Which.
        start: First instant, UTC.
        end: Last instant, UTC, excluded.
        newest: At most so many, the newest ones; without it, all.

    Raises:
        TelemetryRefusedError: unknown parameter, or no interval.
    """
    known = _asked(spacecraft, parameter, start, end)
    with archive_reader(spacecraft) as reader:
        found: Samples = reader.read(
            spacecraft=spacecraft.name, parameter=parameter, start=start, end=end, limit=newest
        )
    return SampleColumns(
        parameter=parameter,
        unit=known.unit,
        times_us=found.times_us,
        values=engineering(known, found.values),
    )


def buckets(
    spacecraft: Spacecraft, parameter: str, *, start: datetime, end: datetime, size: int
) -> BucketColumns:
    """Return least, greatest and mean value of *size* equal parts of an interval at most.

    Over long intervals the parts are made of stored bins; see ``ArchiveReader``.

    Raises:
        TelemetryRefusedError: unknown parameter, no interval, too many buckets, or buckets
            of something that is no number.
    """
    known = _asked(spacecraft, parameter, start, end)
    if not _is_number(known):
        raise TelemetryRefusedError(
            f"{parameter} is {known.type.kind.value}, and has no least and greatest value; "
            "ask for it without a size."
        )
    if not 1 <= size <= MAX_BUCKETS:
        raise TelemetryRefusedError(f"{size} buckets; 1 to {MAX_BUCKETS:,} can be asked for.")
    with archive_reader(spacecraft) as reader:
        found = reader.read_decimated(
            spacecraft=spacecraft.name,
            parameter=parameter,
            start=start,
            end=end,
            buckets=size,
            calibrate=calibration(known),
        )
    finite = np.isfinite(found.mean)
    return BucketColumns(
        parameter=parameter,
        unit=known.unit,
        starts_us=found.starts_us[finite],
        minimum=found.minimum[finite],
        maximum=found.maximum[finite],
        mean=found.mean[finite],
        count=found.count[finite],
    )


def history(
    spacecraft: Spacecraft,
    parameter: str,
    *,
    start: datetime,
    end: datetime,
    size: int | None = None,
) -> History:
    """Return values as pages show them: lists, the newest 100,000 at most.

    Args:
        spacecraft: Whose.
        parameter: Which.
        start: First instant, UTC.
        end: Last instant, UTC, excluded.
        size: With it, so many buckets at most (see :func:`buckets`); without it, samples.

    Raises:
        TelemetryRefusedError: unknown parameter, no interval, or buckets of
            something that is no number.
    """
    if size is None:
        found = samples(spacecraft, parameter, start=start, end=end, newest=MAX_SAMPLES)
        return History(
            parameter=parameter,
            unit=found.unit,
            times=[instant(time_us) for time_us in found.times_us.tolist()],
            values=[plain(value) for value in found.values],
        )
    parts = buckets(spacecraft, parameter, start=start, end=end, size=size)
    return History(
        parameter=parameter,
        unit=parts.unit,
        times=[instant(time_us) for time_us in parts.starts_us.tolist()],
        values=parts.mean.tolist(),
        minimum=parts.minimum.tolist(),
        maximum=parts.maximum.tolist(),
    )


def calibration(parameter: Parameter) -> Affine | Callable[[Column], Column]:
    """Return how raw numbers become engineering values: as a straight line, where it is one."""
    line = straight_line(parameter.type)
    if line is not None:
        gain, offset = line
        return Affine(gain=gain, offset=offset)
    return lambda raw: engineering(parameter, raw)


def _asked(spacecraft: Spacecraft, parameter: str, start: datetime, end: datetime) -> Parameter:
    known = known_parameter(spacecraft, compiled(spacecraft.telemetry_dictionary), parameter)
    if end <= start:
        raise TelemetryRefusedError(
            f"The end {end.isoformat()} is not after the start {start.isoformat()}."
        )
    return known


def _is_number(parameter: Parameter) -> bool:
    return parameter.type.kind.value in {"integer", "float"}
