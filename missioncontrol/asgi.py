"""ASGI entry point: HTTP to Django, websockets to Channels."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.signals import request_finished

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missioncontrol.settings")

django_application = get_asgi_application()

from missioncontrol.accounts.origins import OriginsOfOurs  # noqa: E402  # needs loaded apps
from missioncontrol.kernel.admission import give_back_connections  # noqa: E402
from missioncontrol.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": OriginsOfOurs(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)

request_finished.connect(give_back_connections)

# What is loaded by now lives as long as the process. A full collection looks at all of it
# and stops every socket for a tenth of a second; this takes it out of sight.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
