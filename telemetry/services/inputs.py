"""What comes in without a contact, counted: the units, and what was lost."""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.db.models import F

from missioncontrol.fleet.models import Spacecraft
from telemetry.models import InputCounts

_STORED_EVERY_S: Final = 0.5

logger = logging.getLogger(__name__)


class InputTally:
    """Counts one input; what the database does not take now, it is offered again."""

    def __init__(self, spacecraft: Spacecraft, name: str) -> None:
        self._spacecraft = spacecraft
        self._name = name
        self._counts: Counter[str] = Counter()
        self._latest: dict[str, object] = {}
        self._stored_s = 0.0

    def received(self, *, units: int, octets: int, at: datetime) -> None:
        self._counts.update(units=units, octets=octets)
        self._latest["last_received_at"] = at

    def connected(self) -> None:
        self._counts["connections"] += 1

    def rejected(self) -> None:
        self._counts["rejected"] += 1

    def dropped(self, count: int, *, reason: str, at: datetime) -> None:
        """Note datagrams that were lost on this machine."""
        self._counts["dropped"] += count
        self._latest |= {"last_dropped_at": at, "last_drop_reason": reason[:80]}
        logger.warning(
            "%s of %s: %d datagrams lost: %s", self._name, self._spacecraft, count, reason
        )

    def store_if_due(self) -> None:
        if self._counts and time.monotonic() - self._stored_s >= _STORED_EVERY_S:
            self._stored_s = time.monotonic()
            self.store()

    def store(self) -> None:
        """Add what was counted to the row, or keep it for the next time."""
        changes = {name: F(name) + number for name, number in self._counts.items()}
        try:
            with transaction.atomic():
                row, _ = InputCounts.objects.get_or_create(
                    spacecraft=self._spacecraft, name=self._name
                )
                InputCounts.objects.filter(pk=row.pk).update(**changes, **self._latest)
        except (OperationalError, InterfaceError) as error:
            logger.warning("counts of %s wait for the database: %s", self._name, error)
            close_old_connections()
            return
        self._counts, self._latest = Counter(), {}
