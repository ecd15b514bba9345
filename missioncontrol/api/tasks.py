from __future__ import annotations

from celery import shared_task

from missioncontrol.api import idempotency
from missioncontrol.kernel import clock


@shared_task(name="missioncontrol.api.tasks.forget_answers")
def forget_answers(**_later: object) -> int:
    """Delete the answers that were kept long enough. Safe to run twice."""
    return idempotency.forget_answers(wall_at=clock.wall_now())
