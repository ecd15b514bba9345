"""The Celery application: workers compute what may be late, never what starts on the second."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

from missioncontrol.kernel.organisations import process_acts_for_everybody

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missioncontrol.settings")

app = Celery("missioncontrol")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def _works_for_the_mission(**_: Any) -> None:
    """Let workers see the rows of all organisations; their children inherit it."""
    process_acts_for_everybody()
