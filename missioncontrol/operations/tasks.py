from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.operations import runners, services
from missioncontrol.operations.models import Operation

_TELL_EVERY_S: Final = 1.0

logger = logging.getLogger(__name__)


@shared_task(name="missioncontrol.operations.tasks.run_operation")
def run_operation(*, operation_id: int, **_later: object) -> None:
    """Carry out one operation. Safe to run twice: the row is taken once."""
    operation = services.begin_operation(operation_id=operation_id, wall_at=clock.wall_now())
    if operation is None:
        return
    try:
        result = runners.run(operation, at=clock.now(), tell=_teller(operation))
    except RefusedError as refusal:
        error = str(refusal)
    except SoftTimeLimitExceeded:
        error = (
            f"It took longer than {settings.CELERY_TASK_SOFT_TIME_LIMIT} s and was stopped. Ask "
            "for less at once, or use the command on the machine itself."
        )
    except Exception:
        logger.exception("%s failed", operation)
        error = "The product failed at this; the worker's log of this moment says why."
    else:
        services.finish_operation(
            operation, result=result, at=clock.now(), wall_at=clock.wall_now()
        )
        return
    services.fail_operation(operation, error=error, at=clock.now(), wall_at=clock.wall_now())


@shared_task(name="missioncontrol.operations.tasks.sweep_operations")
def sweep_operations(**_later: object) -> int:
    """Bring on what lost its message or its worker. Safe to run twice."""
    return services.recover_operations(at=clock.now(), wall_at=clock.wall_now())


def _teller(operation: Operation) -> Callable[[float], None]:
    """Return what notes the progress, once a second at most."""
    told_at_s = time.monotonic()

    def tell(progress: float) -> None:
        nonlocal told_at_s
        if time.monotonic() - told_at_s >= _TELL_EVERY_S:
            told_at_s = time.monotonic()
            services.note_progress(operation, progress)

    return tell
