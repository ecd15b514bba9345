from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from missioncontrol.accounts.policy import Role


class Organisation(models.Model):
    """A member of the consortium, or the operator of the spacecraft."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Operator(AbstractUser):
    """A person or a service account that acts; what it may do stands in its memberships."""

    display_name = models.CharField(max_length=120, blank=True)

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
    """A pipeline's key. Only its digest is stored; the secret is shown once."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tokens")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"mc_{self.prefix}_… ({self.name})"
