"""Sends what is due: the database on this side, the network on the courier's."""

from __future__ import annotations

import logging
import random
import threading
import time
from concurrent.futures import Future
from datetime import datetime

from django.conf import settings

from missioncontrol.audit.selectors import published_size
from missioncontrol.kernel.sealing import SealBrokenError
from missioncontrol.webhooks import outbox
from missioncontrol.webhooks.courier import Courier, Outcome
from missioncontrol.webhooks.endpoint import EndpointError
from missioncontrol.webhooks.message import message_of
from missioncontrol.webhooks.outbox import Attempt

logger = logging.getLogger(__name__)


class Dispatcher:
    """Keeps the webhooks supplied. A second one, in another process, does no harm.

    The calling thread alone touches the database.
    """

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._under_way: list[tuple[Attempt, Future[Outcome]]] = []
        self._news = threading.Event()

    @property
    def is_busy(self) -> bool:
        """Whether an attempt is under way."""
        return bool(self._under_way)

    def step(self, *, at: datetime, wall_at: datetime) -> bool:
        """Note what came back and send what is due; return whether there is more to do at once.

        Args:
            at: Now, UTC (mission time).
            wall_at: Now, on the machine's clock.
        """
        self._news.clear()
        self._note(at=at, wall_at=wall_at)
        more = outbox.take_events(published=published_size(), wall_at=wall_at)
        for attempt in outbox.claim_due(wall_at=wall_at):
            outcome = self._begin(attempt, wall_at)
            outcome.add_done_callback(lambda _: self._news.set())
            self._under_way.append((attempt, outcome))
        return more

    def wait(self, timeout_s: float) -> None:
        """Return when an attempt has come back, after *timeout_s* at the latest."""
        self._news.wait(timeout_s)

    def finish(self, *, at: datetime, wall_at: datetime, within_s: float) -> None:
        """Send nothing new and note what still comes back in time."""
        until_s = time.monotonic() + within_s
        while self.is_busy and time.monotonic() < until_s:
            self._news.clear()
            self._note(at=at, wall_at=wall_at)
            self.wait(0.05)

    def _begin(self, attempt: Attempt, wall_at: datetime) -> Future[Outcome]:
        delivery = attempt.delivery
        try:
            message = message_of(
                delivery, allowed_hosts=settings.WEBHOOK_ALLOWED_HOSTS, wall_at=wall_at
            )
        except (EndpointError, SealBrokenError) as error:
            nowhere: Future[Outcome] = Future()
            nowhere.set_result(Outcome(fault=str(error)))
            return nowhere
        return self._courier.send(message)

    def _note(self, *, at: datetime, wall_at: datetime) -> None:
        for each in list(self._under_way):
            attempt, coming = each
            if not coming.done():
                continue
            outcome = coming.result()
            if outcome.fault:
                logger.warning("%s did not arrive: %s", attempt.delivery, outcome.fault)
            outbox.note_outcome(
                attempt,
                outcome,
                chance=random.random(),  # noqa: S311  # spreads retries, keeps no secret
                at=at,
                wall_at=wall_at,
            )
            # Only now: what the database refused for a moment is noted at the next step.
            self._under_way.remove(each)
