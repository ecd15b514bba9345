"""The API: one object with all operations, at /api/v1/."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI, Router
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from missioncontrol.api import (
    contacts,
    jobs,
    log,
    mission,
    telecommands,
    telemetry,
    telemetry_history,
)
from missioncontrol.api.authentication import TOKEN_OR_SESSION
from missioncontrol.api.openapi import add_problems
from missioncontrol.api.problems import NotFoundError, add_problem_handlers, problem
from uplink.jobs.programs import MAX_INPUT_OCTETS

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_View = Callable[..., HttpResponse]


class MissionApi(NinjaAPI):
    """A NinjaAPI whose every answer of a refusal is a problem document."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """Return the routes, each behind the checks that come before an operation."""
        routes, app_name, namespace = super().urls
        for route in routes:
            if isinstance(route, URLPattern):
                route.callback = _checked(route.callback)
        return routes, app_name, namespace

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the name that generated clients give to the operation."""
        name: str = operation.view_func.__name__
        return name

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI document, with what an operation answers when it refuses."""
        return add_problems(super().get_openapi_schema(**options))

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """Return all wrong fields with the values that were given."""
        errors: list[dict[str, Any]] = []
        for context in error_contexts:
            model = context.model
            for error in context.pydantic_validation_error.errors(include_url=False):
                place = model.__ninja_flatten_map_reverse__.get(error["loc"], error["loc"])
                errors.append({**error, "loc": (model.__ninja_param_source__, *_short(place))})
        return ValidationError(errors)


def _short(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Leave out the name of the operation's own argument: a client never sees it."""
    return place[1:] if place[:1] == ("asked",) else place


def _checked(view: _View) -> _View:
    """Refuse what is too long before it is read, and answer a wrong method in our form."""

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        refusal = _refused_body(request)
        if refusal is not None:
            return refusal
        try:
            response = view(request, *args, **kwargs)
        except Http404 as error:  # the API's root, which is no operation
            return api.on_exception(request, error)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response = problem(
                request,
                HTTPStatus.METHOD_NOT_ALLOWED,
                "wrong-method",
                f"{request.path} cannot be asked with {request.method}; "
                f"it takes {response['Allow']}.",
                headers={"Allow": response["Allow"]},
            )
        # What a member reads here is for its eyes: no cache on the way keeps it.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return checked


def _refused_body(request: HttpRequest) -> HttpResponse | None:
    length = request.headers.get("Content-Length") or "0"
    if "Transfer-Encoding" in request.headers:
        return problem(
            request,
            HTTPStatus.LENGTH_REQUIRED,
            "length-required",
            "Send the body in one piece with its Content-Length.",
        )
    if not length.isdigit() or int(length) <= jobs.MAX_BODY_OCTETS:
        return None
    return problem(
        request,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"The body has {length} octets; the limit is {jobs.MAX_BODY_OCTETS}, which holds the "
        f"largest job input ({MAX_INPUT_OCTETS} octets) in base64.",
    )


api = MissionApi(
    title="Mission control",
    version="1",
    description=(
        "Passes, telemetry, telecommands, compute jobs and the consortium log of an orbital data "
        "centre. Times are mission time in UTC (ISO 8601, ending in Z). Lists come in pages: "
        "give `next` as `cursor`. Refusals are problem documents (RFC 9457)."
    ),
    docs_url=None,
    urls_namespace="api",
)
add_problem_handlers(api)
elsewhere = Router(auth=TOKEN_OR_SESSION)


@elsewhere.api_operation(_METHODS, "/{path:address}", include_in_schema=False)
def nothing_here(request: HttpRequest, address: str) -> None:
    """Answer what no operation is at; also there a stranger learns nothing."""
    raise NotFoundError(f"There is nothing at {request.path}; docs/api.md lists what there is.")


for _router in (
    mission.router,
    contacts.router,
    telemetry_history.router,  # before the history of one, whose name may be a path
    telemetry.router,
    telecommands.router,
    jobs.router,
    log.router,
    elsewhere,  # last, so that every other address comes first
):
    api.add_router("", _router)
