from __future__ import annotations

from typing import Final

from django.db import models

from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft


class Contact(models.Model):
    """A booked pass: one spacecraft, one antenna, from AOS to LOS.

    It keeps its times when the orbit is predicted anew; ``drift_s`` then says
    by how much AOS has moved. An executor that works on it holds a lease and
    an epoch; the lease runs on the database's clock, the epoch only grows.
    """

    class State(models.TextChoices):
        SCHEDULED = "SCHEDULED"
        PREPASS = "PREPASS"
        PASS = "PASS"  # noqa: S105  # a satellite pass
        POSTPASS = "POSTPASS"
        COMPLETED = "COMPLETED"
        FAILED = "FAILED"
        MISSED = "MISSED"
        CANCELLED = "CANCELLED"

    spacecraft = models.ForeignKey(Spacecraft, on_delete=models.PROTECT, related_name="contacts")
    antenna = models.ForeignKey(Antenna, on_delete=models.PROTECT, related_name="contacts")
    profile = models.ForeignKey(MissionProfile, on_delete=models.PROTECT)
    aos = models.DateTimeField()
    tca = models.DateTimeField()
    los = models.DateTimeField()
    max_elevation_deg = models.FloatField()
    aos_azimuth_deg = models.FloatField()
    los_azimuth_deg = models.FloatField()
    pre_pass_s = models.PositiveIntegerField()
    post_pass_s = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.SCHEDULED)
    drift_s = models.FloatField(default=0.0)
    booked_at = models.DateTimeField()
    lease_holder = models.CharField(max_length=120, blank=True)
    lease_epoch = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)  # database clock
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        ordering = ["aos"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(los__gt=models.F("aos")), name="contact_ends_later"
            ),
            models.UniqueConstraint(
                fields=["antenna", "aos"],
                condition=~models.Q(state="CANCELLED"),
                name="contact_antenna_booked_once",
            ),
            models.UniqueConstraint(
                fields=["spacecraft", "aos"],
                condition=~models.Q(state="CANCELLED"),
                name="contact_spacecraft_booked_once",
            ),
        ]
        indexes = [models.Index(fields=["state", "aos"], name="contact_by_state_and_time")]

    def __str__(self) -> str:
        return f"contact {self.pk}: {self.spacecraft} over {self.antenna}"


_STATE = Contact.State

# What may follow what. PREPASS goes straight to POSTPASS when nothing was acquired.
TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    _STATE.SCHEDULED: frozenset({_STATE.PREPASS, _STATE.MISSED, _STATE.CANCELLED}),
    _STATE.PREPASS: frozenset({_STATE.PASS, _STATE.POSTPASS, _STATE.FAILED, _STATE.CANCELLED}),
    _STATE.PASS: frozenset({_STATE.POSTPASS, _STATE.FAILED}),
    _STATE.POSTPASS: frozenset({_STATE.COMPLETED, _STATE.FAILED}),
    _STATE.COMPLETED: frozenset(),
    _STATE.FAILED: frozenset(),
    _STATE.MISSED: frozenset(),
    _STATE.CANCELLED: frozenset(),
}
IN_PROGRESS: Final = (_STATE.PREPASS, _STATE.PASS, _STATE.POSTPASS)
