"""The messages that deliveries send: events, signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from missioncontrol.audit.models import AuditEntry
from missioncontrol.events.event import event_of
from missioncontrol.kernel.sealing import unseal
from missioncontrol.webhooks.courier import Message
from missioncontrol.webhooks.models import Delivery, Webhook
from missioncontrol.webhooks.signature import (
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    signature,
)

SEALED_FOR: Final = "webhook"
_USER_AGENT: Final = "orbital-mission-control"


def message_id(entry: AuditEntry) -> str:
    """Return what names an event to receivers, at each attempt and for ever.

    The index alone would do for one log; with the hash it is another one in
    each, so that a receiver of two installations does not take one's for the
    other's.
    """
    return f"evt_{entry.log_index}_{bytes(entry.leaf_hash[:8]).hex()}"


def messages_of(
    webhook: Webhook, deliveries: Sequence[Delivery], *, wall_at: datetime
) -> list[Message]:
    """Return what is sent for deliveries now.

    Raises:
        SealBrokenError: the webhook's secret cannot be read.
    """
    secrets = secrets_of(webhook, wall_at=wall_at)
    timestamp_s = int(wall_at.timestamp())
    entries = {
        entry.log_index: entry
        for entry in AuditEntry.objects.filter(
            log_index__in=[delivery.log_index for delivery in deliveries]
        )
    }
    messages = []
    for delivery in deliveries:
        body = event_of(entries[delivery.log_index]).text.encode()
        signatures = [
            signature(secret, message_id=delivery.message_id, timestamp_s=timestamp_s, body=body)
            for secret in secrets
        ]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            ID_HEADER: delivery.message_id,
            TIMESTAMP_HEADER: str(timestamp_s),
            SIGNATURE_HEADER: " ".join(signatures),
        }
        messages.append(Message(headers=headers, body=body))
    return messages


def secrets_of(webhook: Webhook, *, wall_at: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first.

    Raises:
        SealBrokenError: one cannot be read.
    """
    sealed = [webhook.sealed_secret]
    until = webhook.previous_secret_until
    if until is not None and wall_at < until:
        sealed.append(webhook.sealed_previous_secret)
    return [unseal(each, purpose=SEALED_FOR) for each in sealed]
