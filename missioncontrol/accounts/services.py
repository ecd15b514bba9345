from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.selectors import TOKEN_MARK, digest_of
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.errors import RefusedError

MAX_TOKEN_LIFETIME = timedelta(days=365)
_NOTE_USE_EVERY = timedelta(minutes=1)
_NAME_LENGTH = 80


class AccountRefusedError(RefusedError):
    """The account or token cannot be made like this."""


@transaction.atomic
def create_operator(
    *,
    username: str,
    display_name: str,
    organisation: Organisation,
    roles: Iterable[Role],
    password: str | None,
    at: datetime,
    actor: Operator | str,
) -> Operator:
    """Make an account with its roles for one organisation.

    Args:
        username: Unique sign-in name.
        display_name: What pages show.
        organisation: Whose member it is.
        roles: What it is for that organisation.
        password: At least 12 characters; ``None`` for a service account, which
            cannot sign in and works with tokens only.
        at: Moment of the change, UTC.
        actor: Who makes it.

    Raises:
        AccountRefusedError: the name is taken or no name, or the password too weak.
    """
    operator = Operator(username=username, display_name=display_name)
    try:
        operator.clean_fields(exclude={"password"})
    except ValidationError as error:
        raise AccountRefusedError(
            f"The account {username[:40]!r} was not made: {' '.join(error.messages)}"
        ) from error
    if Operator.objects.filter(username=username).exists():
        raise AccountRefusedError(f"The name {username!r} is taken; choose another.")
    if password is None:
        operator.set_unusable_password()
    else:
        try:
            validate_password(password, operator)
        except ValidationError as error:
            raise AccountRefusedError(" ".join(error.messages)) from error
        operator.set_password(password)
    operator.save()
    held = [Role(role) for role in roles]
    for role in held:
        Membership.objects.create(operator=operator, organisation=organisation, role=role)
    append_entry(
        action="operator.create",
        subject=f"operator:{username}",
        actor=actor,
        at=at,
        organisation=organisation.slug,
        details={"roles": sorted(held)},
    )
    return operator


@transaction.atomic
def grant_role(
    *,
    operator: Operator,
    organisation: Organisation,
    role: Role,
    at: datetime,
    actor: Operator | str,
) -> None:
    """Give *operator* a role for *organisation*; one that is held already stays."""
    _membership, is_new = Membership.objects.get_or_create(
        operator=operator, organisation=organisation, role=Role(role)
    )
    if is_new:
        append_entry(
            action="operator.grant",
            subject=f"operator:{operator.username}",
            actor=actor,
            at=at,
            organisation=organisation.slug,
            details={"role": Role(role).value},
        )


@transaction.atomic
def create_token(
    *,
    operator: Operator,
    organisation: Organisation,
    name: str,
    at: datetime,
    lifetime: timedelta = timedelta(days=90),
) -> tuple[ApiToken, str]:
    """Make an API token and return it with its secret, which is shown only now.

    Raises:
        AccountRefusedError: *operator* is no member of *organisation*, the
            lifetime is not above zero and at most a year, or the name too long.
    """
    if not Membership.objects.filter(operator=operator, organisation=organisation).exists():
        raise AccountRefusedError(
            f"{operator} holds no role for {organisation}; a token needs one."
        )
    if not timedelta(0) < lifetime <= MAX_TOKEN_LIFETIME:
        raise AccountRefusedError(
            f"A token for {lifetime.days} days; more than 0 and at most "
            f"{MAX_TOKEN_LIFETIME.days} can be given."
        )
    if not 0 < len(name) <= _NAME_LENGTH:
        raise AccountRefusedError(
            f"The token's name has {len(name)} characters; 1 to {_NAME_LENGTH} are allowed."
        )
    prefix, key = secrets.token_hex(5), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        operator=operator,
        organisation=organisation,
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        created_at=at,
        expires_at=at + lifetime,
    )
    append_entry(
        action="token.create",
        subject=f"token:{prefix}",
        actor=operator,
        at=at,
        organisation=organisation.slug,
        details={"name": name, "expires": token.expires_at.isoformat()},
    )
    return token, f"{TOKEN_MARK}_{prefix}_{key}"


@transaction.atomic
def revoke_token(*, token_id: int, actor: Operator | str, at: datetime) -> None:
    """End a token now; ending it twice changes nothing.

    Raises:
        ApiToken.DoesNotExist: no such token.
    """
    token = ApiToken.objects.select_for_update().select_related("organisation").get(pk=token_id)
    if token.revoked_at is not None:
        return
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    append_entry(
        action="token.revoke",
        subject=f"token:{token.prefix}",
        actor=actor,
        at=at,
        organisation=token.organisation.slug,
    )


def note_token_use(*, token: ApiToken, at: datetime) -> None:
    """Note that a token was used, once a minute at most: it shows which can be revoked."""
    if token.last_used_at is None or at - token.last_used_at > _NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)
