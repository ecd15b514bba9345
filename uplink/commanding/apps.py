from __future__ import annotations

from django.apps import AppConfig


class CommandingConfig(AppConfig):
    name = "uplink.commanding"
    label = "commanding"
    default_auto_field = "django.db.models.BigAutoField"
