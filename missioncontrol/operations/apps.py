from __future__ import annotations

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "missioncontrol.operations"
    label = "operations"
