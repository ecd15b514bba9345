from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import TAKES_CONFIRMATION, Action, Role, actions_of
from missioncontrol.accounts.selectors import TOKEN_MARK, digest_of
from missioncontrol.accounts.services.errors import AccountRefusedError
from missioncontrol.accounts.services.rights import require_of_people
from missioncontrol.audit.services import append_entry

MAX_TOKEN_LIFETIME: Final = timedelta(days=365)
_NOTE_USE_EVERY: Final = timedelta(minutes=1)
_NAME_LENGTH: Final = 80


@transaction.atomic
def create_token(
    *,
    operator: Operator,
    organisation: Organisation,
    name: str,
    at: datetime,
    wall_at: datetime,
    actor: Operator | str | None = None,
    scopes: Collection[Action] | None = None,
    lifetime: timedelta = timedelta(days=90),
) -> tuple[ApiToken, str]:
    """Make an API token and return it with its secret, which is shown only now.

    Args:
        operator: Whose rights it carries, those for *organisation* only.
        organisation: Whom it acts for.
        name: What it is for.
        at: Moment of the change, UTC (mission time).
        wall_at: The same on the machine's clock, which its life is counted on.
        actor: Who makes it; None: the account itself.
        scopes: Of the rights of its roles only these; None: all but those that
            take a confirmation.
        lifetime: Until it expires.

    Raises:
        AccountRefusedError: *operator* is no member of *organisation*, a scope
            is none of its rights, the lifetime is not above zero and at most a
            year, or the name is empty or too long.
        NotPermittedError: *actor* is another person and no administrator there.
    """
    maker = operator if actor is None else actor
    if maker != operator:
        require_of_people(maker, Action.TOKEN_MANAGE, organisation)
    granted = _granted_scopes(operator, organisation, scopes)
    _check(name, lifetime)
    prefix, key = secrets.token_hex(5), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        operator=operator,
        organisation=organisation,
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        scopes=sorted(granted),
        created_at=wall_at,
        expires_at=wall_at + lifetime,
    )
    append_entry(
        action="token.create",
        subject=f"token:{prefix}",
        actor=maker,
        at=at,
        organisation=organisation.slug,
        details={
            "account": operator.username,
            "expires": token.expires_at.isoformat(timespec="seconds"),
            "scopes": sorted(granted),
        },
    )
    return token, f"{TOKEN_MARK}_{prefix}_{key}"


def _granted_scopes(
    operator: Operator, organisation: Organisation, asked: Collection[Action] | None
) -> frozenset[Action]:
    roles = [
        Role(role)
        for role in Membership.objects.filter(
            operator=operator, organisation=organisation
        ).values_list("role", flat=True)
    ]
    if not roles:
        raise AccountRefusedError(
            f"{operator} holds no role for {organisation}; a token needs one."
        )
    rights = actions_of(roles)
    if asked is None:
        return rights - TAKES_CONFIRMATION
    if not asked:
        raise AccountRefusedError(
            f"A token without a scope could do nothing; choose from {', '.join(sorted(rights))}.",
            field="scopes",
        )
    beyond = sorted(set(asked) - rights)
    if beyond:
        raise AccountRefusedError(
            f"{operator} itself may not do {', '.join(beyond)} for {organisation}; a token can "
            f"have the scopes {', '.join(sorted(rights))}.",
            field="scopes",
        )
    return frozenset(asked)


def _check(name: str, lifetime: timedelta) -> None:
    if not timedelta(0) < lifetime <= MAX_TOKEN_LIFETIME:
        raise AccountRefusedError(
            f"A token for {lifetime.days} days; more than 0 and at most "
            f"{MAX_TOKEN_LIFETIME.days} can be given.",
            field="lifetime",
        )
    if not 0 < len(name) <= _NAME_LENGTH:
        raise AccountRefusedError(
            f"The token's name has {len(name)} characters; 1 to {_NAME_LENGTH} are allowed.",
            field="name",
        )


@transaction.atomic
def revoke_token(
    *, token_id: int, actor: Operator | str, at: datetime, wall_at: datetime
) -> ApiToken:
    """End a token now; ending it twice changes nothing. Who uses it may end it too.

    Raises:
        ApiToken.DoesNotExist: no such token.
        NotPermittedError: *actor* is another person and no administrator there.
    """
    token = ApiToken.objects.select_for_update().get(pk=token_id)
    if token.operator != actor:
        require_of_people(actor, Action.TOKEN_MANAGE, token.organisation)
    if token.revoked_at is not None:
        return token
    token.revoked_at = wall_at
    token.save(update_fields=["revoked_at"])
    append_entry(
        action="token.revoke",
        subject=f"token:{token.prefix}",
        actor=actor,
        at=at,
        organisation=token.organisation.slug,
    )
    return token


def revoke_all_tokens(operator: Operator, *, wall_at: datetime) -> None:
    """End what an account has, as part of closing it."""
    ApiToken.objects.filter(operator=operator, revoked_at=None).update(revoked_at=wall_at)


def note_token_use(*, token: ApiToken, wall_at: datetime) -> None:
    """Note that a token was used, once a minute at most: it shows which can be revoked."""
    if token.last_used_at is None or wall_at - token.last_used_at > _NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=wall_at)
