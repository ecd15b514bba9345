"""The error pages. Drawn without the frame of the others, which may be what failed."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say which right was missing; who has none at all can still sign out."""
    context = {"reason": str(exception or "")}
    return HttpResponse(render_to_string("console/403.html", context, request), status=403)


def not_found(_request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that nothing is at this address."""
    return HttpResponse(render_to_string("console/404.html"), status=404)


def fault(_request: HttpRequest) -> HttpResponse:
    """Say that the console failed, or that its database is away; the journal has the details."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        page = render_to_string("console/503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": "5"})
    return HttpResponse(render_to_string("console/500.html"), status=500)
