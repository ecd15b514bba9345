"""Many Space Packets in one piece of memory, and what their headers say, as columns.

Pure. No Python object is made for a packet: a batch is the octets, and where in
them each packet lies. Source: CCSDS 133.0-B-2 section 4.1.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class PacketBatch:
    """Packets by their places in one array of octets.

    Attributes:
        octets: Holds every packet, whole; other octets may stand between and after.
        starts: Where each packet begins, shape (n,).
        lengths: Octets of each, primary header included, shape (n,).
    """

    octets: Octets
    starts: Places
    lengths: Places

    @classmethod
    def of(cls, packets: Sequence[bytes], *, spare_octets: int = 0) -> PacketBatch:
        """Return packets, given one by one, as a batch with room after the last."""
        lengths = np.fromiter(map(len, packets), dtype=np.int64, count=len(packets))
        joined = b"".join((*packets, bytes(spare_octets)))
        return cls(np.frombuffer(joined, dtype=np.uint8), np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> bytes:
        start = int(self.starts[index])
        return self.octets[start : start + int(self.lengths[index])].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        return (self[index] for index in range(len(self)))

    def chosen(self, indices: npt.NDArray[np.intp]) -> PacketBatch:
        """Return the packets with these indices; the octets are shared."""
        return PacketBatch(self.octets, self.starts[indices], self.lengths[indices])

    def with_spare(self, spare_octets: int) -> PacketBatch:
        """Return the same packets with at least so many octets after the end of each."""
        end = int((self.starts + self.lengths).max()) if len(self) else 0
        missing = end + spare_octets - len(self.octets)
        if missing <= 0:
            return self
        octets = np.concatenate([self.octets, np.zeros(missing, dtype=np.uint8)])
        return PacketBatch(octets, self.starts, self.lengths)

    def words(self, offset_octets: int) -> Words:
        """Return the 16-bit word that stands *offset_octets* from each packet's start."""
        first = self.starts + offset_octets
        high = self.octets[first].astype(np.uint16)
        return (high << np.uint16(8)) | self.octets[first + 1]

    @property
    def apids(self) -> Words:
        return self.words(0) & np.uint16(0x7FF)

    @property
    def sequence_counts(self) -> Words:
        return self.words(2) & np.uint16(0x3FFF)
