from __future__ import annotations

from django.conf import settings
from django.db import models

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.kernel.organisation_rows import OrganisationRows


class Operation(models.Model):
    """Work that takes longer than a request: asked for, carried out by a worker, looked after.

    Its times are those of the machine's clock: a rehearsal that runs thirty
    times as fast does not compute thirty times as fast.
    """

    class Kind(models.TextChoices):
        """What is to be done, named as the action that it takes."""

        CONTACT_WINDOW_RECOMPUTE = Action.CONTACT_WINDOW_RECOMPUTE.value
        LOG_VERIFY = Action.LOG_VERIFY.value
        PLAN_PROPOSE = Action.PLAN_PROPOSE.value

    class State(models.TextChoices):
        WAITING = "WAITING", "waits for a worker"
        RUNNING = "RUNNING", "is carried out"
        SUCCEEDED = "SUCCEEDED", "is done"
        FAILED = "FAILED", "failed"
        CANCELLED = "CANCELLED", "was cancelled"

    kind = models.CharField(max_length=40, choices=Kind.choices)
    parameters = models.JSONField(default=dict)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="operations"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    progress = models.FloatField(default=0.0)  # 0 to 1
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)  # counts the workers that began it
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OrganisationRows["Operation"]("organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(progress__gte=0, progress__lte=1),
                name="operation_progress_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, state__in=["WAITING", "RUNNING"])
                | models.Q(ended_at__isnull=False, state__in=["SUCCEEDED", "FAILED", "CANCELLED"]),
                name="operation_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="operation_open",
                condition=models.Q(state__in=["WAITING", "RUNNING"]),
            )
        ]

    def __str__(self) -> str:
        return f"operation {self.pk} {self.kind}"

    @property
    def action(self) -> Action:
        """What it takes to ask for it, to see it and to cancel it."""
        return Action(self.kind)
