"""The station's forward service during a pass: connected, and connected again."""

from __future__ import annotations

import logging
from typing import Final

from missioncontrol.pipelines.executor.pace import Every
from missioncontrol.pipelines.executor.surroundings import PassSubject
from missioncontrol.scheduling.models import Contact
from missioncontrol.stationlink.messages import Bye, CltuReport, Status
from uplink.links.errors import StationError, StationRefusedError
from uplink.links.forward_link import ForwardLink, fetch_journal

_RETRY_S: Final = 0.3  # wall

logger = logging.getLogger(__name__)


class StationService:
    """Holds one ``ForwardLink`` while there is one, and says why where there is none."""

    def __init__(self, subject: PassSubject) -> None:
        self._subject = subject
        self._link: ForwardLink | None = None
        self._retry = Every(_RETRY_S)
        self.connections = 0
        self.status: Status | None = None
        self.refusal = ""  # why there is no service now
        self.ended = False  # the station said that its pass is over

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    def connect(self) -> bool:
        """Try to get the service, at most every 0.3 s; return whether it was granted just now."""
        if self._link is not None or not self._retry.is_due():
            return False
        contact = self._subject.contact
        try:
            self._link = ForwardLink.connect(
                self._subject.address_of(contact.antenna),
                spacecraft=contact.spacecraft.name,
                antenna=contact.antenna.name,
                contact=contact.pk,
                epoch=self._subject.epoch,
                rate_bps=self._subject.profile.tc.rate_bps,
                relay=contact.relay.name if contact.relay is not None else "",
            )
        except StationError as error:
            self._note(error)
            return False
        self.connections += 1
        self.refusal = ""
        return True

    def poll(self, timeout_s: float) -> list[CltuReport]:
        """Return the reports on CLTUs that came; keep the pointing and a BYE."""
        if self._link is None:
            return []
        reports = []
        try:
            for message in self._link.poll(timeout_s):
                if isinstance(message, CltuReport):
                    reports.append(message)
                elif isinstance(message, Status):
                    self.status = message
                else:
                    self._end(message)
        except StationError as error:
            self._lose(error)
        return reports

    def ready_octets(self, factor: float) -> int:
        """Return how many octets the uplink takes now; 0 without a service."""
        return 0 if self._link is None else self._link.ready_octets(factor=factor)

    def send(self, item: int, cltu: bytes) -> bool:
        """Hand over one CLTU; False where the connection broke over it."""
        if self._link is None:
            return False
        try:
            self._link.send_cltu(item, cltu)
        except StationError as error:
            self._lose(error)
            return False
        return True

    def journal(self, contact: Contact) -> frozenset[int] | None:
        """Return the items of *contact* that were radiated, or None: not to be had.

        The contact may be an earlier one, over another station.
        """
        is_this = contact.pk == self._subject.contact.pk
        try:
            journal = fetch_journal(
                self._subject.address_of(contact.antenna),
                spacecraft=self._subject.spacecraft.name,
                antenna=contact.antenna.name,
                contact=contact.pk,
                epoch=self._subject.epoch if is_this else contact.lease_epoch,
            )
        except (StationError, ValueError) as error:
            logger.warning("no journal of contact %s: %s", contact.pk, error)
            return None
        return frozenset(journal.radiated)

    def close(self) -> None:
        """End the service, if there is one."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _end(self, bye: Bye) -> None:
        self.refusal = f"the station ended the service: {bye.reason}"
        self.ended = self.ended or bye.reason.upper().startswith("LOS")
        self.close()

    def _lose(self, error: StationError) -> None:
        logger.warning("contact %s: %s", self._subject.contact.pk, error)
        self._note(error)
        self.close()

    def _note(self, error: StationError) -> None:
        self.refusal = error.reason if isinstance(error, StationRefusedError) else str(error)
