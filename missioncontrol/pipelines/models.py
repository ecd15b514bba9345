from __future__ import annotations

from django.db import models


class StepKind(models.TextChoices):
    """The steps of a pass, in their order."""

    PREPASS = "PREPASS", "pre-pass checks"
    ACQUIRE = "ACQUIRE", "acquisition of signal"
    COP1 = "COP1", "command link set up"
    SERVE = "SERVE", "service"
    LOS = "LOS", "loss of signal"
    POSTPASS = "POSTPASS", "post-pass"
    REPORT = "REPORT", "report"


class StepState(models.TextChoices):
    """How far a step is."""

    RUNNING = "RUNNING", "running"
    DONE = "DONE", "done"
    FAILED = "FAILED", "failed"
    INTERRUPTED = "INTERRUPTED", "interrupted"  # the executor died; another went on


class PassStep(models.Model):
    """One step of one pass as it was executed."""

    contact = models.ForeignKey(
        "scheduling.Contact", on_delete=models.PROTECT, related_name="pass_steps"
    )
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=StepKind.choices)
    state = models.CharField(max_length=12, choices=StepState.choices)
    epoch = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["contact", "number"]
        constraints = [
            models.UniqueConstraint(fields=["contact", "number"], name="pass_step_numbered_once")
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind} of {self.contact}: {self.state}"


class IntentState(models.TextChoices):
    """What is known of the radiation of a frame."""

    INTENDED = "INTENDED", "intended"
    RADIATED = "RADIATED", "radiated"
    REFUSED = "REFUSED", "refused by the station"
    NOT_RADIATED = "NOT_RADIATED", "not in the station's journal"
    UNKNOWN = "UNKNOWN", "unknown"  # the executor died between sending and the report


class Acceptance(models.TextChoices):
    """What is known of a frame's acceptance on board (FARM-1)."""

    OPEN = "OPEN", "open"
    ACCEPTED = "ACCEPTED", "accepted"
    NOT_ACCEPTED = "NOT_ACCEPTED", "not accepted"
    UNKNOWN = "UNKNOWN", "unknown"  # no evidence is left to decide it


class RadiationIntent(models.Model):
    """A telecommand frame, written down before it is sent.

    The row is what an executor that comes after a crash goes by: it looks for
    evidence of what became of the frame, and never sends it again blindly.
    """

    contact = models.ForeignKey(
        "scheduling.Contact", on_delete=models.PROTECT, related_name="radiation_intents"
    )
    number = models.PositiveIntegerField()
    what = models.CharField(max_length=120)
    telecommand = models.ForeignKey(
        "commanding.Telecommand",
        on_delete=models.PROTECT,
        related_name="radiation_intents",
        null=True,
        blank=True,
    )
    # N(S) of an AD frame; empty for control commands (BC).
    frame_sequence_number = models.PositiveSmallIntegerField(null=True, blank=True)
    is_last_frame = models.BooleanField(default=True)  # of the telecommand's frames
    epoch = models.PositiveIntegerField()
    state = models.CharField(
        max_length=12, choices=IntentState.choices, default=IntentState.INTENDED
    )
    acceptance = models.CharField(
        max_length=12, choices=Acceptance.choices, default=Acceptance.OPEN
    )
    evidence = models.CharField(max_length=200, blank=True)
    intended_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True, blank=True)  # the station's report
    resolved_at = models.DateTimeField(null=True, blank=True)  # acceptance decided

    class Meta:
        ordering = ["contact", "number"]
        constraints = [
            models.UniqueConstraint(fields=["contact", "number"], name="radiation_intended_once")
        ]
        indexes = [
            models.Index(
                fields=["contact"],
                name="radiation_intent_open",
                condition=models.Q(acceptance="OPEN"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.what} (frame {self.number} of contact {self.contact_id}): {self.state}"


class PassReport(models.Model):
    """What a pass came to, as its executor summed it up."""

    contact = models.OneToOneField(
        "scheduling.Contact", on_delete=models.PROTECT, related_name="pass_report"
    )
    report = models.JSONField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"report of {self.contact}"


class FopState(models.Model):
    """Where the sending end of COP-1 stands on one virtual channel, between passes."""

    spacecraft = models.ForeignKey(
        "fleet.Spacecraft", on_delete=models.PROTECT, related_name="fop_states"
    )
    virtual_channel_id = models.PositiveSmallIntegerField()
    state = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["spacecraft", "virtual_channel_id"], name="fop_state_of_one_channel"
            )
        ]

    def __str__(self) -> str:
        return f"FOP-1 of {self.spacecraft}, virtual channel {self.virtual_channel_id}"
