"""What a running count tells: received, lost, found late, repeated. Exactly.

Pure. One ledger for each counter of a sender: the sequence count of an APID on a virtual
channel, or the frame count of a channel. A recorder's dump may fill a gap later, or bring
what came before once more; neither is a loss. A counter may also begin anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer]
Times = npt.NDArray[np.int64]

# Gaps that may still be filled; of older ones the loss stays as it was counted.
_REMEMBERED_GAPS: Final = 4096
# A loss ends at 0 by chance once in the range; counters that begin anew do it always.
_LONG_RANGE: Final = 16_384
_LONGEST_STEP_TO_ZERO: Final = 256


@dataclass(slots=True)
class CountChange:
    """What some counts in order of arrival came to.

    Attributes:
        received: How many there were.
        lost: Missing for the first time, less those of earlier gaps that were found.
        late: That filled a gap.
        repeated: That had come before.
        restarts: Times that the counter began anew.
    """

    received: int = 0
    lost: int = 0
    late: int = 0
    repeated: int = 0
    restarts: int = 0

    def add(self, other: CountChange) -> None:
        self.received += other.received
        self.lost += other.lost
        self.late += other.late
        self.repeated += other.repeated
        self.restarts += other.restarts


class CountLedger:
    """Follows one counter.

    Without times a step back is taken for a repeat or for one that comes late. With them
    a step back of something that was made after all before it is a new beginning of the
    counter: the spacecraft's processor was reset.
    """

    def __init__(self, modulus: int) -> None:
        self._modulus = modulus
        self._expected: int | None = None
        self._newest_us: int | None = None
        self._gaps: list[tuple[int, int]] = []  # [first, last) of counts since the beginning

    def forget(self) -> None:
        """Expect any count next: what was sent meanwhile was not lost here."""
        self._expected = None
        self._gaps.clear()

    def note(self, counts: Counts, times_us: Times | None = None) -> CountChange:
        """Take counts in order of arrival.

        Args:
            counts: Each from 0 to below the modulus, shape (n,).
            times_us: When each was made, shape (n,); ``None``: not known.
        """
        change = CountChange(received=len(counts))
        if not len(counts):
            return change
        if self._is_in_order(counts):
            first = int(counts[0]) if self._expected is None else self._expected
            self._expected = first + len(counts)
            self._note_time(None if times_us is None else int(times_us.max()))
            return change
        times = [None] * len(counts) if times_us is None else times_us.tolist()
        for count, time_us in zip(counts.tolist(), times, strict=True):
            self._note_one(count, time_us, change)
        return change

    def _is_in_order(self, counts: Counts) -> bool:
        first = int(counts[0])
        if self._expected is not None and first != self._expected % self._modulus:
            return False
        return bool(((first + np.arange(len(counts))) % self._modulus == counts).all())

    def _note_one(self, count: int, time_us: int | None, change: CountChange) -> None:
        if self._expected is None:
            self._expected = count
        ahead = (count - self._expected) % self._modulus
        is_forward = ahead < self._modulus // 2
        if self._is_newer(time_us) and (not is_forward or self._is_anew(count, ahead)):
            # It counts from here, and nobody knows how many came before it.
            self._gaps.clear()
            self._expected = count + 1
            change.restarts += 1
        elif is_forward:
            self._step_forward(ahead, change)
        elif self._fill(self._expected + ahead - self._modulus):
            change.late += 1
            change.lost -= 1
        else:
            change.repeated += 1
        self._note_time(time_us)

    def _is_anew(self, count: int, ahead: int) -> bool:
        """Say whether a long step that ends at 0 is a new beginning, which it mostly is."""
        return count == 0 and ahead > _LONGEST_STEP_TO_ZERO and self._modulus >= _LONG_RANGE

    def _step_forward(self, ahead: int, change: CountChange) -> None:
        assert self._expected is not None
        if ahead:
            self._gaps.append((self._expected, self._expected + ahead))
            del self._gaps[:-_REMEMBERED_GAPS]
            change.lost += ahead
        self._expected += ahead + 1

    def _is_newer(self, time_us: int | None) -> bool:
        return time_us is not None and self._newest_us is not None and time_us > self._newest_us

    def _note_time(self, time_us: int | None) -> None:
        if time_us is not None and (self._newest_us is None or time_us > self._newest_us):
            self._newest_us = time_us

    def _fill(self, place: int) -> bool:
        """Take a place out of the gaps; say whether it was in one."""
        for index, (first, last) in enumerate(self._gaps):
            if first <= place < last:
                parts = [(first, place), (place + 1, last)]
                self._gaps[index : index + 1] = [part for part in parts if part[0] < part[1]]
                return True
        return False
