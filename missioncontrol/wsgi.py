"""WSGI entry point, for servers without websockets; the product runs on asgi.py."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missioncontrol.settings")

application = get_wsgi_application()
