"""What can go wrong between mission control and a station."""

from __future__ import annotations


class StationError(Exception):
    """A station cannot be worked with now; the caller may try again."""


class StationRefusedError(StationError):
    """The station answered, and does not give the service."""

    def __init__(self, *, antenna: str, reason: str) -> None:
        self.antenna = antenna
        self.reason = reason
        super().__init__(f"{antenna} refuses the service: {reason}")


class StationUnreachableError(StationError):
    """No connection, or one that broke or fell silent."""
