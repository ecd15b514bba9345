from __future__ import annotations

from django.apps import AppConfig


class TransfersConfig(AppConfig):
    name = "uplink.transfers"
    label = "transfers"
