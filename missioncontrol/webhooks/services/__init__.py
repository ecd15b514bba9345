"""What can be done with webhooks."""

from __future__ import annotations

from missioncontrol.webhooks.services.deliveries import ping_webhook, redeliver
from missioncontrol.webhooks.services.errors import WebhookRefusedError
from missioncontrol.webhooks.services.registration import (
    MAX_WEBHOOKS,
    SECRETS_OVERLAP,
    Changes,
    change_webhook,
    create_webhook,
    delete_webhook,
    disable_webhook,
    rotate_secret,
)

__all__ = [
    "MAX_WEBHOOKS",
    "SECRETS_OVERLAP",
    "Changes",
    "WebhookRefusedError",
    "change_webhook",
    "create_webhook",
    "delete_webhook",
    "disable_webhook",
    "ping_webhook",
    "redeliver",
    "rotate_secret",
]
