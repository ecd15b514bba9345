from __future__ import annotations

from django.db import models

from missioncontrol.accounts.models import Organisation


class Mission(models.Model):
    """The mission file in force: where it came from and what its clock says."""

    name = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    # Of a rehearsal; empty in flight, where mission time is UTC.
    clock_start = models.DateTimeField(null=True, blank=True)
    clock_factor = models.FloatField(null=True, blank=True)
    file_sha256 = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.title


class GroundStation(models.Model):
    """A place with antennas, on the WGS84 ellipsoid; longitude counts east.

    ``horizon_mask`` is a list of knots [azimuth_deg, elevation_deg]; where it
    is not empty it stands instead of ``mask_deg``.
    """

    name = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=120)
    latitude_deg = models.FloatField()
    longitude_deg = models.FloatField()
    height_m = models.FloatField()
    mask_deg = models.FloatField()
    horizon_mask = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="stations")
    leased = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(latitude_deg__gte=-90, latitude_deg__lte=90),
                name="ground_station_latitude_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(longitude_deg__gte=-180, longitude_deg__lte=180),
                name="ground_station_longitude_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Antenna(models.Model):
    """What a contact is booked on; ``link_url`` says how the ground reaches it."""

    station = models.ForeignKey(GroundStation, on_delete=models.PROTECT, related_name="antennas")
    name = models.CharField(max_length=40, unique=True)
    link_url = models.CharField(max_length=200)
    setup_s = models.PositiveIntegerField()
    teardown_s = models.PositiveIntegerField()
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Spacecraft(models.Model):
    """One spacecraft and all that is needed to speak with it.

    The JSON fields hold what ``mission_file`` has checked: ``LinkProfile``,
    ``CfdpProfile`` and a list of ``TelecommandDefinition``.
    ``telemetry_dictionary`` is the text of an XTCE document.
    """

    class Phase(models.TextChoices):
        LEOP = "LEOP", "launch and early orbit"
        COMMISSIONING = "COMMISSIONING", "commissioning"
        NOMINAL = "NOMINAL", "nominal operations"
        CONTINGENCY = "CONTINGENCY", "contingency"
        DISPOSAL = "DISPOSAL", "disposal"

    name = models.CharField(max_length=40, unique=True)
    ccsds_id = models.PositiveSmallIntegerField(unique=True)
    phase = models.CharField(max_length=20, choices=Phase.choices)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="spacecraft"
    )
    link_profile = models.JSONField()
    cfdp_profile = models.JSONField()
    telecommands = models.JSONField(default=list)
    telemetry_dictionary = models.TextField()
    # Over whom it can reach the ground, besides by itself.
    relays = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="users")
    # As a relay: how many others it carries to the ground at once; with 0 no plan uses it.
    relay_links = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "spacecraft"

    def __str__(self) -> str:
        return self.name


class Ephemeris(models.Model):
    """One set of elements, or one ephemeris message.

    It is never edited: a better one is loaded beside it.
    """

    class Kind(models.TextChoices):
        TLE = "TLE"
        OMM = "OMM"
        OEM = "OEM"

    spacecraft = models.ForeignKey(
        Spacecraft, on_delete=models.PROTECT, related_name="ephemerides"
    )
    kind = models.CharField(max_length=3, choices=Kind.choices)
    name = models.CharField(max_length=40)
    line1 = models.CharField(max_length=69, blank=True)
    line2 = models.CharField(max_length=69, blank=True)
    omm = models.JSONField(default=dict, blank=True)
    oem = models.TextField(blank=True)
    epoch = models.DateTimeField()
    priority = models.PositiveSmallIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    loaded_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "ephemerides"
        indexes = [
            models.Index(
                fields=["spacecraft", "-priority", "-loaded_at"], name="ephemeris_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.name}, epoch {self.epoch:%Y-%m-%d %H:%MZ}"


class MissionProfile(models.Model):
    """How much time a contact has around it, and how short it may be."""

    name = models.SlugField(max_length=60, unique=True)
    spacecraft = models.ForeignKey(
        Spacecraft, on_delete=models.PROTECT, related_name="mission_profiles"
    )
    pre_pass_s = models.PositiveIntegerField()
    post_pass_s = models.PositiveIntegerField()
    minimum_contact_s = models.PositiveIntegerField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
