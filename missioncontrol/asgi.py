"""ASGI entry point: HTTP to Django, websockets to Channels."""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missioncontrol.settings")

django_application = get_asgi_application()

from missioncontrol.accounts.origins import OriginsOfOurs  # noqa: E402  # needs loaded apps
from missioncontrol.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": OriginsOfOurs(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
