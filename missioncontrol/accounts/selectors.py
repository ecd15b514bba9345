from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from missioncontrol.accounts.models import ApiToken, Operator, Organisation

TOKEN_MARK = "mc"  # noqa: S105  # every token begins with it, so that leaks can be searched for


def get_operator(*, username: str) -> Operator:
    """Return one operator.

    Raises:
        Operator.DoesNotExist: nobody has that name.
    """
    return Operator.objects.get(username=username)


def organisations_of(operator: Operator) -> list[Organisation]:
    """Return the organisations that *operator* holds any role for."""
    return list(Organisation.objects.filter(memberships__operator=operator).distinct())


def token_in_force(secret: str, *, at: datetime) -> ApiToken | None:
    """Return the token that *secret* opens, or None: unknown, expired, revoked.

    The digests are compared in constant time.
    """
    mark, _, rest = secret.partition("_")
    prefix, _, key = rest.partition("_")
    if mark != TOKEN_MARK or not key:
        return None
    token = (
        ApiToken.objects.select_related("operator", "organisation")
        .filter(prefix=prefix, revoked_at=None, operator__is_active=True)
        .first()
    )
    if token is None or token.expires_at <= at:
        return None
    if not hmac.compare_digest(token.digest, digest_of(key)):
        return None
    return token


def digest_of(key: str) -> str:
    """Return what is stored of a token's key: it is random, so one hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()
