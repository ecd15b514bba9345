from __future__ import annotations

from typing import Final

from django.contrib.auth.models import AbstractUser
from django.db import models

from missioncontrol.accounts.policy import Role
from missioncontrol.kernel.organisation_rows import OrganisationRows

OPERATING_KIND: Final = "operator"


class Organisation(models.Model):
    """A member of the consortium, or the operator of the spacecraft."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def operates_the_mission(self) -> bool:
        """Whether the clock, the mission file and the log's witnesses are its business."""
        return self.kind == OPERATING_KIND


class Operator(AbstractUser):
    """A person or a service account that acts; what it may do stands in its memberships."""

    display_name = models.CharField(max_length=120, blank=True)
    # Who keeps the account: its administrators close it and invite the person again.
    home = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="accounts"
    )
    # A pipeline: it has no password and cannot sign in, it works with tokens only.
    is_service_account = models.BooleanField(default=False)

    def roles_held(self) -> list[Membership]:
        """Return the roles that this account holds now, each with its organisation."""
        return list(self.memberships.select_related("organisation"))

    @property
    def audit_name(self) -> str:
        """How the consortium log names this person as an actor."""
        return f"operator:{self.username}"

    def __str__(self) -> str:
        return self.username


class Membership(models.Model):
    """One role of one operator for one organisation."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=[(role.value, role.label) for role in Role])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "organisation", "role"], name="membership_held_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.operator} is {self.role} for {self.organisation}"


class ApiToken(models.Model):
    """A pipeline's key. Only its digest is stored; the secret is shown once.

    Its times are those of the machine's clock: a rehearsal that runs thirty
    times as fast must not wear out keys thirty times as fast.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tokens")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)  # names of actions; of the roles' only these
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = OrganisationRows["ApiToken"]("organisation")

    class Meta:
        base_manager_name = "objects"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"mc_{self.prefix}_… ({self.name})"


class SingleSignOn(models.Model):
    """How an organisation's people sign in with their own identity provider (OpenID Connect)."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, related_name="single_sign_on"
    )
    issuer = models.URLField(max_length=300)  # /.well-known/openid-configuration follows
    client_id = models.CharField(max_length=200)
    sealed_secret = models.TextField()  # see missioncontrol.kernel.sealing
    enabled = models.BooleanField(default=True)

    objects = OrganisationRows["SingleSignOn"]("organisation")

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"single sign-on of {self.organisation} at {self.issuer}"
