"""What has arrived of a file, and whether it agrees with what was announced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from uplink.cfdp.codes import ChecksumType, ConditionCode
from uplink.cfdp.intervals import Interval
from uplink.cfdp.missing import MissingData
from uplink.cfdp.pdu import Eof, FileData, Metadata
from uplink.cfdp.snapshots import (
    eof_from_json,
    eof_to_json,
    metadata_from_json,
    metadata_to_json,
)

_CHECKSUM_TYPES: Final = frozenset(ChecksumType)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of section 4.6.1.2 that the sending end broke."""

    condition: ConditionCode
    detail: str


class IncomingFile:
    """Metadata, EOF and received octets of one transaction, in any order.

    Each ``take`` keeps the first of its kind; ask :attr:`violation` after it.
    """

    __slots__ = ("_largest_octets", "eof", "metadata", "missing")

    def __init__(self, *, largest_octets: int) -> None:
        self.metadata: Metadata | None = None
        self.eof: Eof | None = None  # the one without an error
        self.missing = MissingData()
        self._largest_octets = largest_octets

    @property
    def announced_octets(self) -> list[int]:
        """The sizes that EOF and Metadata tell; Metadata's 0 may stand for unknown."""
        sizes = [self.eof.size_octets] if self.eof is not None else []
        if self.metadata is not None and self.metadata.size_octets:
            sizes.append(self.metadata.size_octets)
        return sizes

    @property
    def scope_end(self) -> int:
        """How far the file is known to go."""
        return self.eof.size_octets if self.eof is not None else self.missing.end

    @property
    def violation(self) -> Violation | None:
        if self.metadata is not None and self.metadata.checksum_type not in _CHECKSUM_TYPES:
            detail = f"checksum type {self.metadata.checksum_type} is not computed here"
            return Violation(ConditionCode.UNSUPPORTED_CHECKSUM_TYPE, detail)
        announced = self.announced_octets
        largest = max(self.missing.end, *announced, 0)
        if largest > self._largest_octets:
            detail = f"file of {largest} octets or more; the limit is {self._largest_octets}"
            return Violation(ConditionCode.FILESTORE_REJECTION, detail)
        if announced and self.missing.end > min(announced):
            detail = f"octets up to {self.missing.end} in a file of {min(announced)}"
            return Violation(ConditionCode.FILE_SIZE_ERROR, detail)
        return None

    def take_file_data(self, segment: FileData) -> list[Interval]:
        """Note a segment and return which of its octets are new."""
        return self.missing.note_received(segment.offset, segment.offset + len(segment.data))

    def take_metadata(self, metadata: Metadata) -> bool:
        """Keep the first Metadata; return whether this is it."""
        if self.metadata is not None:
            return False
        self.metadata = metadata
        return True

    def take_eof(self, eof: Eof) -> bool:
        """Keep the first EOF; return whether this is it."""
        if self.eof is not None:
            return False
        self.eof = eof
        return True

    def whole(self) -> tuple[Metadata, Eof] | None:
        """Return what is needed to verify the file, once all of it is here."""
        if self.metadata is None or self.eof is None:
            return None
        if not self.missing.is_complete(self.eof.size_octets):
            return None
        return self.metadata, self.eof

    def snapshot(self) -> dict[str, Any]:
        return {
            "metadata": metadata_to_json(self.metadata),
            "eof": eof_to_json(self.eof),
            "missing": self.missing.snapshot(),
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any], *, largest_octets: int) -> IncomingFile:
        file = cls(largest_octets=largest_octets)
        file.metadata = metadata_from_json(snapshot["metadata"])
        file.eof = eof_from_json(snapshot["eof"])
        file.missing = MissingData.restore(snapshot["missing"])
        return file
