"""What decoding gives: columns by container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.columns import Column


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """Packets of one container in which the same parameters have values.

    Attributes:
        container: Name of the container.
        indices: Which of the input packets these are, ascending, shape (n,).
        columns: Values by parameter name, each of shape (n,), for ``engineering``: raw
            ones as sent; of parameters that depend on others (context calibrators,
            algorithms) what was computed from all of them.
        sent: Raw values as sent of the computed ones among them.
    """

    container: str
    indices: npt.NDArray[np.intp]
    columns: Mapping[str, Column]
    sent: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undecoded:
    index: int  # of the input packet
    reason: str


@dataclass(frozen=True, slots=True)
class DecodeResult:
    batches: list[DecodedBatch]
    undecoded: list[Undecoded]
