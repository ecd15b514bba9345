from __future__ import annotations

from django.apps import AppConfig


class ReservationsConfig(AppConfig):
    name = "missioncontrol.reservations"
    label = "reservations"

    def ready(self) -> None:
        from missioncontrol.reservations import checks  # noqa: F401  # registers them
