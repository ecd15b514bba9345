"""What must hold before the product starts; `manage.py check` runs it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, register


@register()
def time_is_utc(**_kwargs: Any) -> list[Error]:
    """Refuse to run in any other time zone than UTC."""
    if settings.USE_TZ and settings.TIME_ZONE == "UTC":
        return []
    return [
        Error(
            "Mission control keeps all times in UTC.",
            hint='Set USE_TZ = True and TIME_ZONE = "UTC".',
            id="kernel.E001",
        )
    ]


@register()
def broker_socket_path_fits(**_kwargs: Any) -> list[Error]:
    """Refuse a unix socket path that the operating system would cut."""
    url: str = settings.REDIS_URL
    length = len(url.removeprefix("unix://").split("?")[0].encode())
    if not url.startswith("unix://") or length <= 107:
        return []
    return [
        Error(
            f"The broker's socket path has {length} octets; the system's limit is 107.",
            hint="Set XDG_RUNTIME_DIR to a shorter folder, or REDIS_URL to a TCP address.",
            id="kernel.E002",
        )
    ]
