from __future__ import annotations

from typing import Final

from django.db import models

from missioncontrol.accounts.models import Organisation
from missioncontrol.kernel.organisation_rows import OrganisationRows

EXCERPT_LENGTH: Final = 500
FAULT_LENGTH: Final = 300


class Webhook(models.Model):
    """An address that an organisation wants events to be sent to.

    Its times, and those of its deliveries, are those of the machine's clock:
    receivers do not live in a rehearsal.
    """

    class State(models.TextChoices):
        ENABLED = "ENABLED"
        PAUSED = "PAUSED"  # by its organisation
        DISABLED = "DISABLED"  # by us; ``disabled_reason`` says why

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="webhooks"
    )
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    types = models.JSONField()  # patterns of event types
    state = models.CharField(max_length=10, choices=State.choices, default=State.ENABLED)
    disabled_reason = models.CharField(max_length=300, blank=True)
    sealed_secret = models.TextField()  # see missioncontrol.kernel.sealing
    # The secret before the last rotation, which signs too until then.
    sealed_previous_secret = models.TextField(blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    # How far it is, kept by missioncontrol.webhooks.outbox.
    position = models.PositiveBigIntegerField()  # the log index to go on from
    failures = models.PositiveIntegerField(default=0)  # in a row
    failing_since = models.DateTimeField(null=True, blank=True)
    resting_until = models.DateTimeField(null=True, blank=True)  # as the endpoint asked
    claimed_until = models.DateTimeField(null=True, blank=True)  # by a process that sends

    objects = OrganisationRows["Webhook"]("organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"webhook {self.pk} ({self.name})"

    @property
    def audit_subject(self) -> str:
        """How the consortium log names it."""
        return f"webhook:{self.pk}"


class Delivery(models.Model):
    """One event on its way to one webhook."""

    class State(models.TextChoices):
        WAITING = "WAITING"  # for its first attempt or the next
        DELIVERED = "DELIVERED"
        FAILED = "FAILED"  # given up, while others arrived

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    log_index = models.PositiveBigIntegerField()
    event_type = models.CharField(max_length=60)
    message_id = models.CharField(max_length=60)  # the header webhook-id, at each attempt
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)  # None: there is none
    # Of the last attempt:
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_excerpt = models.CharField(max_length=EXCERPT_LENGTH, blank=True)
    fault = models.CharField(max_length=FAULT_LENGTH, blank=True)  # why there is no good answer
    took_ms = models.PositiveIntegerField(null=True, blank=True)

    objects = OrganisationRows["Delivery"]("webhook__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "log_index"], name="webhooks_event_goes_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["webhook", "next_attempt_at"],
                name="webhooks_delivery_waiting",
                condition=models.Q(state="WAITING"),
            )
        ]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.event_type} {self.log_index} to {self.webhook_id}"
