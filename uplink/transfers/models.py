from __future__ import annotations

from django.db import models

from missioncontrol.accounts.models import Organisation
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.organisation_rows import OrganisationRows


class Transfer(models.Model):
    """One file on its way to or from a spacecraft: a CFDP transaction and its file.

    ``entity_state`` is the protocol's snapshot, which a killed process goes on
    from; it is empty once the transaction is forgotten.
    """

    class Direction(models.TextChoices):
        UP = "UP"
        DOWN = "DOWN"

    class State(models.TextChoices):
        WAITING = "WAITING", "waits for a contact"
        ACTIVE = "ACTIVE", "on the link"
        SUSPENDED = "SUSPENDED", "goes on at the next contact"
        COMPLETED = "COMPLETED", "complete"
        FAILED = "FAILED", "failed"
        CANCELLED = "CANCELLED", "cancelled"

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="transfers")
    # Whose file it is, if not of who operates the spacecraft.
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    direction = models.CharField(max_length=4, choices=Direction.choices)
    source_entity = models.PositiveBigIntegerField()
    sequence_number = models.PositiveBigIntegerField()
    # What the sender calls it; never used as a path.
    file_name = models.CharField(max_length=255, blank=True)
    size_octets = models.PositiveBigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    progress_octets = models.PositiveBigIntegerField(default=0)
    condition = models.CharField(max_length=200, blank=True)
    entity_state = models.JSONField(default=dict, blank=True)
    stored_name = models.CharField(max_length=200)  # below FILES_DIR
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = OrganisationRows["Transfer"]("organisation", "spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["spacecraft", "source_entity", "sequence_number"],
                name="transfer_sequence_number_used_once",
            )
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk} {self.direction} {self.file_name or '(name not known yet)'}"


class DownlinkCursor(models.Model):
    """How far one spacecraft's packet log has been read for file packets."""

    spacecraft = models.OneToOneField(Spacecraft, on_delete=models.CASCADE, primary_key=True)
    position = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"file packets of {self.spacecraft} read up to {self.position}"
