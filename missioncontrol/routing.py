from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import URLPattern, path, re_path

from missioncontrol.api.telemetry_live import TelemetryConsumer
from missioncontrol.api.telemetry_replay import ReplayConsumer
from missioncontrol.console.consumers import LiveConsumer

# Known by the session's cookie, which a browser sends for any site: the origin is checked.
_of_the_console: list[URLPattern] = [
    path("ws/live/", LiveConsumer.as_asgi()),
]
websocket_urlpatterns: list[URLPattern] = [
    # Known by a token in a header or a ticket: programs name no origin, and need none.
    path("api/v1/spacecraft/<name>/telemetry/live", TelemetryConsumer.as_asgi()),
    path("api/v1/spacecraft/<name>/telemetry/replay", ReplayConsumer.as_asgi()),
    re_path(r"", AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(_of_the_console)))),
]
