"""Frames in a stream of octets: the attached sync marker and the search for it.

Pure and sans-IO, for files and octet streams; a demodulator has found the bit
boundaries before. Source: CCSDS 131.0-B-5 section 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

ATTACHED_SYNC_MARKER: Final = bytes.fromhex("1acffc1d")

_MARKER_OCTETS: Final = len(ATTACHED_SYNC_MARKER)
_MARKER: Final = np.uint32(int.from_bytes(ATTACHED_SYNC_MARKER, "big"))

Blocks = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class BlocksFound:
    """What follows each of successive markers: frames, or codeblocks; still randomised.

    Attributes:
        octets: One block a row.
        position: Where the first one's marker begins, in octets from the stream's start.
    """

    octets: Blocks
    position: int

    def __iter__(self) -> Iterator[bytes]:
        return (row.tobytes() for row in self.octets)


@dataclass(frozen=True, slots=True)
class OctetsSkipped:
    """Octets that belong to no block."""

    count: int


Event = BlocksFound | OctetsSkipped


def attach_marker(block: bytes) -> bytes:
    """Return the channel access data unit: the marker, then *block*."""
    return ATTACHED_SYNC_MARKER + block


class CaduSynchroniser:
    """Finds the blocks of one length in a stream fed in pieces of any length.

    While searching it wants the marker exactly, or with *max_bit_errors_in_search*; once
    in lock it accepts up to *max_bit_errors* wrong bits in a marker that stands where the
    next one must, because there a chance match is most unlikely and a lost frame certain.
    Where even that fails it goes on as a flywheel does: up to *flywheel* blocks without a
    marker are held back and given out if a marker stands behind them; else the search
    begins where the first of them began.

    Args:
        block_octets: Octets after each marker: the frame length, and the check
            symbols where the blocks are Reed-Solomon coded.
        max_bit_errors: Wrong bits tolerated in a marker while in lock, 0 to 8.
        max_bit_errors_in_search: The same while searching, 0 to 3.
        flywheel: Successive markers that may be missing, from 0.
    """

    def __init__(
        self,
        *,
        block_octets: int,
        max_bit_errors: int = 2,
        max_bit_errors_in_search: int = 0,
        flywheel: int = 1,
    ) -> None:
        _check("block_octets", block_octets, 1, 1 << 16)
        _check("max_bit_errors", max_bit_errors, 0, 8)
        _check("max_bit_errors_in_search", max_bit_errors_in_search, 0, 3)
        _check("flywheel", flywheel, 0, 1 << 16)
        self._unit_octets = _MARKER_OCTETS + block_octets
        # A marker that the search takes must not be refused once it is in lock.
        self._tolerance = max(max_bit_errors, max_bit_errors_in_search)
        self._search_tolerance = max_bit_errors_in_search
        self._flywheel = flywheel
        self._buffer = np.zeros(0, dtype=np.uint8)
        self._position = 0  # of the buffer's first octet in the stream
        self._skipped = 0
        self.in_lock = False

    def receive(self, octets: bytes) -> list[Event]:
        """Take the next octets of the stream and return what they completed.

        Octets skipped are reported when the next block is found.
        """
        self._buffer = np.concatenate([self._buffer, np.frombuffer(octets, dtype=np.uint8)])
        events: list[Event] = []
        offset = 0
        while True:
            if not self.in_lock:
                start = self._search(offset)
                self._skipped += start - offset
                offset = start
                if not self.in_lock:
                    break
            offset, is_waiting = self._take_blocks(offset, events)
            if is_waiting:
                break
        self._drop(offset)
        return events

    def finish(self) -> list[Event]:
        """Return what is left at the end of a file: held blocks, and octets of no whole one."""
        events: list[Event] = []
        count = len(self._buffer) // self._unit_octets if self.in_lock else 0
        self._give_out(0, count, events)
        self._skipped += len(self._buffer) - count * self._unit_octets
        self._drop(len(self._buffer))
        self.in_lock = False
        return events + self._take_skipped()

    def _search(self, offset: int) -> int:
        """Return where a marker begins; without one, where the next search must begin."""
        last = len(self._buffer) - _MARKER_OCTETS + 1
        if last <= offset:
            return offset
        window = np.ndarray(
            (last - offset,), dtype=">u4", buffer=self._buffer, offset=offset, strides=(1,)
        )
        matches = np.flatnonzero(_wrong_bits(window) <= self._search_tolerance)
        if not len(matches):
            return last  # a marker may have begun in the last three octets
        self.in_lock = True
        return offset + int(matches[0])

    def _take_blocks(self, offset: int, events: list[Event]) -> tuple[int, bool]:
        """Give out whole blocks; return where to go on, and whether more octets are needed."""
        count = (len(self._buffer) - offset) // self._unit_octets
        markers = np.ndarray(
            (count,),
            dtype=">u4",
            buffer=self._buffer,
            offset=offset if count else 0,
            strides=(self._unit_octets,),
        )
        missing = np.flatnonzero(_wrong_bits(markers) > self._tolerance)
        runs = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1) if len(missing) else []
        for run in runs:
            first, last = int(run[0]), int(run[-1])
            if len(run) > self._flywheel:
                self._give_out(offset, first, events)
                self.in_lock = False
                return offset + first * self._unit_octets, False
            if last == count - 1:  # a marker may yet come behind them
                self._give_out(offset, first, events)
                return offset + first * self._unit_octets, True
        self._give_out(offset, count, events)
        return offset + count * self._unit_octets, True

    def _give_out(self, offset: int, count: int, events: list[Event]) -> None:
        if not count:
            return
        events += self._take_skipped()
        units = self._buffer[offset : offset + count * self._unit_octets]
        blocks = units.reshape(count, self._unit_octets)[:, _MARKER_OCTETS:]
        events.append(BlocksFound(np.ascontiguousarray(blocks), self._position + offset))

    def _drop(self, count: int) -> None:
        self._buffer = self._buffer[count:]
        self._position += count

    def _take_skipped(self) -> list[Event]:
        skipped, self._skipped = self._skipped, 0
        return [OctetsSkipped(count=skipped)] if skipped else []


def _wrong_bits(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.bitwise_count(words.astype(np.uint32) ^ _MARKER))


def _check(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{what} {value} is outside {low} to {high}")
