"""Receives one contact: connects while the station is willing, ingests what comes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection

from missioncontrol.fleet.models import Antenna
from missioncontrol.kernel import clock
from missioncontrol.scheduling.models import Contact
from missioncontrol.stationlink.messages import (
    Hello,
    Message,
    Service,
    TmFrameReceived,
)
from telemetry.archive import ArchiveLockedError
from telemetry.links.return_link import LinkClosedError, LinkRefusedError, ReturnLink
from telemetry.models import LinkSession
from telemetry.pipeline import ReceivedFrame
from telemetry.services import TelemetryReception, close_session, open_session

# Frames that came together are ingested together: one disk sync for all of them.
BATCH_WITHIN_S: Final = 0.04
_BATCH_FRAMES: Final = 2000
_TRY_AGAIN_S: Final = 0.25
# The predicted edges may be off by seconds, so the station is asked early and late.
EDGE: Final = timedelta(seconds=30)

logger = logging.getLogger(__name__)


class ContactReceiver(threading.Thread):
    """A thread that serves one contact until it is over or :meth:`stop` is called."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(name=f"contact-{contact.pk}", daemon=True)
        self._contact = contact
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask the thread to finish what it has and end."""
        self._stopping.set()

    def run(self) -> None:
        try:
            self._receive_contact()
        except Exception:
            # Whatever it was, the next look at the contacts starts a new thread.
            logger.exception("receiving %s failed; it is tried again", self._contact)
        finally:
            connection.close()

    def _receive_contact(self) -> None:
        try:
            reception = TelemetryReception(self._contact.spacecraft)
        except ArchiveLockedError as error:
            logger.warning("%s: %s", self._contact, error)
            self._stopping.wait(1.0)
            return
        with reception:
            while not self._is_over():
                if clock.now() >= self._contact.aos - EDGE:
                    self._try_to_receive(reception)
                self._stopping.wait(_TRY_AGAIN_S)

    def _is_over(self) -> bool:
        return self._stopping.is_set() or clock.now() > self._contact.los + EDGE

    def _try_to_receive(self, reception: TelemetryReception) -> None:
        antenna = self._contact.antenna
        hello = Hello(
            service=Service.RETURN,
            spacecraft=self._contact.spacecraft.name,
            antenna=antenna.name,
            contact=self._contact.pk,
            epoch=0,
        )
        try:
            with ReturnLink(link_address(antenna), hello) as link:
                self._serve(link, reception)
        except LinkRefusedError as error:
            logger.debug("%s refuses: %s", antenna, error)
        except LinkClosedError as error:
            logger.info("%s: %s", antenna, error)

    def _serve(self, link: ReturnLink, reception: TelemetryReception) -> None:
        session = open_session(contact=self._contact, at=clock.now())
        logger.info("receiving %s", self._contact)
        reception.begin_contact(self._contact.antenna.station.name)
        reason = "stopped"
        try:
            while not self._stopping.is_set():
                self._take(link.receive(within_s=0.2, at_most=_BATCH_FRAMES), reception, session)
                # Let a batch gather: fewer, larger writes at no loss of frames.
                time.sleep(BATCH_WITHIN_S)
        except LinkClosedError as error:
            reason = str(error)
        finally:
            reception.settle(session)
            close_session(session=session, reason=reason, at=clock.now())
            logger.info("%s ended: %s", self._contact, reason)

    def _take(
        self, messages: Sequence[Message], reception: TelemetryReception, session: LinkSession
    ) -> None:
        station = self._contact.antenna.station.name
        frames = [
            ReceivedFrame(octets=message.octets, received_at=message.received_at, station=station)
            for message in messages
            if isinstance(message, TmFrameReceived)
        ]
        if not frames:
            reception.settle(session)
            return
        try:
            reception.receive_frames(frames, session=session)
        except OperationalError as error:
            # The packets are archived by now; only rows and counts wait for the database.
            logger.warning("%s: rows not stored, the database says: %s", self._contact, error)


def link_address(antenna: Antenna) -> tuple[str, int]:
    """Return host and port of the station's link, e.g. of ``tcp://10.0.0.5:7000``."""
    text = (
        settings.SIMULATOR_ADDRESS
        if antenna.link_url == "simulator"
        else antenna.link_url.removeprefix("tcp://")
    )
    host, _, port = text.rpartition(":")
    return host, int(port)
