from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from missioncontrol.accounts.models import Operator
from missioncontrol.audit.models import AuditEntry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.organisation_rows import OrganisationRows

SEQUENCE_COUNT_MODULUS = 16_384  # 14 bits, CCSDS 133.0-B-2 section 4.1.3.4.3


class Telecommand(models.Model):
    """One telecommand from the wish to the spacecraft's last report on it.

    ``definition`` is the telecommand's definition as it was when it was
    submitted: what two persons agreed to is what is sent, also when another
    mission file is loaded in between.
    """

    class State(models.TextChoices):
        SUBMITTED = "SUBMITTED", "waits for a second person"
        APPROVED = "APPROVED", "waits for a contact"
        REJECTED = "REJECTED", "rejected"
        RELEASED = "RELEASED", "handed to the link"
        RADIATED = "RADIATED", "radiated by the station"
        ACCEPTED = "ACCEPTED", "accepted on board"
        STARTED = "STARTED", "started on board"
        COMPLETED = "COMPLETED", "completed on board"
        FAILED = "FAILED", "failed"
        EXPIRED = "EXPIRED", "no report in time"

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT)
    name = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict, blank=True)
    definition = models.JSONField()
    hazardous = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.SUBMITTED)
    origin = models.CharField(max_length=80, blank=True)

    submitted_by = models.ForeignKey(
        Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    submitted_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approval_policy = models.CharField(max_length=60, blank=True)
    approval_entry = models.ForeignKey(
        AuditEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    rejected_by = models.ForeignKey(
        Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    rejected_at = models.DateTimeField(null=True, blank=True)
    rejection_reason = models.CharField(max_length=200, blank=True)

    contact_id = models.BigIntegerField(null=True, blank=True)
    packet = models.BinaryField(null=True, blank=True)
    # Packet identification and sequence control of the packet: a u32, used again
    # after 16,384 telecommands to one APID.
    request_id = models.BigIntegerField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    radiated_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)

    objects = OrganisationRows["Telecommand"]("spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-submitted_at", "-pk"]
        indexes = [
            models.Index(fields=["spacecraft", "state"], name="telecommand_by_state"),
            models.Index(fields=["spacecraft", "request_id"], name="telecommand_by_request"),
            models.Index(fields=["origin"], name="telecommand_by_origin"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(approved_by=F("submitted_by")),
                name="telecommand_second_person_approves",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["SUBMITTED", "REJECTED", "EXPIRED"])
                | (
                    Q(approval_entry__isnull=False)
                    & (
                        Q(approved_by__isnull=False, submitted_by__isnull=False)
                        | ~Q(approval_policy="")
                    )
                ),
                name="telecommand_goes_on_only_approved",
            ),
            models.CheckConstraint(
                condition=Q(hazardous=False) | Q(approval_policy=""),
                name="telecommand_hazardous_by_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(approval_policy="") | Q(submitted_by__isnull=True),
                name="telecommand_policy_is_no_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["SUBMITTED", "APPROVED", "REJECTED", "EXPIRED"])
                | Q(request_id__isnull=False, packet__isnull=False, released_at__isnull=False),
                name="telecommand_released_has_packet",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk} for {self.spacecraft}"


class TelecommandEvent(models.Model):
    """What happened to a telecommand, in order; rows are only added."""

    telecommand = models.ForeignKey(Telecommand, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    detail = models.CharField(max_length=300, blank=True)

    objects = OrganisationRows["TelecommandEvent"]("telecommand__spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.telecommand} {self.at:%Y-%m-%d %H:%M:%SZ}"


class PacketSequenceCounter(models.Model):
    """The next packet sequence count of one APID; it survives every restart.

    Many spacecraft answer a repeated count with silence, so a counter is never
    set back.
    """

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="+")
    apid = models.PositiveSmallIntegerField()
    next_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["spacecraft", "apid"], name="packet_sequence_counter_once"
            ),
            models.CheckConstraint(
                condition=Q(next_count__lt=SEQUENCE_COUNT_MODULUS),
                name="packet_sequence_counter_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spacecraft} APID {self.apid}: {self.next_count}"


class ReadCursor(models.Model):
    """How far one reader has come in the packets of one spacecraft."""

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=40)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["spacecraft", "name"], name="read_cursor_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.spacecraft} at {self.position}"
