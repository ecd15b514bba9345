from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from django.db.models import Q

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.kernel.organisations import acting_for_everybody

TOKEN_MARK = "mc"  # noqa: S105  # every token begins with it, so that leaks can be searched for


def get_operator(*, username: str) -> Operator:
    """Return one operator.

    Raises:
        Operator.DoesNotExist: nobody has that name.
    """
    return Operator.objects.get(username=username)


def get_organisation(*, slug: str) -> Organisation:
    """Return one organisation.

    Raises:
        Organisation.DoesNotExist: none has that slug.
    """
    return Organisation.objects.get(slug=slug)


def accounts_of(organisation: Organisation) -> list[Operator]:
    """Return the accounts that *organisation* keeps or has given a role, by name."""
    return list(
        Operator.objects.filter(Q(home=organisation) | Q(memberships__organisation=organisation))
        .select_related("home")
        .prefetch_related("memberships__organisation")
        .distinct()
        .order_by("username")
    )


def is_last_administrator(membership: Membership) -> bool:
    """Return whether nobody could administer the organisation without this role."""
    if membership.role != Role.ADMINISTRATOR:
        return False
    others = Membership.objects.filter(
        organisation=membership.organisation,
        role=Role.ADMINISTRATOR,
        operator__is_active=True,
        operator__is_service_account=False,
    ).exclude(operator=membership.operator_id)
    return not others.exists()


def token_in_force(secret: str, *, wall_at: datetime) -> ApiToken | None:
    """Return the token that *secret* opens, or None: unknown, expired, revoked.

    The digests are compared in constant time.

    Args:
        secret: As the client shows it.
        wall_at: Now, on the machine's clock.
    """
    mark, _, rest = secret.partition("_")
    prefix, _, key = rest.partition("_")
    if mark != TOKEN_MARK or not key:
        return None
    with acting_for_everybody():  # whose it is shows only when it is found
        token = (
            ApiToken.objects.select_related("operator", "organisation")
            .filter(prefix=prefix, revoked_at=None, operator__is_active=True)
            .first()
        )
    if token is None or token.expires_at <= wall_at:
        return None
    if not hmac.compare_digest(token.digest, digest_of(key)):
        return None
    return token


def digest_of(key: str) -> str:
    """Return what is stored of a token's key: it is random, so one hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()
