from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.services.rights import require_of_people
from missioncontrol.audit.selectors import assigned_size
from missioncontrol.events.event_types import EventTypes, EventTypesError
from missioncontrol.kernel.sealing import seal
from missioncontrol.webhooks.endpoint import EndpointError, parse_endpoint
from missioncontrol.webhooks.message import SEALED_FOR
from missioncontrol.webhooks.models import Delivery, Webhook
from missioncontrol.webhooks.services.errors import WebhookRefusedError
from missioncontrol.webhooks.services.rows import locked_webhook, log
from missioncontrol.webhooks.signature import SECRET_OCTETS, write_secret

MAX_WEBHOOKS: Final = 20  # of one organisation
SECRETS_OVERLAP: Final = timedelta(hours=24)
_NAME_LENGTH: Final = 80
_SENDER: Final = "process:webhook-deliveries"
_State = Webhook.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be another one; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    types: Iterable[str] | None = None
    state: str | None = None


@transaction.atomic
def create_webhook(
    *,
    organisation: Organisation,
    name: str,
    url: str,
    types: Iterable[str],
    actor: Operator | str,
    at: datetime,
    wall_at: datetime,
) -> tuple[Webhook, str]:
    """Have events sent to an address from now on; return the secret that is shown only now.

    Args:
        organisation: Whose events; one that operates the mission gets all.
        name: What it is for.
        url: Where they go.
        types: Patterns of event types, e.g. ``job.*``.
        actor: Who asks.
        at: Moment of the change, UTC (mission time).
        wall_at: The same on the machine's clock.

    Raises:
        WebhookRefusedError: an argument cannot be like this, or there are too many.
        NotPermittedError: *actor* may not manage the organisation's webhooks.
    """
    require_of_people(actor, Action.WEBHOOK_MANAGE, organisation)
    # The organisation's row is the lock under which its webhooks are counted.
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    if Webhook.objects.filter(organisation=organisation).count() >= MAX_WEBHOOKS:
        raise WebhookRefusedError(
            f"{organisation} has {MAX_WEBHOOKS} webhooks, which is the limit. Delete one first."
        )
    secret = _new_secret()
    webhook = Webhook(
        organisation=organisation,
        sealed_secret=seal(secret, purpose=SEALED_FOR),
        position=assigned_size(),
        created_at=wall_at,
    )
    _put(webhook, Changes(name=name, url=url, types=types))
    webhook.save()
    log("webhook.create", webhook, actor, at, {"types": webhook.types})
    return webhook, secret


@transaction.atomic
def change_webhook(
    *, webhook_id: int, changes: Changes, actor: Operator | str, at: datetime, wall_at: datetime
) -> Webhook:
    """Change a webhook; nothing is lost while it is paused.

    One that is enabled, or leads to another address now, begins at once with
    all that waits, however often that was tried before.

    Raises:
        Webhook.DoesNotExist: there is no such webhook.
        WebhookRefusedError: something cannot be like this.
        NotPermittedError: *actor* may not manage it.
    """
    webhook = locked_webhook(webhook_id, actor)
    before = {name: getattr(webhook, name) for name in ("name", "url", "types", "state")}
    _put(webhook, changes)
    changed = [name for name, value in before.items() if getattr(webhook, name) != value]
    if not changed:
        return webhook
    if webhook.state == _State.ENABLED and {"url", "state"} & set(changed):
        _begin_anew(webhook, wall_at)
    webhook.save()
    details = {"changed": changed, "types": webhook.types, "state": webhook.state}
    log("webhook.change", webhook, actor, at, details)
    return webhook


@transaction.atomic
def delete_webhook(*, webhook_id: int, actor: Operator | str, at: datetime) -> None:
    """Send nothing there any more, also not what waits, and forget its deliveries.

    Raises:
        Webhook.DoesNotExist: there is no such webhook.
        NotPermittedError: *actor* may not manage it.
    """
    webhook = locked_webhook(webhook_id, actor)
    log("webhook.delete", webhook, actor, at)
    webhook.delete()


@transaction.atomic
def rotate_secret(
    *, webhook_id: int, actor: Operator | str, at: datetime, wall_at: datetime
) -> tuple[Webhook, str]:
    """Give a webhook a new secret and return it; the old one signs too for ``SECRETS_OVERLAP``.

    Of two rotations within that time the first one's secret is the old one.

    Raises:
        Webhook.DoesNotExist: there is no such webhook.
        NotPermittedError: *actor* may not manage it.
    """
    webhook = locked_webhook(webhook_id, actor)
    secret = _new_secret()
    webhook.sealed_previous_secret = webhook.sealed_secret
    webhook.previous_secret_until = wall_at + SECRETS_OVERLAP
    webhook.sealed_secret = seal(secret, purpose=SEALED_FOR)
    webhook.save(
        update_fields=["sealed_secret", "sealed_previous_secret", "previous_secret_until"]
    )
    log("webhook.rotate_secret", webhook, actor, at)
    return webhook, secret


@transaction.atomic
def disable_webhook(*, webhook: Webhook, reason: str, at: datetime) -> None:
    """Send nothing more until its organisation enables it again; what waits is kept.

    Args:
        webhook: The row, locked.
        reason: What its organisation is to read.
        at: Now, UTC (mission time).
    """
    webhook.state = _State.DISABLED
    webhook.disabled_reason = reason
    webhook.save(update_fields=["state", "disabled_reason"])
    log("webhook.disable", webhook, _SENDER, at, {"reason": reason})


def _put(webhook: Webhook, changes: Changes) -> None:
    """Put what is given into the row.

    Raises:
        WebhookRefusedError: something of it cannot be.
    """
    if changes.name is not None:
        webhook.name = _checked_name(changes.name)
    if changes.state is not None:
        webhook.state = _checked_state(changes.state)
        webhook.disabled_reason = ""
    try:
        if changes.url is not None:
            parse_endpoint(changes.url, allowed_hosts=settings.WEBHOOK_ALLOWED_HOSTS)
            webhook.url = changes.url
        if changes.types is not None:
            webhook.types = list(EventTypes(changes.types).patterns)
    except (EndpointError, EventTypesError) as error:
        raise WebhookRefusedError(str(error)) from error


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= _NAME_LENGTH:
        raise WebhookRefusedError(
            f"The webhook's name has {len(name)} characters; 1 to {_NAME_LENGTH} are allowed."
        )
    return name


def _checked_state(state: str) -> str:
    if state not in {_State.ENABLED, _State.PAUSED}:
        raise WebhookRefusedError(
            f"{state} is no state to give a webhook; {_State.ENABLED} and {_State.PAUSED} are."
        )
    return state


def _begin_anew(webhook: Webhook, wall_at: datetime) -> None:
    webhook.failures = 0
    webhook.failing_since = webhook.resting_until = None
    Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING).update(
        attempts=0, first_attempt_at=None, next_attempt_at=wall_at
    )


def _new_secret() -> str:
    return write_secret(secrets.token_bytes(SECRET_OCTETS))
