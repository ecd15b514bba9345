"""Receives one contact: connects while the station is willing, ingests what comes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection

from missioncontrol.fleet.models import Antenna
from missioncontrol.kernel import clock
from missioncontrol.scheduling.models import Contact
from missioncontrol.stationlink.addresses import station_address
from missioncontrol.stationlink.messages import (
    Hello,
    Message,
    Service,
    TmFrameReceived,
)
from telemetry.archive import ArchiveLockedError
from telemetry.links.receptions import SharedReception, shared_reception
from telemetry.links.return_link import LinkClosedError, LinkRefusedError, ReturnLink
from telemetry.models import LinkSession
from telemetry.pipeline import ReceivedFrame
from telemetry.services import close_session, open_session

# Frames that came together are ingested together: one disk sync for all of them.
BATCH_WITHIN_S: Final = 0.04
_BATCH_FRAMES: Final = 2000
_TRY_AGAIN_S: Final = 0.25
_AFTER_A_FAULT_S: Final = 1.0
# The predicted edges may be off by seconds, so the station is asked early and late.
EDGE: Final = timedelta(seconds=30)
# A station tells where its antenna points every five seconds of mission time. One that
# lost its power says nothing any more, and TCP would wait for it for ever.
_SILENT_S: Final = 60.0  # of mission time
_SILENT_AT_LEAST_S: Final = 3.0  # on the wall, however fast a rehearsal runs

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
        except ArchiveLockedError as error:
            logger.warning("%s is not received yet: %s", self._contact, error)
            self._stopping.wait(_AFTER_A_FAULT_S)
        except Exception:
            # Whatever it was, the next look at the contacts starts a new thread.
            logger.exception("receiving %s failed; it is tried again", self._contact)
            self._stopping.wait(_AFTER_A_FAULT_S)
        finally:
            connection.close()

    def _receive_contact(self) -> None:
        with shared_reception(self._contact.spacecraft) as shared:
            while not self._is_over():
                if clock.now() >= self._contact.aos - EDGE:
                    self._try_to_receive(shared)
                self._stopping.wait(_TRY_AGAIN_S)

    def _is_over(self) -> bool:
        return self._stopping.is_set() or clock.now() > self._contact.los + EDGE

    def _try_to_receive(self, shared: SharedReception) -> None:
        antenna, relay = self._contact.antenna, self._contact.relay
        hello = Hello(
            service=Service.RETURN,
            spacecraft=self._contact.spacecraft.name,
            antenna=antenna.name,
            contact=self._contact.pk,
            epoch=0,
            relay=relay.name if relay is not None else "",
        )
        try:
            with ReturnLink(_address_of(antenna), hello) as link:
                self._serve(link, shared)
        except LinkRefusedError as error:
            logger.debug("%s refuses: %s", antenna, error)
        except LinkClosedError as error:
            logger.info("%s: %s", antenna, error)

    def _serve(self, link: ReturnLink, shared: SharedReception) -> None:
        session = open_session(contact=self._contact, at=clock.now())
        logger.info("receiving %s", self._contact)
        with shared.lock:
            shared.reception.begin_contact(self._contact.antenna.station.name)
        reason = "the receiving process failed"
        try:
            reason = self._receive_until_closed(link, shared, session)
        finally:
            with shared.lock:
                shared.reception.settle(session)
            close_session(session=session, reason=reason, at=clock.now())
            logger.info("%s ended: %s", self._contact, reason)

    def _receive_until_closed(
        self, link: ReturnLink, shared: SharedReception, session: LinkSession
    ) -> str:
        """Take what comes; return why it ended."""
        heard_s = time.monotonic()
        while not self._is_over():
            try:
                messages = link.receive(within_s=0.2, at_most=_BATCH_FRAMES)
            except LinkClosedError as error:
                return str(error)
            self._take(messages, shared, session)
            if messages:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > _silence_limit_s():
                return f"nothing from the station for {time.monotonic() - heard_s:.0f} s"
            # Let a batch gather: fewer, larger writes at no loss of frames.
            time.sleep(BATCH_WITHIN_S)
        return "stopped" if self._stopping.is_set() else "the contact is over"

    def _take(
        self, messages: Sequence[Message], shared: SharedReception, session: LinkSession
    ) -> None:
        station = self._contact.antenna.station.name
        frames = [
            ReceivedFrame(octets=message.octets, received_at=message.received_at, station=station)
            for message in messages
            if isinstance(message, TmFrameReceived)
        ]
        with shared.lock:
            if frames:
                shared.reception.receive_frames(frames, session=session)
            else:
                shared.reception.settle(session)


def _silence_limit_s() -> float:
    return max(clock.wall_seconds(_SILENT_S), _SILENT_AT_LEAST_S)


def _address_of(antenna: Antenna) -> tuple[str, int]:
    return station_address(antenna.link_url, simulator_address=settings.SIMULATOR_ADDRESS)
