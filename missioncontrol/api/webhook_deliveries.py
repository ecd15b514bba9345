"""What was sent to a webhook, and how far it is."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import WithJsonSchema

from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import Instant, Number, example
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from missioncontrol.api.webhooks import managing, webhook_for
from missioncontrol.kernel import clock
from missioncontrol.webhooks import selectors, services
from missioncontrol.webhooks.models import Delivery

router = Router(tags=["webhooks"])

DeliveryState = Annotated[
    Delivery.State, WithJsonSchema({"type": "string", "enum": Delivery.State.values})
]


class WebhookProgressOut(Schema):
    """How far a webhook is; it changes with each event, so it is no part of the webhook's ETag.

    ``after`` is the number of the last event that was looked at. ``waiting``
    deliveries are still to arrive, ``failed`` ones were given up. No attempt has
    arrived since ``failing_since`` (machine time; null: the last one did).
    """

    model_config = example(after=4711, waiting=0, failed=0, failing_since=None)

    after: int
    waiting: int
    failed: int
    failing_since: Instant | None


class DeliveryOut(Schema):
    """An event on its way to a webhook: WAITING, DELIVERED or FAILED.

    ``webhook_id`` is the header of that name. ``response_status``,
    ``response_excerpt``, ``fault`` and ``took_ms`` are of the last attempt.
    Times are those of the machine, not mission time.
    """

    model_config = example(
        id=99,
        event=4711,
        event_type="job.complete",
        webhook_id="evt_3_4711",
        state="DELIVERED",
        attempts=1,
        created_at="2026-12-01T12:00:00Z",
        last_attempt_at="2026-12-01T12:00:01Z",
        next_attempt_at=None,
        response_status=204,
        response_excerpt="",
        fault="",
        took_ms=38,
    )

    id: int
    event: int
    event_type: str
    webhook_id: str
    state: str
    attempts: int
    created_at: Instant
    last_attempt_at: Instant | None
    next_attempt_at: Instant | None
    response_status: int | None
    response_excerpt: str
    fault: str
    took_ms: int | None


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    state: DeliveryState | None = None


@router.get(
    "/webhooks/{webhook_id}/progress",
    auth=TOKEN_OR_SESSION,
    response=WebhookProgressOut,
    summary="How far a webhook is",
)
def get_webhook_progress(request: HttpRequest, webhook_id: Number) -> WebhookProgressOut:
    """Return up to which event a webhook has come, and what still waits."""
    webhook = webhook_for(principal_of(request), webhook_id)
    counts = selectors.counts_of(webhook)
    return WebhookProgressOut(
        after=webhook.position - 1,
        waiting=counts.waiting,
        failed=counts.failed,
        failing_since=webhook.failing_since,
    )


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    auth=TOKEN_OR_SESSION,
    response=Page[DeliveryOut],
    summary="What was sent to a webhook",
)
def list_deliveries(
    request: HttpRequest, webhook_id: Number, asked: Query[DeliveryQuery]
) -> Page[DeliveryOut]:
    """Return a webhook's deliveries, the newest first; finished ones are kept for 30 days."""
    webhook = webhook_for(principal_of(request), webhook_id)
    rows = selectors.deliveries_of(webhook, state=asked.state or "")
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_delivery_out(row) for row in found], next=cursor)


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    auth=TOKEN,
    response=DeliveryOut,
    summary="Send an event once more",
)
def redeliver(request: HttpRequest, webhook_id: Number, delivery_id: Number) -> DeliveryOut:
    """Send an event once more under the same ``webhook-id``, with all its attempts."""
    principal = managing(request, webhook_id)
    webhook = webhook_for(principal, webhook_id)
    try:
        found = selectors.get_delivery(webhook, delivery_id)
    except Delivery.DoesNotExist:
        raise NotFoundError(f"{webhook} has no delivery {delivery_id}.") from None
    delivery = services.redeliver(
        delivery_id=found.pk,
        actor=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    return _delivery_out(delivery)


def _delivery_out(row: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=row.pk,
        event=row.log_index,
        event_type=row.event_type,
        webhook_id=row.message_id,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        last_attempt_at=row.last_attempt_at,
        next_attempt_at=row.next_attempt_at,
        response_status=row.response_status,
        response_excerpt=row.response_excerpt,
        fault=row.fault,
        took_ms=row.took_ms,
    )
