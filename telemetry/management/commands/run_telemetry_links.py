from __future__ import annotations

import logging
import signal
import threading
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from missioncontrol.kernel import clock
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.models import Contact
from telemetry.links.contact_receiver import EDGE, ContactReceiver

_LOOK_EVERY_S: Final = 0.2

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Receive telemetry from the antenna of every contact, as long as each is on."

    def handle(self, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        receivers: dict[int, ContactReceiver] = {}
        logger.info("watching for contacts")
        while not stopping.wait(_LOOK_EVERY_S):
            try:
                close_old_connections()
                look(receivers)
            except DatabaseError as error:
                logger.warning("contacts cannot be read: %s", error)
        for receiver in receivers.values():
            receiver.stop()
        for receiver in receivers.values():
            receiver.join(timeout=2.0)


def look(receivers: dict[int, ContactReceiver]) -> None:
    """Start a receiver for every contact that is on; stop those of cancelled ones.

    Telemetry is received whatever became of the commanding: a contact that
    FAILED or that no executor took may still be heard.
    """
    at = clock.now()
    for contact_id in [key for key, thread in receivers.items() if not thread.is_alive()]:
        del receivers[contact_id]
    for contact in selectors.contacts_between(at, at + EDGE):
        if contact.state == Contact.State.CANCELLED:
            if contact.pk in receivers:
                receivers[contact.pk].stop()
        elif contact.pk not in receivers:
            receivers[contact.pk] = ContactReceiver(contact)
            receivers[contact.pk].start()
