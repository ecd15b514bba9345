"""Whether a pass may go on: its lease is kept, and nobody has asked the process to stop."""

from __future__ import annotations

import threading
import time
from typing import Final

from missioncontrol.kernel import clock
from missioncontrol.pipelines.services import LeaseLostError
from missioncontrol.scheduling.leases import Lease, renew_lease

LEASE_S: Final = 10.0  # wall seconds on the database's clock
_RENEW_EVERY_S: Final = 2.0
_NAP_S: Final = 0.2


class StopRequestedError(Exception):
    """The process ends; the contact is for another executor."""


class Watch:
    """Looked at in every turn of a pass; raises when the pass must be left at once."""

    def __init__(self, lease: Lease, stop: threading.Event, *, lease_s: float = LEASE_S) -> None:
        self.lease = lease
        self._stop = stop
        self._lease_s = lease_s
        self._renewed_at_s = time.monotonic()

    def keep(self) -> None:
        """Renew the lease when it is time.

        Raises:
            LeaseLostError: another executor may have it.
            StopRequestedError: the process ends.
        """
        if self._stop.is_set():
            raise StopRequestedError
        if time.monotonic() - self._renewed_at_s > _RENEW_EVERY_S:
            self.renew()

    def renew(self) -> None:
        """Renew the lease now.

        Raises:
            LeaseLostError: another executor may have it.
        """
        if not renew_lease(self.lease, lease_s=self._lease_s):
            raise LeaseLostError(
                f"The lease of contact {self.lease.contact_id} under epoch "
                f"{self.lease.epoch} is lost."
            )
        self._renewed_at_s = time.monotonic()

    def nap(self, mission_s: float) -> None:
        """Sleep until *mission_s* of mission time are over, at most a fraction of a second."""
        self._stop.wait(max(0.0, min(_NAP_S, clock.wall_seconds(mission_s))))
