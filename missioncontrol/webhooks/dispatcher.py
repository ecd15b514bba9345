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
from missioncontrol.webhooks.endpoint import EndpointError, parse_endpoint
from missioncontrol.webhooks.message import messages_of
from missioncontrol.webhooks.outbox import Run

logger = logging.getLogger(__name__)


class Dispatcher:
    """Keeps the webhooks supplied. A second one, in another process, does no harm.

    The calling thread alone touches the database.
    """

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._under_way: list[tuple[Run, Future[list[Outcome]]]] = []
        self._news = threading.Event()

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
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
        for run in outbox.claim_due(wall_at=wall_at):
            outcomes = self._begin(run, wall_at)
            outcomes.add_done_callback(lambda _: self._news.set())
            self._under_way.append((run, outcomes))
        return more

    def wait(self, timeout_s: float) -> None:
        """Return when something has come back, after *timeout_s* at the latest."""
        self._news.wait(timeout_s)

    def finish(self, *, at: datetime, wall_at: datetime, within_s: float) -> None:
        """Send nothing new and note what still comes back in time."""
        self._courier.end_runs()
        until_s = time.monotonic() + within_s
        while self.is_busy and time.monotonic() < until_s:
            self._news.clear()
            self._note(at=at, wall_at=wall_at)
            self.wait(0.05)

    def _begin(self, run: Run, wall_at: datetime) -> Future[list[Outcome]]:
        try:
            endpoint = parse_endpoint(
                run.webhook.url, allowed_hosts=settings.WEBHOOK_ALLOWED_HOSTS
            )
            messages = messages_of(run.webhook, run.deliveries, wall_at=wall_at)
        except (EndpointError, SealBrokenError) as error:
            nowhere: Future[list[Outcome]] = Future()
            nowhere.set_result([Outcome(fault=str(error))])
            return nowhere
        return self._courier.send(endpoint, messages)

    def _note(self, *, at: datetime, wall_at: datetime) -> None:
        for each in list(self._under_way):
            run, coming = each
            if not coming.done():
                continue
            outcomes = coming.result()
            if outcomes and outcomes[-1].fault:
                delivery = run.deliveries[len(outcomes) - 1]
                logger.warning("%s did not arrive: %s", delivery, outcomes[-1].fault)
            outbox.note_outcomes(
                run,
                outcomes,
                chance=random.random(),  # noqa: S311  # spreads retries, keeps no secret
                at=at,
                wall_at=wall_at,
            )
            # Only now: what the database refused for a moment is noted at the next step.
            self._under_way.remove(each)
