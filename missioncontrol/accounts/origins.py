"""From which sites a browser may open a websocket here."""

from __future__ import annotations

from typing import Any
from urllib.parse import ParseResult

from channels.security.websocket import OriginValidator
from django.conf import settings


class OriginsOfOurs(OriginValidator):  # type: ignore[misc]  # not typed
    """Lets pages of our own hosts open websockets, and programs.

    A browser always says which page it is that asks; the check is against
    another site that would use a visitor's cookies. Who says nothing is no
    browser and has no cookies of anybody: it shows a ticket, as everybody must.
    """

    def __init__(self, application: Any) -> None:
        super().__init__(application, settings.ALLOWED_HOSTS)

    def valid_origin(self, parsed_origin: ParseResult | None) -> bool:
        return parsed_origin is None or bool(super().valid_origin(parsed_origin))
