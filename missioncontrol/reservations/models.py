from __future__ import annotations

from typing import Final

from django.db import models

from missioncontrol.scheduling.models import Contact

REASON_LENGTH: Final = 300


class Reservation(models.Model):
    """What a provider holds, or is asked to hold, for us on one of its antennas.

    The words are those of ``providers/interface.py``. ``token`` is made before
    the provider is asked and sent each time: however often a question is asked
    again, one reservation comes of it. Without a contact it was found at the
    provider, and nobody here knows what for.
    """

    class State(models.TextChoices):
        SCHEDULING = "SCHEDULING", "asked for"
        SCHEDULED = "SCHEDULED", "confirmed"
        FAILED_TO_SCHEDULE = "FAILED_TO_SCHEDULE", "refused"
        CANCELLING = "CANCELLING", "being cancelled"
        CANCELLED = "CANCELLED", "cancelled"
        PROVIDER_CANCELLED = "PROVIDER_CANCELLED", "withdrawn by the provider"

    contact = models.OneToOneField(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="reservation"
    )
    provider = models.CharField(max_length=60)  # slug of the organisation that owns the station
    token = models.CharField(max_length=80)
    provider_contact_id = models.CharField(max_length=120, blank=True)
    # As it was said to the provider, or by it.
    satellite = models.CharField(max_length=40)
    antenna = models.CharField(max_length=40)
    begins = models.DateTimeField()  # AOS, not set-up
    ends = models.DateTimeField()
    state = models.CharField(max_length=18, choices=State.choices, default=State.SCHEDULING)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)  # the provider's, of a refusal
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # Of asking; by the machine's clock, since a provider does not live in a rehearsal.
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    fault = models.CharField(max_length=REASON_LENGTH, blank=True)  # of the last attempt

    class Meta:
        ordering = ["begins", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("begins")), name="reservation_ends_later"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_contact_id"],
                condition=~models.Q(provider_contact_id=""),
                name="reservation_known_once",
            ),
            models.UniqueConstraint(
                fields=["token"],
                condition=models.Q(contact__isnull=False),
                name="reservation_token_of_one_contact",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="reservation_due"),
            models.Index(fields=["begins", "id"], name="reservation_begins"),
            models.Index(fields=["ends"], name="reservation_ends"),
        ]

    def __str__(self) -> str:
        return f"reservation {self.pk} of {self.antenna} at {self.provider}"


class ProviderStanding(models.Model):
    """How a provider took the last question that it was asked; by the machine's clock."""

    provider = models.CharField(max_length=60, unique=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)  # last, so that it could be used
    fault = models.CharField(max_length=REASON_LENGTH, blank=True)  # empty: it answered
    silent_since = models.DateTimeField(null=True, blank=True)  # while there is a fault
    not_before = models.DateTimeField(null=True, blank=True)  # its Retry-After

    class Meta:
        ordering = ["provider"]

    def __str__(self) -> str:
        return f"{self.provider}: {self.fault or 'answers'}"
