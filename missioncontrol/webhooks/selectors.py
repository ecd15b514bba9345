from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from missioncontrol.accounts.models import Organisation
from missioncontrol.webhooks.models import Delivery, Webhook


def webhooks_of(organisations: Iterable[Organisation]) -> QuerySet[Webhook]:
    """Return the webhooks of organisations, oldest first.

    Each tells how many of its deliveries wait (``waiting``) and how many were
    given up (``failed``).
    """
    return (
        Webhook.objects.filter(organisation__in=organisations)
        .select_related("organisation")
        .annotate(
            waiting=Count("deliveries", filter=Q(deliveries__state=Delivery.State.WAITING)),
            failed=Count("deliveries", filter=Q(deliveries__state=Delivery.State.FAILED)),
        )
    )


def get_webhook(webhook_id: int, *, of: Iterable[Organisation]) -> Webhook:
    """Return one webhook, as ``webhooks_of`` does.

    Raises:
        Webhook.DoesNotExist: these organisations have none of that number.
    """
    return webhooks_of(of).get(pk=webhook_id)


def deliveries_of(webhook: Webhook, *, state: str = "") -> QuerySet[Delivery]:
    """Return a webhook's deliveries, the newest first; in one state or, without, in any.

    Finished ones are kept for a while (``outbox.KEPT``); the events themselves
    stand in the log for ever.
    """
    rows = Delivery.objects.filter(webhook=webhook)
    return rows.filter(state=state) if state else rows


def get_delivery(webhook: Webhook, delivery_id: int) -> Delivery:
    """Return one delivery of a webhook.

    Raises:
        Delivery.DoesNotExist: it has none of that number.
    """
    return deliveries_of(webhook).get(pk=delivery_id)


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many deliveries of a webhook wait, and how many were given up."""

    waiting: int
    failed: int


def counts_of(webhook: Webhook) -> DeliveryCounts:
    """Return the counts that ``webhooks_of`` and ``get_webhook`` put beside a webhook."""
    return DeliveryCounts(waiting=webhook.waiting, failed=webhook.failed)  # type: ignore[attr-defined]  # annotated
