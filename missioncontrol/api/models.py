from __future__ import annotations

from django.conf import settings
from django.db import models

from missioncontrol.accounts.models import Organisation
from missioncontrol.kernel.organisation_rows import OrganisationRows


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered, to be answered again.

    It commits with what the request changed. Times are those of the machine's
    clock, as those of the tokens.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    key = models.CharField(max_length=80)
    request_digest = models.CharField(max_length=64)
    scopes = models.JSONField()  # of the token that asked
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    sealed_body = models.TextField(blank=True)  # an answer may hold a secret, as a new token's
    asked_at = models.DateTimeField(db_index=True)

    objects = OrganisationRows["KeptAnswer"]("organisation")

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "operator", "key"], name="kept_answer_once"
            )
        ]

    def __str__(self) -> str:
        return f"answer {self.status} to {self.key!r} of {self.operator}"
