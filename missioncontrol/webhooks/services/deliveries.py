from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import Operator
from missioncontrol.webhooks.models import Delivery, Webhook
from missioncontrol.webhooks.services.errors import WebhookRefusedError
from missioncontrol.webhooks.services.rows import locked_webhook, log

PING: Final = "webhook.ping"


@transaction.atomic
def ping_webhook(*, webhook_id: int, actor: Operator | str, at: datetime) -> Webhook:
    """Let a webhook be tried: the entry that this writes goes to it, whatever it asked for.

    Raises:
        Webhook.DoesNotExist: there is no such webhook.
        WebhookRefusedError: it is paused or disabled.
        NotPermittedError: *actor* may not manage it.
    """
    webhook = locked_webhook(webhook_id, actor)
    _require_enabled(webhook)
    log(PING, webhook, actor, at)
    return webhook


@transaction.atomic
def redeliver(
    *, delivery_id: int, actor: Operator | str, at: datetime, wall_at: datetime
) -> Delivery:
    """Send an event once more, under the same ``webhook-id``, with all its attempts.

    Raises:
        Delivery.DoesNotExist: there is no such delivery.
        WebhookRefusedError: its webhook is paused or disabled.
        NotPermittedError: *actor* may not manage the webhook.
    """
    found = Delivery.objects.get(pk=delivery_id)
    webhook = locked_webhook(found.webhook_id, actor)
    _require_enabled(webhook)
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    delivery.state = Delivery.State.WAITING
    delivery.attempts = 0
    delivery.first_attempt_at = None
    delivery.next_attempt_at = wall_at
    delivery.save(update_fields=["state", "attempts", "first_attempt_at", "next_attempt_at"])
    log("webhook.redeliver", webhook, actor, at, {"event": delivery.log_index})
    return delivery


def _require_enabled(webhook: Webhook) -> None:
    if webhook.state != Webhook.State.ENABLED:
        raise WebhookRefusedError(
            f"Nothing goes to the {webhook}, which is {webhook.state}. Enable it first."
        )
