from __future__ import annotations

from django.db import models

from missioncontrol.fleet.models import Ephemeris, GroundStation, Spacecraft


class ContactWindow(models.Model):
    """A predicted time above a station's mask: recomputed, never edited.

    A contact that was booked on it keeps its own times (see scheduling).
    """

    spacecraft = models.ForeignKey(
        Spacecraft, on_delete=models.CASCADE, related_name="contact_windows"
    )
    station = models.ForeignKey(
        GroundStation, on_delete=models.CASCADE, related_name="contact_windows"
    )
    aos = models.DateTimeField()
    tca = models.DateTimeField()
    los = models.DateTimeField()
    max_elevation_deg = models.FloatField()
    aos_azimuth_deg = models.FloatField()
    los_azimuth_deg = models.FloatField()
    clipped_start = models.BooleanField(default=False)
    clipped_end = models.BooleanField(default=False)
    ephemeris = models.ForeignKey(Ephemeris, on_delete=models.CASCADE)
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["aos"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(los__gte=models.F("aos")), name="contact_window_ends_later"
            ),
            models.UniqueConstraint(
                fields=["spacecraft", "station", "aos"], name="contact_window_once"
            ),
        ]
        indexes = [models.Index(fields=["spacecraft", "aos"], name="contact_window_by_time")]

    def __str__(self) -> str:
        return f"{self.spacecraft} over {self.station} at {self.aos:%Y-%m-%d %H:%M:%SZ}"


class WindowHorizon(models.Model):
    """Up to when the windows of one spacecraft are computed, and with which elements."""

    spacecraft = models.OneToOneField(Spacecraft, on_delete=models.CASCADE, primary_key=True)
    start = models.DateTimeField()
    end = models.DateTimeField()
    ephemeris = models.ForeignKey(Ephemeris, on_delete=models.CASCADE)
    # Why there are no windows, where the elements were refused (decayed, too old).
    refusal = models.TextField(blank=True)
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"windows of {self.spacecraft} until {self.end:%Y-%m-%d %H:%MZ}"
