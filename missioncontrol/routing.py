from __future__ import annotations

from django.urls import URLPattern, path

from missioncontrol.api.consumers import EventsConsumer
from missioncontrol.console.consumers import LiveConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/events/", EventsConsumer.as_asgi()),
    path("ws/live/", LiveConsumer.as_asgi()),
]
