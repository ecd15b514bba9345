from __future__ import annotations

import importlib

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "telemetry"
    label = "telemetry"

    def ready(self) -> None:
        importlib.import_module("telemetry.checks")
