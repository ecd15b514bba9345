from __future__ import annotations

import importlib

from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "missioncontrol.kernel"
    label = "kernel"

    def ready(self) -> None:
        # Every process that has Django's apps has the Celery application too, so
        # that tasks sent by name reach the configured broker.
        importlib.import_module("missioncontrol.celery")
        importlib.import_module("missioncontrol.kernel.checks")
