"""Start background work once the data it needs is committed."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def send_after_commit(task_name: str, **kwargs: str | int) -> None:
    """Queue the task called *task_name* when the current transaction commits.

    Tasks are named, not imported, so that ``services`` never imports ``tasks``
    and the arrows point one way; a test proves that every name used in the
    code is a registered task. A broker that is away loses no work: every queue
    has a sweep over rows, which runs from Celery's beat.
    """
    transaction.on_commit(partial(_send, task_name, kwargs), robust=False)


def _send(task_name: str, kwargs: dict[str, str | int]) -> None:
    try:
        current_app.send_task(task_name, kwargs=kwargs, retry=False)
    except OperationalError as error:
        logger.warning("%s not queued, its sweep will do the work: %s", task_name, error)
