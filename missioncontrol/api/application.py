"""The API: one object with all operations, at /api/v1/."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI, Router
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from missioncontrol.api import (
    accounts,
    alarms,
    bad_frames,
    calendar_feeds,
    contact_parts,
    contact_requests,
    contacts,
    events,
    jobs,
    log,
    mission,
    operations,
    organisations,
    outages,
    own_account,
    plan_parts,
    plans,
    processes,
    received_packets,
    reservations,
    telecommands,
    telemetry,
    telemetry_history,
    telemetry_stream,
    tokens,
    transfers,
    webhook_deliveries,
    webhooks,
    witnesses,
)
from missioncontrol.api.authentication import TOKEN_OR_SESSION
from missioncontrol.api.checks import checked
from missioncontrol.api.idempotency import once
from missioncontrol.api.openapi import completed
from missioncontrol.api.problems import NotFoundError, add_problem_handlers

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]

_TAGS: Final = {
    "own account": "Who asks, and what it may do.",
    "organisations": "The members of the consortium, and how their people sign in.",
    "accounts": "People and service accounts of an organisation, and their roles.",
    "tokens": "What pipelines work with.",
    "mission": "The clock, spacecraft, stations and processes.",
    "operations": "Long work: asked for, followed, cancelled.",
    "contacts": "When stations can see the spacecraft; passes booked and flown.",
    "planning": "Contacts asked for, outages, reservations, plans, calendars.",
    "telemetry": "Values, their history, and what could not be used.",
    "alarms": "Parameters that left their limits.",
    "telecommands": "Asked for by one person, approved by another, followed on board.",
    "jobs": "Programs on board, their inputs and results.",
    "transfers": "Files on their way.",
    "events": "What happens, as it happens.",
    "webhooks": "Events sent to an address of yours, signed, until they have arrived.",
    "consortium log": "What was done, by whom, and the proof of it.",
}


class MissionApi(NinjaAPI):
    """A NinjaAPI whose every answer of a refusal is a problem document."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._schemas: dict[str, OpenAPISchema] = {}

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """Return the routes, each behind the checks that come before an operation."""
        routes, app_name, namespace = super().urls
        for route in routes:
            if isinstance(route, URLPattern):
                route.callback = checked(route.callback, self)
        return routes, app_name, namespace

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the name that generated clients give to the operation."""
        name: str = operation.view_func.__name__
        return name

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI document, with what an operation answers when it refuses.

        It takes half a second to make and does not change while the process lives.
        """
        key = repr(sorted(options.items()))
        if key not in self._schemas:
            self._schemas[key] = completed(super().get_openapi_schema(**options))
        return self._schemas[key]

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


api = MissionApi(
    title="Mission control",
    version="1",
    description=(
        "Passes, telemetry, telecommands, compute jobs and the consortium log of an orbital data "
        "centre. Times are mission time in UTC (ISO 8601, ending in Z). Lists come in pages: "
        "give `next` as `cursor`. Refusals are problem documents (RFC 9457)."
    ),
    docs_url=None,
    openapi_extra={"tags": [{"name": name, "description": text} for name, text in _TAGS.items()]},
    urls_namespace="api",
)
add_problem_handlers(api)
api.add_decorator(once, mode="view")
elsewhere = Router(auth=TOKEN_OR_SESSION)


@elsewhere.api_operation(_METHODS, "/{path:address}", include_in_schema=False)
def nothing_here(request: HttpRequest, address: str) -> None:
    """Answer what no operation is at; also there a stranger learns nothing."""
    raise NotFoundError(f"There is nothing at {request.path}; docs/api.md lists what there is.")


for _router in (
    own_account.router,
    organisations.router,
    accounts.router,
    tokens.router,
    mission.router,
    processes.router,
    operations.router,
    contacts.router,
    contact_parts.router,
    contact_requests.router,
    outages.router,
    reservations.router,
    plans.router,
    plan_parts.router,
    calendar_feeds.router,
    telemetry_stream.router,  # its address is one of a parameter's history too
    telemetry_history.router,  # before the history of one, whose name may be a path
    telemetry.router,
    bad_frames.router,
    received_packets.router,
    alarms.router,
    telecommands.router,
    jobs.router,
    transfers.router,
    log.router,
    witnesses.router,
    events.router,
    webhooks.router,
    webhook_deliveries.router,
    elsewhere,  # last, so that every other address comes first
):
    api.add_router("", _router)
