from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views import defaults

from missioncontrol.api import outside
from missioncontrol.api.application import api
from missioncontrol.api.calendar_files import calendar
from missioncontrol.console.views import errors

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("missioncontrol.console.urls")),
    path("", include("missioncontrol.console.account_urls")),
    path("api/v1/", api.urls),
    re_path("^api(?:/|$)", outside.nothing_here),
    path("log/", include("missioncontrol.api.log_files")),
    path("calendars/<slug:secret>.ics", calendar, name="calendar"),
]

_Answer = Callable[..., HttpResponse]


def _by_address(for_api: _Answer, for_console: _Answer) -> _Answer:
    """Return what answers an error in the form that its address speaks."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        chosen = for_api if request.path.startswith("/api/") else for_console
        return chosen(request, *args, **kwargs)

    return answer


handler400 = _by_address(outside.bad_request, defaults.bad_request)
handler403 = _by_address(outside.not_allowed, errors.not_allowed)
handler404 = errors.not_found
handler500 = _by_address(outside.fault, errors.fault)
