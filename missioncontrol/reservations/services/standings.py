from __future__ import annotations

from datetime import datetime

from django.db import transaction

from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.reservations.models import REASON_LENGTH, ProviderStanding


@transaction.atomic
def note_standing(
    *, provider: str, fault: str, not_before: datetime | None, wall_at: datetime
) -> None:
    """Note how a provider took the last question that it was asked.

    Args:
        provider: Slug of the stations' owner.
        fault: Why there was no usable answer; empty where there was one.
        not_before: Until when it asked to be left alone, if it did.
        wall_at: The machine's time.
    """
    row, _ = ProviderStanding.objects.select_for_update().get_or_create(
        provider=provider, defaults={"asked_at": wall_at}
    )
    row.asked_at, row.not_before = wall_at, not_before
    if not fault:
        row.answered_at, row.silent_since = wall_at, None
    elif not row.fault:
        row.silent_since = wall_at
    row.fault = fault[:REASON_LENGTH]
    row.save()
    publish_after_commit({"type": "refresh", "part": "reservations"})
