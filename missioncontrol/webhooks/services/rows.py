from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.services.rights import require_of_people
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.webhooks.models import Webhook


def locked_webhook(webhook_id: int, actor: Operator | str) -> Webhook:
    """Return a webhook, locked until the commit, for somebody who may manage it.

    Raises:
        Webhook.DoesNotExist: there is no such webhook.
        NotPermittedError: no role of *actor* grants it.
    """
    webhook = Webhook.objects.select_for_update().get(pk=webhook_id)
    require_of_people(actor, Action.WEBHOOK_MANAGE, webhook.organisation)
    return webhook


def log(
    action: str,
    webhook: Webhook,
    actor: Operator | str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write the entry of what is done to a webhook.

    All members read it, so the address stays out of it: what tells a receiver
    that it is us who call often stands there.
    """
    append_entry(
        action=action,
        subject=webhook.audit_subject,
        actor=actor,
        at=at,
        organisation=webhook.organisation.slug,
        details=details,
    )
    publish_after_commit({"type": "refresh", "part": "webhooks"})
