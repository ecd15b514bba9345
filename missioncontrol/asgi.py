"""ASGI entry point: HTTP to Django, websockets to Channels."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missioncontrol.settings")

django_application = get_asgi_application()

from missioncontrol.routing import websocket_urlpatterns  # noqa: E402  # needs loaded apps

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(websocket_urlpatterns),
    }
)
