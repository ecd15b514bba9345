"""One antenna: where it looks, who uses it, and the CLTUs that it radiates."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import numpy as np

from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.look_angles import LineOfSight, LookAngle
from missioncontrol.orbits.sites import Site
from missioncontrol.stationlink.messages import Cltu, Message

STATUS_EVERY: Final = timedelta(seconds=5)


class Connection(Protocol):
    """The wire to one client; neither method waits."""

    def send(self, message: Message) -> None:
        """Send a message, a little later."""

    def close(self) -> None:
        """Close when all that was sent is out."""


@dataclass(slots=True, eq=False, kw_only=True)
class ReturnSession:
    """A client that listens to one spacecraft."""

    antenna: Antenna
    spacecraft: str
    connection: Connection


@dataclass(slots=True, eq=False, kw_only=True)
class ForwardSession:
    """A client that radiates to one spacecraft, one CLTU after another."""

    antenna: Antenna
    spacecraft: str
    contact: int
    epoch: int
    rate_bps: int
    connection: Connection
    status_at: datetime
    free_at: datetime
    queue: deque[tuple[Cltu, datetime]] = field(default_factory=deque)

    def enqueue(self, cltu: Cltu, at: datetime) -> None:
        """Take a CLTU; it is out when those before it and its own bits are."""
        length_s = len(cltu.octets) * 8 / self.rate_bps
        self.free_at = max(self.free_at, at) + timedelta(seconds=length_s)
        self.queue.append((cltu, self.free_at))

    def holds(self, item: int) -> bool:
        return any(cltu.item == item for cltu, _ in self.queue)

    def take_radiated(self, at: datetime) -> list[tuple[Cltu, datetime]]:
        """Return the CLTUs whose last bit is out by *at*, with when that was."""
        radiated = []
        while self.queue and self.queue[0][1] <= at:
            radiated.append(self.queue.popleft())
        return radiated


Session = ReturnSession | ForwardSession


class Antenna:
    """An antenna of a station and its sessions."""

    def __init__(
        self, *, name: str, station: str, site: Site, elements: Mapping[str, MeanElements]
    ) -> None:
        self.name: Final = name
        self.station: Final = station
        self._site = site
        self._lines = {spacecraft: LineOfSight(one, site) for spacecraft, one in elements.items()}
        self.listeners: list[ReturnSession] = []
        self.forward: ForwardSession | None = None

    def look(self, spacecraft: str, at: datetime) -> LookAngle:
        """Return where a spacecraft stands."""
        return self._lines[spacecraft].at(at)

    def above_mask_deg(self, look: LookAngle) -> float:
        """Return by how much a direction is above the mask; negative below it."""
        mask = self._site.mask_at_deg(np.array([look.azimuth_deg]))
        return look.elevation_deg - float(mask[0])

    def sees(self, look: LookAngle) -> bool:
        """Return whether a direction is above the mask."""
        # Most of the time a spacecraft is below every horizon; that is quick to know.
        return look.elevation_deg >= self._site.lowest_mask_deg and self.above_mask_deg(look) >= 0

    def sessions(self) -> list[Session]:
        """Return who uses the antenna now."""
        return [*self.listeners, *([self.forward] if self.forward is not None else [])]

    def remove(self, session: Session) -> None:
        """Forget a session whose connection is gone."""
        if session is self.forward:
            self.forward = None
        elif isinstance(session, ReturnSession) and session in self.listeners:
            self.listeners.remove(session)
