"""The Celery application: workers compute what may be late, never what starts on the second."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missioncontrol.settings")

app = Celery("missioncontrol")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
