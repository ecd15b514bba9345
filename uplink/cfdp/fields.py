"""Reading and writing the octets of a PDU, with every length checked."""

from __future__ import annotations

from typing import Final

from uplink.cfdp.errors import PduError

LENGTH_VALUE_LIMIT_OCTETS: Final = 255


class FieldReader:
    """Takes fields off the front of some octets; raises PduError where they end."""

    __slots__ = ("_octets", "_position")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    @property
    def remaining(self) -> int:
        return len(self._octets) - self._position

    def octets(self, length: int, name: str) -> bytes:
        if length > self.remaining:
            raise PduError(f"{name} needs {length} octets, {self.remaining} are left in the PDU")
        start = self._position
        self._position = start + length
        return self._octets[start : self._position]

    def unsigned(self, length: int, name: str) -> int:
        return int.from_bytes(self.octets(length, name), "big")

    def length_value(self, name: str) -> bytes:
        """Take an LV field: one octet of length, then the value (section 5.1.8)."""
        return self.octets(self.unsigned(1, f"length of {name}"), name)

    def rest(self) -> bytes:
        return self.octets(self.remaining, "rest")

    def end(self, name: str) -> None:
        if self.remaining:
            raise PduError(f"{self.remaining} octets follow the end of the {name}")


def unsigned(value: int, octets: int, name: str) -> bytes:
    """Encode *value* in *octets* octets, big-endian.

    Raises:
        ValueError: The value does not fit.
    """
    if not 0 <= value < 1 << (8 * octets):
        raise ValueError(f"{name} {value} does not fit {octets} octets")
    return value.to_bytes(octets, "big")


def length_value(value: bytes, name: str) -> bytes:
    """Encode an LV field (section 5.1.8).

    Raises:
        ValueError: The value is longer than 255 octets.
    """
    return unsigned(len(value), 1, f"length of {name}") + value
