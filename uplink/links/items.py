"""The numbers that name CLTUs towards a station.

Pure. Each CLTU has a number of its own in its contact, so that the station's
journal tells which of them went out. It stays below 2^53: every JSON reader
keeps it exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_NUMBER_BITS: Final = 28
_EPOCH_BITS: Final = 12
_ATTEMPT_BITS: Final = 12


class ItemKind(IntEnum):
    """What a CLTU carries."""

    TELECOMMAND = 0  # a frame with an intent row, radiated perhaps several times by COP-1
    FILE = 1  # a PDU of the file protocol, which repairs its own losses


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One CLTU of one contact."""

    kind: ItemKind
    number: int  # of the intent, or a count of file PDUs
    epoch: int  # of the lease it was sent under
    attempt: int = 0  # how often COP-1 had sent the frame before, in this epoch

    def encode(self) -> int:
        """Return the item's number on the wire.

        Epoch and attempt are kept modulo 4096; nobody gets there in a contact.

        Raises:
            ValueError: the number is outside 0 to 2^28 - 1.
        """
        if not 0 <= self.number < 1 << _NUMBER_BITS:
            raise ValueError(f"item {self.number} is outside 0 to {(1 << _NUMBER_BITS) - 1}")
        value = self.kind << _NUMBER_BITS | self.number
        value = value << _EPOCH_BITS | self.epoch % (1 << _EPOCH_BITS)
        return value << _ATTEMPT_BITS | self.attempt % (1 << _ATTEMPT_BITS)


def decode_item(value: int) -> Item | None:
    """Return the item behind a number on the wire; None where it is none of ours."""
    attempt = value & (1 << _ATTEMPT_BITS) - 1
    value >>= _ATTEMPT_BITS
    epoch = value & (1 << _EPOCH_BITS) - 1
    value >>= _EPOCH_BITS
    number = value & (1 << _NUMBER_BITS) - 1
    kind = value >> _NUMBER_BITS
    if kind not in (ItemKind.TELECOMMAND, ItemKind.FILE):
        return None
    return Item(kind=ItemKind(kind), number=number, epoch=epoch, attempt=attempt)
