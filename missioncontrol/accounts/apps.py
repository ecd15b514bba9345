from __future__ import annotations

import importlib

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "missioncontrol.accounts"
    label = "accounts"

    def ready(self) -> None:
        importlib.import_module("missioncontrol.accounts.sign_in_events")
