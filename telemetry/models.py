from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.organisation_rows import OrganisationRows
from missioncontrol.scheduling.models import Contact


class Severity(models.TextChoices):
    """How an operator's screen calls a limit state, mildest first."""

    CAUTION = "caution"
    SERIOUS = "serious"
    CRITICAL = "critical"


class LinkSession(models.Model):
    """One connection to a station's return service, and what came over it."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="link_sessions")
    antenna = models.CharField(max_length=40)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=200, blank=True)
    frames_good = models.PositiveBigIntegerField(default=0)
    frames_bad = models.PositiveBigIntegerField(default=0)
    frames_lost = models.PositiveBigIntegerField(default=0)
    packets = models.PositiveBigIntegerField(default=0)
    packets_lost = models.PositiveBigIntegerField(default=0)
    octets = models.PositiveBigIntegerField(default=0)
    last_frame_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["opened_at"]

    def __str__(self) -> str:
        return f"{self.antenna} from {self.opened_at:%H:%M:%SZ}: {self.frames_good} frames"


class InputCounts(models.Model):
    """What came in at one input of a spacecraft, and what was lost there, since it exists."""

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="inputs")
    name = models.CharField(max_length=30)
    units = models.PositiveBigIntegerField(default=0)  # packets or frames
    octets = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)  # pieces that were none
    dropped = models.PositiveBigIntegerField(default=0)  # datagrams, by the kernel or a full spool
    connections = models.PositiveBigIntegerField(default=0)
    last_received_at = models.DateTimeField(null=True, blank=True)
    last_dropped_at = models.DateTimeField(null=True, blank=True)
    last_drop_reason = models.CharField(max_length=80, blank=True)

    objects = OrganisationRows["InputCounts"]("spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        verbose_name_plural = "input counts"
        ordering = ["spacecraft", "name"]
        constraints = [
            models.UniqueConstraint(fields=["spacecraft", "name"], name="input_counted_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.spacecraft}: {self.units} units, {self.dropped} dropped"


def hour_of(instant: datetime) -> datetime:
    """Return when the hour began that frames received at *instant* are counted under."""
    return instant.replace(minute=0, second=0, microsecond=0)


class ChannelFrames(models.Model):
    """Frames of one virtual channel that a station heard in one hour, and those it missed.

    By the hour of their reception, so that any span of a mission can be added up.
    """

    spacecraft = models.ForeignKey(
        Spacecraft, on_delete=models.PROTECT, related_name="channel_frames"
    )
    station = models.CharField(max_length=40)  # or input
    virtual_channel = models.PositiveSmallIntegerField()
    hour = models.DateTimeField()  # that it begins
    frames_good = models.PositiveBigIntegerField(default=0)
    frames_lost = models.PositiveBigIntegerField(default=0)  # by their counts

    objects = OrganisationRows["ChannelFrames"]("spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        verbose_name_plural = "channel frames"
        ordering = ["spacecraft", "station", "virtual_channel", "hour"]
        constraints = [
            models.UniqueConstraint(
                fields=["spacecraft", "station", "virtual_channel", "hour"],
                name="channel_frames_counted_once",
            )
        ]

    def __str__(self) -> str:
        return (
            f"channel {self.virtual_channel} of {self.spacecraft} at {self.station} from"
            f" {self.hour:%Y-%m-%d %H:%MZ}: {self.frames_good} frames, {self.frames_lost} lost"
        )


class BadFrame(models.Model):
    """Octets that could not be used, kept with their reason."""

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="bad_frames")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT)
    station = models.CharField(max_length=40)
    received_at = models.DateTimeField()
    fault = models.CharField(max_length=40, blank=True)  # FrameFault; empty: kept before it was
    reason = models.CharField(max_length=300)
    octets = models.BinaryField()

    objects = OrganisationRows["BadFrame"]("spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-received_at", "-pk"]
        indexes = [models.Index(fields=["spacecraft", "-received_at"], name="bad_frame_by_time")]

    def __str__(self) -> str:
        return f"{len(self.octets)} octets from {self.station}: {self.reason}"


class Alarm(models.Model):
    """A parameter left its limits: raised, acknowledged by a person, cleared by the parameter."""

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="alarms")
    parameter = models.CharField(max_length=80)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    value = models.CharField(max_length=80)
    limit = models.CharField(max_length=200)
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )

    objects = OrganisationRows["Alarm"]("spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-raised_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["spacecraft", "parameter"],
                condition=models.Q(cleared_at=None),
                name="alarm_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledged_at=None, acknowledged_by=None)
                | models.Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="alarm_acknowledged_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parameter} of {self.spacecraft} {self.severity}: {self.value}"
