"""What of a file was sent, and what of it to send next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uplink.cfdp.checksum import Read, extend_checksum
from uplink.cfdp.codes import ChecksumType
from uplink.cfdp.errors import FileReadError
from uplink.cfdp.intervals import Interval, IntervalSet
from uplink.cfdp.pdu import FileData


class OutgoingFile:
    """Cuts a file into segments: what was asked for again first, then what follows.

    The checksum is summed up over the first sends, which are in order; so it
    is always that of the file up to the cursor, as a cancelling EOF needs it
    (section 4.11.2.2).
    """

    __slots__ = ("_resend", "checksum", "checksum_type", "cursor", "size_octets")

    def __init__(self, *, size_octets: int, checksum_type: ChecksumType) -> None:
        self.size_octets = size_octets
        self.checksum_type = checksum_type
        self.checksum = 0
        self.cursor = 0  # everything before it was sent once
        self._resend = IntervalSet()  # always before the cursor

    def next_segment(self, max_octets: int) -> Interval | None:
        """Return the next segment to send; None when there is none."""
        if self._resend:
            return self._resend.first(max_octets)
        if self.cursor < self.size_octets:
            return self.cursor, min(self.cursor + max_octets, self.size_octets)
        return None

    def note_sent(self, segment: FileData) -> None:
        end = segment.offset + len(segment.data)
        if segment.offset < self.cursor:
            self._resend.remove(segment.offset, end)
            return
        self.checksum = extend_checksum(
            self.checksum_type, self.checksum, offset=segment.offset, data=segment.data
        )
        self.cursor = end

    def send_again(self, start: int, end: int) -> None:
        """Note what the peer misses; what was not sent yet will come anyway."""
        self._resend.add(start, min(end, self.cursor))

    def send_nothing_again(self) -> None:
        self._resend = IntervalSet()

    def snapshot(self) -> dict[str, Any]:
        return {
            "size_octets": self.size_octets,
            "checksum_type": int(self.checksum_type),
            "checksum": self.checksum,
            "cursor": self.cursor,
            "resend": [list(interval) for interval in self._resend],
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> OutgoingFile:
        file = cls(
            size_octets=snapshot["size_octets"],
            checksum_type=ChecksumType(snapshot["checksum_type"]),
        )
        file.checksum = snapshot["checksum"]
        file.cursor = snapshot["cursor"]
        file._resend = IntervalSet((start, end) for start, end in snapshot["resend"])
        return file


def read_segment(read: Read, segment: Interval) -> FileData:
    """Read one segment; raises FileReadError where it is not there any more."""
    start, end = segment
    data = read(start, end - start)
    if len(data) != end - start:
        raise FileReadError(offset=start, length=end - start, got=len(data))
    return FileData(offset=start, data=data)
