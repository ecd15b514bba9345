"""What spacecraft and ground know of each other: one seam between the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The radio link of one spacecraft at one instant."""

    in_view: bool  # above the mask of at least one antenna
    uplink_locked: bool  # one of those radiates towards it
    is_heard: bool  # the return service of one of those is in use
    range_m: float = 0.0
    range_rate_m_s: float = 0.0


class Ground(Protocol):
    """The ground as a spacecraft meets it."""

    def link(self, at: datetime) -> Link:
        """Return the state of the link at an instant."""

    def hear(self, frame: bytes, at: datetime) -> None:
        """Take a frame whose last bit left the spacecraft at *at*."""
