"""Answers to requests that no operation of the API gets to see, in the API's form."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from missioncontrol.api.problems import failed, problem, unavailable


@csrf_exempt  # it does nothing
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Answer at an address beside the API, e.g. of a version that there is not."""
    return problem(
        request,
        HTTPStatus.NOT_FOUND,
        "not-found",
        f"There is nothing at {request.path}; the API is at /api/v1/.",
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that is not even one to this host."""
    return problem(request, HTTPStatus.BAD_REQUEST, "bad-request", str(exception))


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what was refused before it got to an operation."""
    return problem(request, HTTPStatus.FORBIDDEN, "not-permitted", str(exception or ""))


def fault(request: HttpRequest) -> HttpResponse:
    """Answer where the product failed before it got to an operation."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return unavailable(request, error)
    return failed(request)
