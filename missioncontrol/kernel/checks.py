"""What must hold before the product starts: its commands look, and `manage.py check` does."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.checks import Error, register

# What may be wrong with this installation: its settings and its machine. Our commands look at
# nothing else before they start. Django's own checks are about the code, which does not change
# from one start to the next, and load every address of the product for it.
INSTALLATION: Final = "installation"


@register(INSTALLATION)
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


@register(INSTALLATION)
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
