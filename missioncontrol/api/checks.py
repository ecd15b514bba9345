"""What every request to the API passes, before its operation and after it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from missioncontrol.accounts.gate import principal_of
from missioncontrol.api.authentication import SAFE_METHODS, too_many_requests
from missioncontrol.api.problems import problem
from missioncontrol.api.rate_limits import Spent, quotas_of, spend
from uplink.jobs.programs import MAX_INPUT_OCTETS

# Base64 makes four characters of three octets; a job's other fields are short.
MAX_BODY_OCTETS: Final = MAX_INPUT_OCTETS * 4 // 3 + 64 * 1024

_View = Callable[..., Any]


def checked(view: _View, api: NinjaAPI) -> _View:
    """Return *view* behind the checks: how often one may ask, and the form of the body."""
    if inspect.iscoroutinefunction(view):
        return _checked_async(view, api)

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spent = spend(quotas_of(principal_of(request)))
        try:
            response = _refusal(request, spent) or view(request, *args, **kwargs)
        except Exception as error:  # an operation's own are answered inside
            response = api.on_exception(request, error)
        return _finished(request, response, spent)

    return guarded


def _checked_async(view: Callable[..., Awaitable[HttpResponse]], api: NinjaAPI) -> _View:
    """Return *view*, which only reads: a live stream."""

    @functools.wraps(view)
    async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        spent = await sync_to_async(spend)(quotas_of(principal_of(request)))
        try:
            response = _refusal(request, spent) or await view(request, *args, **kwargs)
        except Exception as error:
            response = api.on_exception(request, error)
        return _finished(request, response, spent)

    return guarded


def _refusal(request: HttpRequest, spent: Spent | None) -> HttpResponse | None:
    """Return why the request goes no further, if it does not."""
    if spent is not None and spent.exceeded is not None:
        who = f"This {spent.exceeded.quota.policy} has asked"
        return too_many_requests(request, spent.exceeded, who)
    return _refused_body(request)


def _finished(request: HttpRequest, response: HttpResponse, spent: Spent | None) -> HttpResponse:
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = ", ".join(sorted(response["Allow"].split(", ")))
        response = problem(
            request,
            HTTPStatus.METHOD_NOT_ALLOWED,
            "wrong-method",
            f"{request.path} cannot be asked with {request.method}; it takes {methods}.",
            headers={"Allow": methods},
        )
    for name, value in (spent.headers if spent is not None else {}).items():
        response[name] = value
    # What a member reads here is for its eyes: no cache on the way keeps it.
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _refused_body(request: HttpRequest) -> HttpResponse | None:
    """Refuse a body that is too long before it is read, and one that is no JSON by its name."""
    if "Transfer-Encoding" in request.headers:
        return problem(
            request,
            HTTPStatus.LENGTH_REQUIRED,
            "length-required",
            "Send the body in one piece with its Content-Length.",
        )
    length = request.headers.get("Content-Length") or "0"
    octets = int(length) if length.isdigit() else 0
    if octets > MAX_BODY_OCTETS:
        return problem(
            request,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too-large",
            f"The body has {length} octets; the limit is {MAX_BODY_OCTETS}, which holds the "
            f"largest job input ({MAX_INPUT_OCTETS} octets) in base64.",
        )
    reads = request.method in SAFE_METHODS  # a body means nothing then
    if octets and not reads and request.content_type != "application/json":
        return problem(
            request,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            f"The body is said to be {request.content_type or 'of no type'}; send JSON, with "
            "Content-Type: application/json.",
            headers={"Accept": "application/json"},
        )
    return None
