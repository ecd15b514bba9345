from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models

from missioncontrol.accounts.models import Organisation
from missioncontrol.fleet.models import Antenna, GroundStation, MissionProfile, Spacecraft
from missioncontrol.kernel.organisation_rows import OrganisationRows


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
    # Whom the antenna looks at, where that carries the spacecraft's signals; the angles are its.
    relay = models.ForeignKey(
        Spacecraft,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="relayed_contacts",
    )
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
    # Whence it comes; neither where the product booked it by itself.
    plan = models.ForeignKey(
        "Plan", null=True, blank=True, on_delete=models.PROTECT, related_name="contacts"
    )
    request = models.ForeignKey(
        "ContactRequest", null=True, blank=True, on_delete=models.PROTECT, related_name="contacts"
    )
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


class ContactRequest(models.Model):
    """What a member wants of one spacecraft: so many contacts within a time.

    The words are those of ``solver/problem.py``, which says what a contact is
    worth. Its content is the business of the member and of who operates the
    spacecraft.
    """

    class Kind(models.TextChoices):
        TTC = "TTC", "telemetry, tracking and command"
        DATA = "DATA", "data down"
        UPLINK = "UPLINK", "inputs up"

    class State(models.TextChoices):
        OPEN = "OPEN", "is planned for"
        WITHDRAWN = "WITHDRAWN", "was withdrawn"

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="contact_requests"
    )
    spacecraft = models.ForeignKey(
        Spacecraft, on_delete=models.PROTECT, related_name="contact_requests"
    )
    kind = models.CharField(max_length=6, choices=Kind.choices)
    priority = models.PositiveSmallIntegerField()  # 1 is the highest, 5 the lowest
    earliest = models.DateTimeField()  # a contact begins no sooner
    latest = models.DateTimeField(null=True, blank=True)  # and no later
    deadline = models.DateTimeField()  # and ends no later
    minimum_duration_s = models.PositiveIntegerField(default=0)
    minimum_count = models.PositiveSmallIntegerField(default=1)
    maximum_count = models.PositiveSmallIntegerField()
    value = models.FloatField()  # of a contact
    value_per_s = models.FloatField(default=0.0)
    missing_cost = models.FloatField()  # of each contact below the minimum
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = OrganisationRows["ContactRequest"]("organisation", "spacecraft__organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(deadline__gt=models.F("earliest")),
                name="contact_request_deadline_is_later",
            ),
            models.CheckConstraint(
                condition=models.Q(priority__gte=1, priority__lte=5),
                name="contact_request_priority_in_range",
            ),
        ]
        indexes = [models.Index(fields=["state", "deadline"], name="contact_request_open")]

    def __str__(self) -> str:
        return f"contact request {self.pk}"


class Outage(models.Model):
    """An antenna, or a spacecraft, that serves nobody for a while.

    Of a relay spacecraft it is an outage of what it carries for others too.
    """

    antenna = models.ForeignKey(
        Antenna, null=True, blank=True, on_delete=models.PROTECT, related_name="outages"
    )
    spacecraft = models.ForeignKey(
        Spacecraft, null=True, blank=True, on_delete=models.PROTECT, related_name="outages"
    )
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    planned = models.BooleanField()
    reason = models.CharField(max_length=300)
    declared_by = models.ForeignKey(  # nobody, where the antenna's provider refused a contact
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    declared_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("begins")), name="outage_ends_later"
            ),
            models.CheckConstraint(
                condition=models.Q(antenna=None, spacecraft__isnull=False)
                | models.Q(antenna__isnull=False, spacecraft=None),
                name="outage_of_one_thing",
            ),
        ]
        indexes = [models.Index(fields=["ends"], name="outage_by_end")]

    def __str__(self) -> str:
        return f"outage {self.pk} of {self.resource}"

    @property
    def resource(self) -> str:
        """The name of what is out."""
        return self.antenna.name if self.antenna is not None else str(self.spacecraft)

    @property
    def owner(self) -> Organisation:
        """Whose antenna or spacecraft it is."""
        if self.antenna is not None:
            return self.antenna.station.owner
        assert self.spacecraft is not None  # the database sees to it
        return self.spacecraft.organisation


class Plan(models.Model):
    """One answer to the question who is served when, from its proposal to its end.

    ``document`` is the problem and its plan, all that a verifier needs
    (``solver/document.py``); the other columns repeat what lists and pages show.
    ``changes`` says what becomes of the contacts booked when it was made.
    """

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", "waits for approval"
        APPROVED = "APPROVED", "may be published"
        PUBLISHED = "PUBLISHED", "is in force"
        SUPERSEDED = "SUPERSEDED", "was followed by another"
        REFUSED = "REFUSED", "was refused"

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="plans")
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    # About outages and pins; all else stays as it can.
    repairs = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    base = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followers"
    )
    method = models.CharField(max_length=12)
    objective = models.FloatField()
    bound = models.FloatField(null=True, blank=True)
    gap = models.FloatField(null=True, blank=True)
    seed = models.PositiveBigIntegerField()
    solver = models.CharField(max_length=60)
    input_digest = models.CharField(max_length=80)
    contact_count = models.PositiveIntegerField()
    document = models.JSONField()
    # Windows that it had to book (for a request), or to leave free (null).
    pins = models.JSONField(default=list)
    unserved = models.JSONField()
    shares = models.JSONField(default=list)  # what members are given (plan_shares.py)
    changes = models.JSONField()
    unchanged = models.PositiveIntegerField()
    # What could not be booked as it was published, each with the reason.
    left_out = models.JSONField(default=list)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    improved_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(  # nobody, where it was approved by the installation's policy
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = OrganisationRows["Plan"]("organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("begins")), name="plan_ends_later"
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="PUBLISHED"),
                name="plan_in_force_is_one",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.pk}"


class CongestionPrice(models.Model):
    """What an antenna's time is worth to those that compete for it, by the plan in force."""

    antenna = models.ForeignKey(Antenna, on_delete=models.CASCADE, related_name="prices")
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    price = models.FloatField()

    class Meta:
        ordering = ["begins"]
        indexes = [models.Index(fields=["begins"], name="congestion_price_by_time")]

    def __str__(self) -> str:
        return f"{self.price:.1f} for {self.antenna} at {self.begins:%Y-%m-%d %H:%M:%SZ}"


class CalendarFeed(models.Model):
    """Contacts as a calendar, for whoever has the secret address; times of the machine's clock.

    Of one spacecraft, of one station, or, where neither is named, of what
    concerns the organisation.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="calendar_feeds"
    )
    spacecraft = models.ForeignKey(Spacecraft, null=True, blank=True, on_delete=models.PROTECT)
    station = models.ForeignKey(GroundStation, null=True, blank=True, on_delete=models.PROTECT)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = OrganisationRows["CalendarFeed"]("organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(spacecraft=None) | models.Q(station=None),
                name="calendar_feed_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"calendar of {self.subject}"

    @property
    def subject(self) -> str:
        """Whose contacts it has."""
        return str(self.spacecraft or self.station or self.organisation)
