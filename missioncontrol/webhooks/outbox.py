"""Which events are to go to which webhook, and what came of each attempt.

The log is the queue. A webhook has a place in it, and rows are made of the next
events that it wants, a limited number ahead; what lies behind the place waits
in the log for as long as it must. A process that is killed therefore loses
nothing: the row is there before the first attempt, and an attempt whose outcome
nobody noted is made again under the same ``webhook-id``.

Nothing here writes an entry of the log, but for a webhook that is disabled: an
entry for each delivery would be one more event to deliver.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Q

from missioncontrol.audit.models import AuditEntry
from missioncontrol.events.event_types import EventTypes
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.webhooks.courier import RUN_S, TIMEOUT_S, Outcome
from missioncontrol.webhooks.message import message_id
from missioncontrol.webhooks.models import EXCERPT_LENGTH, FAULT_LENGTH, Delivery, Webhook
from missioncontrol.webhooks.schedule import delay_s, read_retry_after, rest_s
from missioncontrol.webhooks.services import disable_webhook
from missioncontrol.webhooks.services.deliveries import PING

MAX_WAITING: Final = 500  # rows of one webhook; beyond, events wait in the log
CHUNK: Final = 500  # entries that are looked at in one step
RUN_LENGTH: Final = 20  # messages that go to a webhook before their outcomes are noted
# How long a process that took a webhook has it for itself. Its run is over by then.
CLAIM: Final = timedelta(seconds=RUN_S + TIMEOUT_S + 5)
OUTAGE_AFTER: Final = 3  # failures in a row
KEPT: Final = timedelta(days=30)  # finished deliveries
_GONE: Final = 410
_WAITING: Final = Delivery.State.WAITING
_ENABLED: Final = Webhook.State.ENABLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is being sent to one webhook, one after the other."""

    webhook: Webhook  # as it was claimed
    deliveries: list[Delivery]
    begun_at: datetime  # machine's clock


def take_events(*, published: int, wall_at: datetime) -> bool:
    """Make the next deliveries out of the log; return whether there is more to look at.

    Args:
        published: How many entries are; none beyond goes out.
        wall_at: Now, on the machine's clock.
    """
    behind = [
        webhook
        for webhook in Webhook.objects.filter(state=_ENABLED, position__lt=published)
        .select_related("organisation")
        .annotate(waiting=Count("deliveries", filter=Q(deliveries__state=_WAITING)))
        if webhook.waiting < MAX_WAITING
    ]
    if not behind:
        return False
    begin = min(webhook.position for webhook in behind)
    end = min(published, begin + CHUNK)
    entries = list(
        AuditEntry.objects.filter(log_index__gte=begin, log_index__lt=end)
        .only("log_index", "action", "subject", "organisation", "leaf_hash")
        .order_by("log_index")
    )
    unconcerned = []
    for webhook in behind:
        wanted = [entry for entry in entries if _wants(webhook, entry)]
        if wanted:
            _hand_over(webhook, wanted, end, wall_at)
        else:
            unconcerned.append(webhook.pk)
    Webhook.objects.filter(pk__in=unconcerned, position__lt=end).update(position=end)
    return end < published


def _wants(webhook: Webhook, entry: AuditEntry) -> bool:
    assert entry.log_index is not None  # it is published
    if entry.log_index < webhook.position:
        return False
    if entry.action == PING and entry.subject == webhook.audit_subject:
        return True
    organisation = webhook.organisation
    concerned = organisation.operates_the_mission or entry.organisation == organisation.slug
    return concerned and EventTypes(webhook.types).take(entry.action)


@transaction.atomic
def _hand_over(
    webhook: Webhook, entries: Sequence[AuditEntry], end: int, wall_at: datetime
) -> None:
    """Make deliveries of *entries* and move the webhook's place behind them."""
    moved = Webhook.objects.filter(pk=webhook.pk, position=webhook.position).update(position=end)
    if not moved:
        return  # another process was faster
    Delivery.objects.bulk_create(
        [_delivery(webhook, entry, wall_at) for entry in entries], ignore_conflicts=True
    )


def _delivery(webhook: Webhook, entry: AuditEntry, wall_at: datetime) -> Delivery:
    assert entry.log_index is not None  # it is published
    return Delivery(
        webhook=webhook,
        log_index=entry.log_index,
        event_type=entry.action,
        message_id=message_id(entry),
        created_at=wall_at,
        next_attempt_at=wall_at,
    )


def claim_due(*, wall_at: datetime) -> Iterator[Run]:
    """Yield what is due, for each webhook that is free: one run at a time, in the log's order.

    What failed waits for its own time and does not hold up what comes after it.
    """
    free = Q(webhook__claimed_until=None) | Q(webhook__claimed_until__lte=wall_at)
    rested = Q(webhook__resting_until=None) | Q(webhook__resting_until__lte=wall_at)
    due = Delivery.objects.filter(state=_WAITING, next_attempt_at__lte=wall_at)
    webhooks = due.filter(free, rested, webhook__state=_ENABLED).order_by()
    for webhook_id in list(webhooks.values_list("webhook", flat=True).distinct()):
        claimed = Webhook.objects.filter(
            Q(claimed_until=None) | Q(claimed_until__lte=wall_at), pk=webhook_id, state=_ENABLED
        ).update(claimed_until=wall_at + CLAIM)
        if claimed:
            yield Run(
                webhook=Webhook.objects.get(pk=webhook_id),
                deliveries=list(due.filter(webhook=webhook_id).order_by("log_index")[:RUN_LENGTH]),
                begun_at=wall_at,
            )


@transaction.atomic
def note_outcomes(
    run: Run, outcomes: Sequence[Outcome], *, chance: float, at: datetime, wall_at: datetime
) -> None:
    """Note what came of a run and what follows, and let go of the webhook.

    Args:
        run: As it was claimed; one whose claim has run out changes nothing.
        outcomes: Of its first deliveries; the others were not sent.
        chance: A random number from 0 to 1, for the time of the next attempt.
        at: Now, UTC (mission time).
        wall_at: Now, on the machine's clock.
    """
    webhook = (
        Webhook.objects.select_for_update()
        .filter(pk=run.webhook.pk, claimed_until=run.webhook.claimed_until)
        .first()
    )
    if webhook is None:  # deleted, or another process has it
        return
    webhook.claimed_until = None
    begun_at = run.begun_at
    for sent, outcome in zip(run.deliveries, outcomes, strict=False):
        delivery = Delivery.objects.select_for_update().get(pk=sent.pk)
        _note_attempt(delivery, outcome, begun_at)
        if outcome.fault:
            _failed(webhook, delivery, outcome, chance=chance, at=at, wall_at=wall_at)
        else:
            _arrived(webhook, delivery, wall_at)
        delivery.save()
        begun_at += timedelta(seconds=outcome.took_s)
    webhook.save(update_fields=["claimed_until", "failures", "failing_since", "resting_until"])
    publish_after_commit({"type": "refresh", "part": "webhooks"})


def forget_finished(*, wall_at: datetime) -> int:
    """Delete the deliveries that ended long ago; return how many."""
    rows = Delivery.objects.filter(created_at__lt=wall_at - KEPT).exclude(state=_WAITING)
    deleted, _ = rows.delete()
    return deleted


def _note_attempt(delivery: Delivery, outcome: Outcome, begun_at: datetime) -> None:
    delivery.attempts += 1
    delivery.first_attempt_at = delivery.first_attempt_at or begun_at
    delivery.last_attempt_at = begun_at
    delivery.response_status = outcome.status
    delivery.response_excerpt = outcome.excerpt[:EXCERPT_LENGTH]
    delivery.fault = outcome.fault[:FAULT_LENGTH]
    delivery.took_ms = round(outcome.took_s * 1000)


def _arrived(webhook: Webhook, delivery: Delivery, wall_at: datetime) -> None:
    if webhook.failures >= OUTAGE_AFTER:
        # It is back: nothing waits for hours that could arrive now.
        Delivery.objects.filter(
            webhook=webhook, state=_WAITING, next_attempt_at__gt=wall_at
        ).update(next_attempt_at=wall_at)
    webhook.failures = 0
    webhook.failing_since = webhook.resting_until = None
    delivery.state, delivery.next_attempt_at = Delivery.State.DELIVERED, None


def _failed(
    webhook: Webhook,
    delivery: Delivery,
    outcome: Outcome,
    *,
    chance: float,
    at: datetime,
    wall_at: datetime,
) -> None:
    retry_after_s = read_retry_after(outcome.retry_after, now=wall_at)
    wait_s = delay_s(delivery.attempts, chance=chance, retry_after_s=retry_after_s)
    rest = rest_s(outcome.status, retry_after_s=retry_after_s)
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or delivery.last_attempt_at
    webhook.resting_until = None if rest is None else wall_at + timedelta(seconds=rest)
    delivery.next_attempt_at = None if wait_s is None else wall_at + timedelta(seconds=wait_s)
    reason = _reason_to_disable(webhook, delivery)
    if reason:
        # It stays waiting: the outage ends when the webhook is enabled again.
        delivery.next_attempt_at = None
        disable_webhook(webhook=webhook, reason=reason, at=at)
    elif wait_s is None:
        delivery.state = Delivery.State.FAILED


def _reason_to_disable(webhook: Webhook, delivery: Delivery) -> str:
    """Return why nothing is to be sent there any more; empty: it goes on."""
    since, first = webhook.failing_since, delivery.first_attempt_at
    if delivery.response_status == _GONE:
        return "It answered 410 Gone: it wants nothing more."
    if delivery.next_attempt_at is not None or since is None or first is None or since > first:
        return ""
    answer = f"answer {delivery.response_status}" if delivery.response_status else "no answer"
    return (
        f"Nothing has arrived there since {since:%Y-%m-%d %H:%MZ}, after {delivery.attempts} "
        f"attempts; the last one got {answer}."
    )
