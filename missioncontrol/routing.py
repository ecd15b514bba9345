from __future__ import annotations

from django.urls import URLPattern, path

from missioncontrol.api.consumers import EventsConsumer
from missioncontrol.api.telemetry_live import TelemetryConsumer
from missioncontrol.api.telemetry_replay import ReplayConsumer
from missioncontrol.console.consumers import LiveConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("api/v1/spacecraft/<name>/telemetry/live", TelemetryConsumer.as_asgi()),
    path("api/v1/spacecraft/<name>/telemetry/replay", ReplayConsumer.as_asgi()),
    path("ws/events/", EventsConsumer.as_asgi()),
    path("ws/live/", LiveConsumer.as_asgi()),
]
