"""What the API answers when it does not do what was asked (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from missioncontrol.accounts.principals import ConfirmationNeededError
from missioncontrol.kernel.errors import NotPermittedError, RefusedError

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_URN: Final = "urn:problem-type:mission-control:"
_SHOWN: Final = 120  # characters of a wrong value
_Raised = Exception | type[Exception]  # as NinjaAPI types what a handler gets


class FieldError(Schema):
    """One wrong field of a request."""

    field: str
    value: str
    allowed: str


class Problem(Schema):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] = Field(default=[])


class NotFoundError(Exception):
    """There is no such thing, or it is none of the asker's business."""


class InvalidInputError(Exception):
    """Fields that only the product's rows could check; all the wrong ones."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{error.field}: {error.allowed}" for error in errors))


class NotSignedInError(Exception):
    """The request shows no token that is in force."""


def invalid(field: str, value: object, allowed: str) -> InvalidInputError:
    """Return the error for one wrong field, to be raised."""
    return InvalidInputError([FieldError(field=field, value=shown(value), allowed=allowed)])


def shown(value: object) -> str:
    """Return *value* short enough for a problem document."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def problem(
    request: HttpRequest,
    status: HTTPStatus,
    kind: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return a problem document.

    Args:
        request: What was asked; its path is the ``instance``.
        status: HTTP status.
        kind: Last part of the problem's type, e.g. ``refused``.
        detail: What is wrong with this request and what to do.
        errors: The wrong fields.
        headers: More header fields.
    """
    document = Problem(
        type=f"{_URN}{kind}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=request.path,
        errors=list(errors),
    ).model_dump()
    if not errors:
        del document["errors"]
    return HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status=status.value,
        content_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def answer_stranger(request: HttpRequest) -> HttpResponse:
    """Answer who shows no token or one that is not in force, at any address of the API."""
    shown = request.headers.get("Authorization", "")
    detail = (
        "This token is unknown, expired or revoked; an administrator of your organisation makes "
        "one in the console, or manage.py create_token."
        if shown.lower().startswith("bearer ")
        else ""
    )
    return _not_signed_in(request, NotSignedInError(detail))


def add_problem_handlers(api: NinjaAPI) -> None:
    """Let *api* answer every refusal with a problem document."""
    api.add_exception_handler(NotSignedInError, _not_signed_in)
    api.add_exception_handler(AuthenticationError, _not_signed_in)
    api.add_exception_handler(NotPermittedError, _not_permitted)
    api.add_exception_handler(ConfirmationNeededError, _confirmation_needed)
    api.add_exception_handler(NotFoundError, _not_found)
    api.add_exception_handler(Http404, _not_found)
    api.add_exception_handler(RefusedError, _refused)
    api.add_exception_handler(InvalidInputError, _invalid_input)
    api.add_exception_handler(ValidationError, _invalid_form)
    api.add_exception_handler(RequestDataTooBig, _too_large)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Exception, _failed)


def _not_signed_in(request: HttpRequest, error: _Raised) -> HttpResponse:
    detail = str(error) if isinstance(error, NotSignedInError) else ""
    return problem(
        request,
        HTTPStatus.UNAUTHORIZED,
        "not-signed-in",
        detail
        or "Send a token with the request: 'Authorization: Bearer mc_…'. "
        "manage.py create_token makes one.",
        headers={
            "WWW-Authenticate": 'Bearer realm="mission control"',
            "Cache-Control": "private, no-store",
        },
    )


def _not_permitted(request: HttpRequest, error: _Raised) -> HttpResponse:
    return problem(request, HTTPStatus.FORBIDDEN, "not-permitted", str(error))


def _confirmation_needed(request: HttpRequest, error: _Raised) -> HttpResponse:
    return problem(request, HTTPStatus.FORBIDDEN, "confirmation-needed", str(error))


def _not_found(request: HttpRequest, error: _Raised) -> HttpResponse:
    detail = str(error) if isinstance(error, NotFoundError) else ""
    return problem(
        request,
        HTTPStatus.NOT_FOUND,
        "not-found",
        detail or f"There is nothing at {request.path}.",
    )


def _refused(request: HttpRequest, error: _Raised) -> HttpResponse:
    return problem(request, HTTPStatus.CONFLICT, "refused", str(error))


def _invalid_input(request: HttpRequest, error: _Raised) -> HttpResponse:
    assert isinstance(error, InvalidInputError)
    return _invalid(request, error.errors)


def _invalid_form(request: HttpRequest, error: _Raised) -> HttpResponse:
    assert isinstance(error, ValidationError)
    return _invalid(request, [_field_error(item) for item in error.errors])


def _invalid(request: HttpRequest, errors: Sequence[FieldError]) -> HttpResponse:
    fields = ", ".join(error.field for error in errors)
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-input",
        f"Nothing was done: {fields} cannot be as given; 'errors' says what is allowed.",
        errors=errors,
    )


def _field_error(item: Mapping[str, Any]) -> FieldError:
    allowed = str(item["msg"]).removeprefix("Value error, ")
    value = "missing" if item["type"] == "missing" else shown(item.get("input"))
    return FieldError(field=".".join(map(str, item["loc"])), value=value, allowed=allowed)


def _too_large(request: HttpRequest, error: _Raised) -> HttpResponse:
    return problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", str(error))


def _http_error(request: HttpRequest, error: _Raised) -> HttpResponse:
    assert isinstance(error, HttpError)
    status = HTTPStatus(error.status_code)
    detail = error.message
    if status == HTTPStatus.BAD_REQUEST:
        detail = f"The body is no JSON in UTF-8: {error.__cause__ or error.message}."
    return problem(request, status, "bad-request", detail)


def _failed(request: HttpRequest, error: _Raised) -> HttpResponse:
    assert isinstance(error, Exception)
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "failed",
        "The product failed at this; its log of this moment says why. Trying again is safe for "
        "GET, and for POST /jobs with the same Idempotency-Key.",
    )
