from __future__ import annotations

from django.urls import URLPattern, path

from missioncontrol.api.telemetry_live import TelemetryConsumer
from missioncontrol.console.consumers import LiveConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/live/", LiveConsumer.as_asgi()),
    path("api/v1/spacecraft/<name>/telemetry/live", TelemetryConsumer.as_asgi()),
]
