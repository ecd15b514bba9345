"""Webhooks and what was sent to them, as pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missioncontrol.webhooks.models import Delivery, Webhook
from missioncontrol.webhooks.schedule import MAX_ATTEMPTS
from missioncontrol.webhooks.selectors import counts_of

# What an answer's status says to who does not know them by heart.
_ANSWER_WORDS: Final = {
    410: "gone: it disables the webhook",
    429: "too many requests: it gets a rest",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRow:
    """A webhook and how it stands; times are those of the machine."""

    pk: int
    name: str
    url: str
    types: list[str]
    organisation: str
    state: str
    why: str  # for one that is disabled or failing
    waiting: int
    failed: int
    created_at: datetime
    previous_secret_until: datetime | None  # None: the secret before signs no longer


def webhook_row(webhook: Webhook, *, wall_at: datetime) -> WebhookRow:
    """Return one webhook, as ``webhooks.selectors.webhooks_of`` gives it."""
    until = webhook.previous_secret_until
    counts = counts_of(webhook)
    return WebhookRow(
        pk=webhook.pk,
        name=webhook.name,
        url=webhook.url,
        types=webhook.types,
        organisation=webhook.organisation.name,
        state=_state(webhook),
        why=_why(webhook),
        waiting=counts.waiting,
        failed=counts.failed,
        created_at=webhook.created_at,
        previous_secret_until=until if until is not None and until > wall_at else None,
    )


def _state(webhook: Webhook) -> str:
    is_failing = webhook.state == Webhook.State.ENABLED and webhook.failing_since is not None
    return "FAILING" if is_failing else webhook.state


def _why(webhook: Webhook) -> str:
    if webhook.state == Webhook.State.DISABLED:
        return webhook.disabled_reason
    if webhook.state == Webhook.State.PAUSED:
        return "Nothing is sent, and nothing is lost: events wait until you go on."
    if webhook.failing_since is None:
        return ""
    return (
        f"No attempt has arrived since {webhook.failing_since:%Y-%m-%d %H:%M}Z. "
        "After a day without any it is disabled; nothing is lost."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One event on its way to a webhook."""

    pk: int
    event: int
    event_type: str
    message_id: str
    state: str
    attempts: str
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    answer: str  # the status, or why there was none
    answer_status: str  # how that is drawn
    excerpt: str
    took_ms: int | None


def delivery_rows(deliveries: Iterable[Delivery]) -> list[DeliveryRow]:
    """Return deliveries in the order given."""
    return [
        DeliveryRow(
            pk=each.pk,
            event=each.log_index,
            event_type=each.event_type,
            message_id=each.message_id,
            state=each.state,
            attempts=f"{each.attempts} of {MAX_ATTEMPTS}",
            created_at=each.created_at,
            last_attempt_at=each.last_attempt_at,
            next_attempt_at=each.next_attempt_at,
            answer=_answer(each),
            answer_status=_answer_status(each),
            excerpt=each.response_excerpt,
            took_ms=each.took_ms,
        )
        for each in deliveries
    ]


def _answer(delivery: Delivery) -> str:
    status = delivery.response_status
    if status is None:
        return delivery.fault or ("none yet" if not delivery.attempts else "none")
    words = _ANSWER_WORDS.get(status, "")
    return " · ".join(part for part in (str(status), words or delivery.fault) if part)


def _answer_status(delivery: Delivery) -> str:
    if not delivery.attempts:
        return "standby"
    return "normal" if delivery.state == Delivery.State.DELIVERED else "serious"
