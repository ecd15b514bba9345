"""The message that a delivery sends: an event, signed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors import get_entry
from missioncontrol.events.event import event_of
from missioncontrol.kernel.sealing import unseal
from missioncontrol.webhooks.courier import Message
from missioncontrol.webhooks.endpoint import parse_endpoint
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


def message_of(
    delivery: Delivery, *, allowed_hosts: Collection[str], wall_at: datetime
) -> Message:
    """Return what an attempt sends now.

    Raises:
        EndpointError: the webhook's address is none that messages may go to.
        SealBrokenError: its secret cannot be read.
    """
    webhook = delivery.webhook
    endpoint = parse_endpoint(webhook.url, allowed_hosts=allowed_hosts)
    body = event_of(get_entry(delivery.log_index)).text.encode()
    timestamp_s = int(wall_at.timestamp())
    signatures = [
        signature(secret, message_id=delivery.message_id, timestamp_s=timestamp_s, body=body)
        for secret in secrets_of(webhook, wall_at=wall_at)
    ]
    return Message(
        endpoint=endpoint,
        headers={
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            ID_HEADER: delivery.message_id,
            TIMESTAMP_HEADER: str(timestamp_s),
            SIGNATURE_HEADER: " ".join(signatures),
        },
        body=body,
    )


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
