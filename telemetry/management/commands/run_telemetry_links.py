from __future__ import annotations

import gc
import logging
import signal
import threading
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.models import Contact
from telemetry.links.contact_receiver import EDGE, ContactReceiver
from telemetry.links.spool_ingest import SpoolIngest, inputs_of

_LOOK_EVERY_S: Final = 0.2

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Receive telemetry: from the antenna of every contact, and from the spool of inputs."
    requires_system_checks = (INSTALLATION,)

    def handle(self, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        receivers: dict[int, ContactReceiver] = {}
        ingests: dict[int, SpoolIngest] = {}
        # What is loaded lives as long as the process. A full collection looks at all of it
        # and stops the links for a tenth of a second; this takes it out of sight.
        gc.collect()
        gc.freeze()
        logger.info("watching for contacts")
        while not stopping.wait(_LOOK_EVERY_S):
            try:
                close_old_connections()
                look(receivers)
                look_at_inputs(ingests)
            except DatabaseError as error:
                logger.warning("contacts cannot be read: %s", error)
        threads: list[ContactReceiver | SpoolIngest] = [*receivers.values(), *ingests.values()]
        for thread in threads:
            thread.stop()
        for thread in threads:
            thread.join(timeout=2.0)


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


def look_at_inputs(ingests: dict[int, SpoolIngest]) -> None:
    """Have the spools of every spacecraft emptied, by its link profile as it is now."""
    wanted = {craft.pk: craft for craft in fleet.active_spacecraft() if inputs_of(craft)}
    for key, ingest in list(ingests.items()):
        changed = key not in wanted or ingest.inputs != inputs_of(wanted[key])
        if changed:
            ingest.stop()
        if not ingest.is_alive():
            del ingests[key]
    for key, craft in wanted.items():
        if key not in ingests:
            ingests[key] = SpoolIngest(craft, inputs_of(craft))
            ingests[key].start()
