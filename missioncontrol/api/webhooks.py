"""Webhooks: events that are sent to an address of yours, signed, until they have arrived."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, permitted, principal_of
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import Instant, JsonObject, Number, Sent, Text, example
from missioncontrol.api.paging import Page, PageQuery, oldest_first
from missioncontrol.api.problems import InvalidInputError, NotFoundError, invalid
from missioncontrol.events.event_types import MAX_LENGTH as TYPE_LENGTH
from missioncontrol.events.event_types import MAX_PATTERNS, EventTypesError
from missioncontrol.kernel import clock
from missioncontrol.webhooks import selectors, services
from missioncontrol.webhooks.endpoint import MAX_LENGTH as URL_LENGTH
from missioncontrol.webhooks.endpoint import EndpointError
from missioncontrol.webhooks.models import Webhook

router = Router(tags=["webhooks"])

Name = Annotated[Text, Field(min_length=1, max_length=80)]
Url = Annotated[str, Field(max_length=URL_LENGTH)]
Types = Annotated[
    list[Annotated[str, Field(max_length=TYPE_LENGTH)]],
    Field(min_length=1, max_length=MAX_PATTERNS, examples=[["job.*", "contact.book"]]),
]


_WEBHOOK: Final[JsonObject] = {
    "id": 3,
    "organisation": "ai-laboratory-1",
    "name": "results",
    "url": "https://pipeline.ai-laboratory-1.example/hooks",
    "types": ["job.*"],
    "state": "ENABLED",
    "disabled_reason": "",
    "previous_secret_until": None,
    "created_at": "2026-12-01T12:00:00Z",
}


class WebhookState(StrEnum):
    """What its organisation lets a webhook be."""

    ENABLED = "ENABLED"
    PAUSED = "PAUSED"


class WebhookIn(Sent):
    """Where events go, and which: types as ``job.complete``, ``job.*`` or ``*``."""

    model_config = example(**{name: _WEBHOOK[name] for name in ("name", "url", "types")})

    name: Name
    url: Url
    types: Types


class WebhookPatch(Sent):
    """What is to be another one. Nothing is lost while a webhook is paused."""

    name: Name | None = None
    url: Url | None = None
    types: Types | None = None
    state: WebhookState | None = None


class WebhookOut(Schema):
    """A webhook; ``state`` is ENABLED, PAUSED (by you) or DISABLED (by us).

    Times are those of the machine, not mission time.
    """

    model_config = example(**_WEBHOOK)

    id: int
    organisation: str
    name: str
    url: str
    types: list[str]
    state: str
    disabled_reason: str
    previous_secret_until: Instant | None
    created_at: Instant


class WebhookWithSecretOut(WebhookOut):
    """A webhook and its secret, which is shown only now."""

    model_config = example(**_WEBHOOK, secret="whsec_…")  # noqa: S106  # an example

    secret: str


@router.get("/webhooks", auth=TOKEN_OR_SESSION, response=Page[WebhookOut], summary="Webhooks")
def list_webhooks(request: HttpRequest, asked: Query[PageQuery]) -> Page[WebhookOut]:
    """Return the webhooks of your organisation, oldest first."""
    principal = principal_of(request)
    principal.require(Action.WEBHOOK_VIEW)
    rows = selectors.webhooks_of(principal.organisations_with(Action.WEBHOOK_VIEW))
    found, cursor = oldest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[WebhookOut(**_fields(row)) for row in found], next=cursor)


@router.post(
    "/webhooks", auth=TOKEN, response={201: WebhookWithSecretOut}, summary="Make a webhook"
)
def create_webhook(
    request: HttpRequest, response: HttpResponse, asked: WebhookIn
) -> WebhookWithSecretOut:
    """Have events of the token's organisation sent to an address, from now on.

    Who operates the mission gets those of all. The secret is shown only now;
    check each message with it.
    """
    principal = principal_of(request)
    assert principal.token is not None  # this takes one
    organisation = principal.token.organisation
    permitted(request, Action.WEBHOOK_MANAGE, organisation)
    try:
        webhook, secret = services.create_webhook(
            organisation=organisation,
            name=asked.name,
            url=asked.url,
            types=asked.types,
            actor=principal.operator,
            at=clock.now(),
            wall_at=clock.wall_now(),
        )
    except services.WebhookRefusedError as refusal:
        raise _wrong_field(refusal, asked) or refusal from refusal
    response["Location"] = f"{request.path}/{webhook.pk}"
    return WebhookWithSecretOut(**_fields(webhook_for(principal, webhook.pk)), secret=secret)


@router.get(
    "/webhooks/{webhook_id}",
    auth=TOKEN_OR_SESSION,
    response=WebhookOut,
    summary="One webhook",
    openapi_extra=READ,
)
def get_webhook(request: HttpRequest, response: HttpResponse, webhook_id: Number) -> WebhookOut:
    """Return one webhook."""
    return tagged(
        request, response, WebhookOut(**_fields(webhook_for(principal_of(request), webhook_id)))
    )


@router.patch(
    "/webhooks/{webhook_id}",
    auth=TOKEN,
    response=WebhookOut,
    summary="Change a webhook",
    openapi_extra=CHANGE,
)
def change_webhook(
    request: HttpRequest, response: HttpResponse, webhook_id: Number, asked: WebhookPatch
) -> WebhookOut:
    """Change what is given. Enabled again, a webhook goes on where it stopped."""
    principal = managing(request, webhook_id)

    def show() -> WebhookOut:
        return WebhookOut(**_fields(webhook_for(principal, webhook_id)))

    try:
        with unchanged(request, Webhook.objects.filter(pk=webhook_id), show):
            services.change_webhook(
                webhook_id=webhook_id,
                changes=services.Changes(**asked.model_dump()),
                actor=principal.operator,
                at=clock.now(),
                wall_at=clock.wall_now(),
            )
    except services.WebhookRefusedError as refusal:
        raise _wrong_field(refusal, asked) or refusal from refusal
    return tagged(request, response, show())


@router.delete(
    "/webhooks/{webhook_id}", auth=TOKEN, response={204: None}, summary="Delete a webhook"
)
def delete_webhook(request: HttpRequest, webhook_id: Number) -> Status[None]:
    """Send nothing there any more, also not what waits, and forget its deliveries."""
    principal = managing(request, webhook_id)
    services.delete_webhook(webhook_id=webhook_id, actor=principal.operator, at=clock.now())
    return Status(204, None)


@router.post(
    "/webhooks/{webhook_id}/rotate-secret",
    auth=TOKEN,
    response=WebhookWithSecretOut,
    summary="Give a webhook a new secret",
)
def rotate_webhook_secret(request: HttpRequest, webhook_id: Number) -> WebhookWithSecretOut:
    """Return a new secret. For 24 hours the old one signs too: messages have two signatures."""
    principal = managing(request, webhook_id)
    _, secret = services.rotate_secret(
        webhook_id=webhook_id,
        actor=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    return WebhookWithSecretOut(**_fields(webhook_for(principal, webhook_id)), secret=secret)


@router.post(
    "/webhooks/{webhook_id}/ping",
    auth=TOKEN,
    response=WebhookOut,
    summary="Try a webhook",
)
def ping_webhook(request: HttpRequest, webhook_id: Number) -> WebhookOut:
    """Write the event ``webhook.ping``, which goes to this webhook whatever it asked for.

    It is delivered like any other; the deliveries show what came of it.
    """
    principal = managing(request, webhook_id)
    services.ping_webhook(webhook_id=webhook_id, actor=principal.operator, at=clock.now())
    return WebhookOut(**_fields(webhook_for(principal, webhook_id)))


def managing(request: HttpRequest, webhook_id: int) -> Principal:
    """Return who asks, who may manage the webhook and has just proved who they are."""
    webhook = webhook_for(principal_of(request), webhook_id, Action.WEBHOOK_MANAGE)
    return permitted(request, Action.WEBHOOK_MANAGE, webhook.organisation)


def webhook_for(
    principal: Principal, webhook_id: int, action: Action = Action.WEBHOOK_VIEW
) -> Webhook:
    """Return a webhook; another member's is answered like one that does not exist."""
    principal.require(action)
    try:
        return selectors.get_webhook(webhook_id, of=principal.organisations_with(action))
    except Webhook.DoesNotExist:
        raise NotFoundError(
            f"There is no webhook {webhook_id}, or it is another member's."
        ) from None


def _wrong_field(
    refusal: services.WebhookRefusedError, asked: WebhookIn | WebhookPatch
) -> InvalidInputError | None:
    """Return which field the refusal is about; None: it is about something else."""
    if isinstance(refusal.__cause__, EndpointError):
        return invalid("body.url", asked.url, str(refusal))
    if isinstance(refusal.__cause__, EventTypesError):
        return invalid("body.types", asked.types, str(refusal))
    return None


def _fields(row: Webhook) -> JsonObject:
    return {
        "id": row.pk,
        "organisation": row.organisation.slug,
        "name": row.name,
        "url": row.url,
        "types": row.types,
        "state": row.state,
        "disabled_reason": row.disabled_reason,
        "previous_secret_until": row.previous_secret_until,
        "created_at": row.created_at,
    }
