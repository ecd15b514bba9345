"""Requests to the API that come without TLS where the mission is served over it.

A page is led to its secure address. A pipeline is not: its token has been sent in
clear by then, and a redirect that it follows would let nobody notice.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from missioncontrol.api.problems import problem

_API: Final = "/api/"  # as SECURE_REDIRECT_EXEMPT has it


class PlainHttpRefusal:
    """Middleware: it stands before all that would look at a token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.SECURE_SSL_REDIRECT
            and request.path.startswith(_API)
            and not request.is_secure()
        ):
            return problem(
                request,
                HTTPStatus.FORBIDDEN,
                "https-needed",
                "The API is reached over https:// only. A token that was sent with this request "
                "has crossed the network in clear: revoke it and make another.",
            )
        return self._get_response(request)
