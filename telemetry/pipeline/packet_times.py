"""The times that packets carry, read from all packets of a batch at once."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.packet_batch import Octets, PacketBatch
from telemetry.ccsds.time_codes import CdsFormat, CucFormat, TimeCodeError
from telemetry.pipeline.events import PacketTime, unix_us

_US_PER_S: Final = 1_000_000
_US_PER_DAY: Final = 86_400 * _US_PER_S
_PS_PER_US: Final = 1_000_000
_MS_IN_A_DAY: Final = 86_401_000  # one with a leap second
_SECONDARY_HEADER_FLAG: Final = 0x08

Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def own_times(batch: PacketBatch, field: PacketTime) -> tuple[Times, Mask]:
    """Return the time of each packet, microseconds since 1970, and which of them have one."""
    times = np.zeros(len(batch), dtype=np.int64)
    end = field.offset_octets + field.code.length_octets
    has = (batch.octets[batch.starts] & np.uint8(_SECONDARY_HEADER_FLAG)) != 0
    has &= batch.lengths >= end
    rows = np.flatnonzero(has)
    if not len(rows):
        return times, has
    places = batch.starts[rows, None] + np.arange(field.offset_octets, end)
    times[rows], has[rows] = _decoded(batch.octets[places], field.code)
    return times, has


def _decoded(octets: Octets, code: CucFormat | CdsFormat) -> tuple[Times, Mask]:
    if code.has_p_field:
        return _one_by_one(octets, code)
    if isinstance(code, CdsFormat):
        return _day_segmented(octets, code)
    if code.coarse_octets > 4 or code.fine_octets > 4:
        return _one_by_one(octets, code)
    return _unsegmented(octets, code)


def _unsegmented(octets: Octets, code: CucFormat) -> tuple[Times, Mask]:
    coarse = _number(octets[:, : code.coarse_octets])
    fine = _number(octets[:, code.coarse_octets :])
    shift = 8 * code.fine_octets
    # Rounded to the nearest microsecond, as CucFormat.decode() does.
    elapsed = coarse * _US_PER_S + ((fine * _US_PER_S + (1 << shift >> 1)) >> shift)
    epoch_us = unix_us(code.epoch) - code.leap_seconds * _US_PER_S
    return epoch_us + elapsed, np.ones(len(octets), dtype=np.bool_)


def _day_segmented(octets: Octets, code: CdsFormat) -> tuple[Times, Mask]:
    day = _number(octets[:, : code.day_octets])
    ms_of_day = _number(octets[:, code.day_octets : code.day_octets + 4])
    us_of_ms = _number(octets[:, code.day_octets + 4 :])
    if code.submillisecond_octets == 4:
        us_of_ms //= _PS_PER_US
    times = unix_us(code.epoch) + day * _US_PER_DAY + ms_of_day * 1000 + us_of_ms
    return times, (ms_of_day < _MS_IN_A_DAY) & (us_of_ms <= 999)


def _one_by_one(octets: Octets, code: CucFormat | CdsFormat) -> tuple[Times, Mask]:
    times = np.zeros(len(octets), dtype=np.int64)
    has = np.ones(len(octets), dtype=np.bool_)
    for row, field in enumerate(octets):
        try:
            times[row] = unix_us(code.decode(field.tobytes()))
        except TimeCodeError:
            has[row] = False
    return times, has


def _number(octets: Octets) -> Times:
    """Return big-endian numbers of at most seven octets."""
    numbers = np.zeros(len(octets), dtype=np.int64)
    for column in octets.T:
        numbers = numbers << 8 | column
    return numbers
