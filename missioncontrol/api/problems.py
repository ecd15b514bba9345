"""What the API answers when it does not do what was asked (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from missioncontrol.accounts.principals import ConfirmationNeededError
from missioncontrol.kernel.errors import NotPermittedError, RefusedError
from telemetry.archive import ArchiveUnavailableError

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
    violated_policies: list[str] = Field(
        default=[], alias="violated-policies", description="of a 429: see RateLimit-Policy"
    )


class NotFoundError(Exception):
    """There is no such thing, or it is none of the asker's business."""


class InvalidInputError(Exception):
    """Fields that only the product's rows could check; all the wrong ones."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{error.field}: {error.allowed}" for error in errors))


class NotSignedInError(Exception):
    """The request shows no token that is in force."""


class NotModifiedError(Exception):
    """The client has what it asks for; it is told so instead of being sent it again."""

    def __init__(self, etag: str) -> None:
        self.etag = etag
        super().__init__(etag)


class PreconditionFailedError(Exception):
    """What was asked to be changed is no longer what the client has seen."""


class PreconditionRequiredError(Exception):
    """The client must say which state of the thing it has seen."""


def invalid(field: str, value: object, allowed: str) -> InvalidInputError:
    """Return the error for one wrong field, to be raised."""
    return InvalidInputError([FieldError(field=field, value=shown(value), allowed=allowed)])


def shown(value: object) -> str:
    """Return *value* short enough for a problem document."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def type_of(kind: str) -> str:
    """Return the type (a URI) of problems of this kind."""
    return f"{_URN}{kind}"


def problem(
    request: HttpRequest,
    status: HTTPStatus,
    kind: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    violated_policies: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return a problem document.

    Args:
        request: What was asked; its path is the ``instance``.
        status: HTTP status.
        kind: Last part of the problem's type, e.g. ``refused``.
        detail: What is wrong with this request and what to do.
        errors: The wrong fields.
        violated_policies: The quotas that the request exceeds.
        headers: More header fields.
    """
    document = Problem(
        type=type_of(kind),
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=request.path,
        errors=list(errors),
        **{"violated-policies": list(violated_policies)},
    ).model_dump(by_alias=True, exclude_defaults=True)
    return HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status=status.value,
        content_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def not_signed_in(request: HttpRequest, detail: str = "") -> HttpResponse:
    """Return the answer to who shows no token that is in force."""
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
    api.add_exception_handler(NotModifiedError, _not_modified)
    api.add_exception_handler(PreconditionFailedError, _precondition_failed)
    api.add_exception_handler(PreconditionRequiredError, _precondition_required)
    api.add_exception_handler(OperationalError, unavailable)
    api.add_exception_handler(InterfaceError, unavailable)
    api.add_exception_handler(ArchiveUnavailableError, _history_away)
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
    return invalid_input(request, error.errors)


def _invalid_form(request: HttpRequest, error: _Raised) -> HttpResponse:
    assert isinstance(error, ValidationError)
    return invalid_input(request, [_field_error(item) for item in error.errors])


def invalid_input(request: HttpRequest, errors: Sequence[FieldError]) -> HttpResponse:
    """Return the answer to a request with wrong fields."""
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


def _not_modified(_request: HttpRequest, error: _Raised) -> HttpResponse:
    assert isinstance(error, NotModifiedError)
    response = HttpResponse(status=HTTPStatus.NOT_MODIFIED.value, headers={"ETag": error.etag})
    del response["Content-Type"]  # nothing is sent
    return response


def _precondition_failed(request: HttpRequest, error: _Raised) -> HttpResponse:
    return problem(request, HTTPStatus.PRECONDITION_FAILED, "precondition-failed", str(error))


def _precondition_required(request: HttpRequest, error: _Raised) -> HttpResponse:
    return problem(request, HTTPStatus.PRECONDITION_REQUIRED, "precondition-required", str(error))


def unavailable(request: HttpRequest, error: _Raised) -> HttpResponse:
    """Return the answer while the database is away or busy."""
    logger.warning("%s %s: the database is away or busy: %s", request.method, request.path, error)
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "The database is away or busy; nothing was done. Ask again in a moment.",
        headers={"Retry-After": "5"},
    )


def _history_away(request: HttpRequest, error: _Raised) -> HttpResponse:
    logger.warning("%s %s: %s", request.method, request.path, error)
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "history-away",
        "The history of values cannot be had now; newest values and packets can. Ask again in a "
        "moment.",
        headers={"Retry-After": "5"},
    )


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
    return failed(request)


def failed(request: HttpRequest) -> HttpResponse:
    """Return the answer where the product is at fault."""
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "failed",
        "The product failed at this; its log of this moment says why. Asking again is safe for "
        "GET, and for everything else with the same Idempotency-Key.",
    )
