from __future__ import annotations

from typing import Any, Final

from django.db import models

from missioncontrol.fleet.models import Ephemeris, GroundStation, Spacecraft

_UNCHECKED: Final[dict[str, Any]] = {
    "on_delete": models.CASCADE,
    "db_index": False,
    "db_constraint": False,
}


class ContactWindow(models.Model):
    """A predicted time above a station's mask: recomputed, never edited.

    A contact that was booked on it keeps its own times (see scheduling). There
    are hundreds of thousands of these, replaced again and again, so they carry
    what their readers need and no more: two indexes, and no check of the
    database that each spacecraft and station is there (half the time of storing).
    """

    spacecraft = models.ForeignKey(Spacecraft, related_name="contact_windows", **_UNCHECKED)
    station = models.ForeignKey(GroundStation, related_name="contact_windows", **_UNCHECKED)
    aos = models.DateTimeField()
    tca = models.DateTimeField()
    los = models.DateTimeField()
    max_elevation_deg = models.FloatField()
    aos_azimuth_deg = models.FloatField()
    los_azimuth_deg = models.FloatField()
    clipped_start = models.BooleanField(default=False)
    clipped_end = models.BooleanField(default=False)
    ephemeris = models.ForeignKey(Ephemeris, related_name="+", **_UNCHECKED)
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["aos"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(los__gte=models.F("aos")), name="contact_window_ends_later"
            ),
            models.UniqueConstraint(
                fields=["spacecraft", "aos", "station"], name="contact_window_once"
            ),
        ]
        indexes = [models.Index(fields=["aos"], name="contact_window_by_time")]

    def __str__(self) -> str:
        return f"{self.spacecraft} over {self.station} at {self.aos:%Y-%m-%d %H:%M:%SZ}"


class RelayPath(models.Model):
    """A predicted time in which a spacecraft reaches a station over a relay.

    Both hops are open: the spacecraft sees the relay, the relay the station.
    Recomputed, never edited, as contact windows are.
    """

    spacecraft = models.ForeignKey(Spacecraft, related_name="relay_paths", **_UNCHECKED)
    relay = models.ForeignKey(Spacecraft, related_name="relayed_paths", **_UNCHECKED)
    station = models.ForeignKey(GroundStation, related_name="relay_paths", **_UNCHECKED)
    aos = models.DateTimeField()
    los = models.DateTimeField()
    max_elevation_deg = models.FloatField()  # of the relay, over the station
    clipped_start = models.BooleanField(default=False)
    clipped_end = models.BooleanField(default=False)
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["aos"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(los__gte=models.F("aos")), name="relay_path_ends_later"
            ),
            models.UniqueConstraint(
                fields=["spacecraft", "aos", "relay", "station"], name="relay_path_once"
            ),
        ]
        indexes = [models.Index(fields=["aos"], name="relay_path_by_time")]

    def __str__(self) -> str:
        return (
            f"{self.spacecraft} by {self.relay} over {self.station} "
            f"at {self.aos:%Y-%m-%d %H:%M:%SZ}"
        )


class WindowHorizon(models.Model):
    """Up to when the windows of one spacecraft are computed, and with which elements."""

    spacecraft = models.OneToOneField(Spacecraft, on_delete=models.CASCADE, primary_key=True)
    start = models.DateTimeField()
    end = models.DateTimeField()
    ephemeris = models.ForeignKey(Ephemeris, on_delete=models.CASCADE)
    # Of the relays that the paths were computed over: relay -> ephemeris, primary keys.
    relay_ephemerides = models.JSONField(default=dict)
    # Why there are no windows, or not all, where elements were refused (decayed, too old).
    refusal = models.TextField(blank=True)
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"windows of {self.spacecraft} until {self.end:%Y-%m-%d %H:%MZ}"
