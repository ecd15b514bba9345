from __future__ import annotations

import importlib

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "missioncontrol.contacts"
    label = "contacts"

    def ready(self) -> None:
        importlib.import_module("missioncontrol.contacts.checks")
