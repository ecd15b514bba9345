"""The log's files at /log/, for members: who may read the log reads them as C2SP serves them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from missioncontrol.accounts.gate import principal_of
from missioncontrol.accounts.policy import Action
from missioncontrol.audit import views
from missioncontrol.kernel.errors import NotPermittedError

_View = Callable[..., HttpResponse]


def answer_stranger(_request: HttpRequest) -> HttpResponse:
    """Answer who shows no token that is in force: the log is for the consortium."""
    return _text(
        "The log is for members: send 'Authorization: Bearer mc_…' (mc reads MC_TOKEN).",
        HTTPStatus.UNAUTHORIZED,
        challenge=True,
    )


def _for_members(view: _View) -> _View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            principal_of(request).require(Action.AUDIT_VIEW)
        except NotPermittedError as refusal:
            return _text(str(refusal), HTTPStatus.FORBIDDEN)
        return view(request, *args, **kwargs)

    return guarded


def _text(text: str, status: HTTPStatus, *, challenge: bool = False) -> HttpResponse:
    headers = {"WWW-Authenticate": 'Bearer realm="mission control"'} if challenge else {}
    return HttpResponse(
        f"{text}\n",
        status=status,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store", **headers},
    )


app_name = "log"

urlpatterns = [
    path("checkpoint", _for_members(views.checkpoint), name="checkpoint"),
    re_path(r"^(?P<path>tile/.+)$", _for_members(views.tile), name="tile"),
    re_path(
        r"^keys/(?P<key_id>[0-9a-f]{8})$", _for_members(views.announcement), name="announcement"
    ),
]
