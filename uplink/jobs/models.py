from __future__ import annotations

from django.conf import settings
from django.db import models

from missioncontrol.accounts.models import Organisation
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.organisation_rows import OrganisationRows
from uplink.commanding.models import Telecommand
from uplink.jobs.programs import Program
from uplink.transfers.models import Transfer


class Job(models.Model):
    """A program that a member wants run on board, its input and its result."""

    class State(models.TextChoices):
        SUBMITTED = "SUBMITTED", "waits for a contact"
        UPLINKING = "UPLINKING", "its input goes up"
        COMMANDED = "COMMANDED", "is on board and ordered to run"
        RUNNING = "RUNNING", "runs on board"
        DOWNLINKING = "DOWNLINKING", "its result comes down"
        COMPLETED = "COMPLETED", "verified and complete"
        FAILED = "FAILED", "failed"
        CANCELLED = "CANCELLED", "cancelled"

    number = models.BigAutoField(primary_key=True)
    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="jobs")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="jobs")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    program = models.CharField(max_length=40, choices=[(p.value, p.value) for p in Program])
    state = models.CharField(max_length=12, choices=State.choices, default=State.SUBMITTED)
    idempotency_key = models.CharField(max_length=80, blank=True)

    input_sha256 = models.CharField(max_length=64)
    input_octets = models.PositiveBigIntegerField()
    output_sha256 = models.CharField(max_length=64, blank=True)
    output_octets = models.PositiveBigIntegerField(null=True, blank=True)
    stored_result = models.CharField(max_length=200, blank=True)
    failure = models.TextField(blank=True)

    uplink = models.ForeignKey(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    telecommand = models.ForeignKey(
        Telecommand, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    downlink = models.ForeignKey(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    submitted_at = models.DateTimeField()
    uplinked_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    # The member's own, and of who operates the spacecraft, but not its content.
    objects = OrganisationRows["Job"]("organisation", "spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="job_submitted_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="COMPLETED") | ~models.Q(output_sha256=""),
                name="job_completed_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.number} {self.program}"
