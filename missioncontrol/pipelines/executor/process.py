"""The process around the passes: claims contacts that are due, a thread for each."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections import Counter
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

from django.db import DatabaseError, close_old_connections, connection

from missioncontrol.kernel import clock
from missioncontrol.pipelines.executor.pass_run import PassRun
from missioncontrol.pipelines.executor.surroundings import Surroundings
from missioncontrol.pipelines.executor.watch import LEASE_S, StopRequestedError
from missioncontrol.pipelines.services import LeaseLostError
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.leases import Lease, claim_contact, release_lease
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.services import (
    ContactRefusedError,
    advance_contact,
    mark_missed,
)

_LOOK_EVERY_S: Final = 0.5  # wall
# A pre-pass of its profile's length is claimed this much early: the claim itself takes time.
_CLAIM_AHEAD_S: Final = 5.0  # mission
_BACK_OFF_S: Final = 2.0  # wall, after a run that broke
_MOST_FAILURES: Final = 5
# A contact this long after its end that still breaks its runs is closed as failed.
_GIVE_UP_AFTER: Final = timedelta(minutes=10)

logger = logging.getLogger(__name__)


class PassExecutor:
    """Looks for contacts to carry out until it is asked to stop."""

    def __init__(
        self,
        *,
        stop: Event,
        surroundings: Surroundings | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        # Unique to this process, so that a restarted one never takes itself for the old.
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._stop = stop
        self._surroundings = surroundings or Surroundings()
        self._lease_s = lease_s
        self._running: dict[int, Thread] = {}
        self._failures: Counter[int] = Counter()
        self._not_before_s: dict[int, float] = {}

    def run(self) -> None:
        """Work until the stop event is set; then let the passes go to other executors."""
        logger.info("pass executor %s is running", self.name)
        while not self._stop.is_set():
            try:
                self.look(clock.now())
            except DatabaseError as error:
                # Passes that run go on as far as they can; new ones are found when it is back.
                logger.warning("contacts cannot be read: %s", error)
            self._stop.wait(_LOOK_EVERY_S)
        for thread in self._running.values():
            thread.join(timeout=self._lease_s)
        logger.info("pass executor %s has ended", self.name)

    def look(self, at: datetime) -> int:
        """Claim what is due; return how many passes run here now."""
        close_old_connections()
        self._running = {
            contact_id: thread for contact_id, thread in self._running.items() if thread.is_alive()
        }
        mark_missed(at=at)
        for contact in selectors.due_contacts(at, within_s=_CLAIM_AHEAD_S):
            if contact.pk not in self._running and self._may_try(contact, at):
                self._claim(contact)
        return len(self._running)

    def _may_try(self, contact: Contact, at: datetime) -> bool:
        if contact.aos - timedelta(seconds=contact.pre_pass_s + _CLAIM_AHEAD_S) > at:
            return False
        return time.monotonic() >= self._not_before_s.get(contact.pk, 0.0)

    def _claim(self, contact: Contact) -> None:
        lease = claim_contact(contact_id=contact.pk, holder=self.name, lease_s=self._lease_s)
        if lease is None:
            return
        logger.info("contact %s claimed under epoch %s: %s", contact.pk, lease.epoch, contact)
        thread = Thread(
            target=self._carry_out, args=(lease,), name=f"pass-{contact.pk}", daemon=True
        )
        self._running[contact.pk] = thread
        thread.start()

    def _carry_out(self, lease: Lease) -> None:
        """Run one pass; whatever breaks it, the contact is not held longer than needed."""
        try:
            contact = selectors.get_contact(lease.contact_id)
            state = PassRun(
                contact=contact,
                lease=lease,
                stop=self._stop,
                surroundings=self._surroundings,
                lease_s=self._lease_s,
            ).run()
            logger.info("contact %s ended as %s", contact.pk, state)
            release_lease(lease)
        except StopRequestedError:
            release_lease(lease)
        except (LeaseLostError, ContactRefusedError) as refusal:
            logger.warning("contact %s left: %s", lease.contact_id, refusal)
        except Exception as error:
            logger.exception("contact %s: the pass broke", lease.contact_id)
            self._after_failure(lease, error)
        finally:
            connection.close()

    def _after_failure(self, lease: Lease, error: Exception) -> None:
        """Let the pass be tried again soon; close it when it is over and breaks each time."""
        self._failures[lease.contact_id] += 1
        self._not_before_s[lease.contact_id] = time.monotonic() + _BACK_OFF_S
        close_old_connections()  # perhaps the database went away
        try:
            self._give_back(lease, error)
        except DatabaseError as away:
            logger.warning(
                "contact %s: nobody takes it before its lease ends, the database is away: %s",
                lease.contact_id,
                away,
            )

    def _give_back(self, lease: Lease, error: Exception) -> None:
        at = clock.now()
        contact = selectors.get_contact(lease.contact_id)
        is_over = at > contact.los + timedelta(seconds=contact.post_pass_s) + _GIVE_UP_AFTER
        if is_over and self._failures[lease.contact_id] >= _MOST_FAILURES:
            advance_contact(
                contact_id=contact.pk,
                epoch=lease.epoch,
                to=Contact.State.FAILED,
                at=at,
                failure=f"The executor broke {_MOST_FAILURES} times, last: {error!r}",
            )
        release_lease(lease)
