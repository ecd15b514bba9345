from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from missioncontrol.accounts.models import Membership, Operator, Organisation
from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.selectors import is_last_administrator
from missioncontrol.accounts.services.errors import AccountRefusedError
from missioncontrol.accounts.services.rights import require_of_people
from missioncontrol.accounts.services.sessions import end_all_sessions
from missioncontrol.accounts.services.tokens import revoke_all_tokens
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.live import publish_after_commit


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
    is_service_account: bool = False,
) -> Operator:
    """Make an account with its roles for one organisation, which keeps it from then on.

    Args:
        username: Unique sign-in name.
        display_name: What pages show.
        organisation: Whose member it is.
        roles: What it is for that organisation.
        password: At least 12 characters; ``None`` for a service account, and for
            a person who will choose one by an invitation.
        at: Moment of the change, UTC.
        actor: Who makes it: an administrator of the organisation, or a process.
        is_service_account: It cannot sign in and works with tokens only.

    Raises:
        AccountRefusedError: the name is taken or no name, or the password too weak.
        NotPermittedError: *actor* is no administrator there.
    """
    require_of_people(actor, Action.ACCOUNT_MANAGE, organisation)
    operator = _new_operator(username, display_name, is_service_account=is_service_account)
    operator.home = organisation
    _set_password(operator, None if is_service_account else password)
    operator.save()
    held = sorted({Role(role) for role in roles})
    for role in held:
        Membership.objects.create(operator=operator, organisation=organisation, role=role)
    append_entry(
        action="operator.create",
        subject=f"operator:{username}",
        actor=actor,
        at=at,
        organisation=organisation.slug,
        details={"roles": held, "service_account": is_service_account},
    )
    publish_after_commit({"type": "refresh", "part": "accounts"})
    return operator


@transaction.atomic
def close_account(
    *, operator: Operator, actor: Operator | str, at: datetime, wall_at: datetime
) -> None:
    """Let an account do nothing more: its sessions and tokens end now.

    Closing a closed account changes nothing.

    Raises:
        AccountRefusedError: it is the last administrator of an organisation, or
            no organisation keeps it.
        NotPermittedError: *actor* is no administrator of the organisation that keeps it.
    """
    row = kept_account(operator, actor)
    if not row.is_active:
        return
    for membership in row.roles_held():
        if is_last_administrator(membership):
            raise AccountRefusedError(
                f"{row} is the last administrator of {membership.organisation}. Make another "
                "one first."
            )
    row.is_active = False
    row.save(update_fields=["is_active"])
    end_all_sessions(row)
    revoke_all_tokens(row, wall_at=wall_at)
    _log(row, "operator.close", actor, at)


@transaction.atomic
def open_account(*, operator: Operator, actor: Operator | str, at: datetime) -> None:
    """Let a closed account work again, with its roles; its tokens stay revoked.

    Raises:
        AccountRefusedError: no organisation keeps it.
        NotPermittedError: *actor* is no administrator of the organisation that keeps it.
    """
    row = kept_account(operator, actor)
    if row.is_active:
        return
    row.is_active = True
    row.save(update_fields=["is_active"])
    _log(row, "operator.open", actor, at)


@transaction.atomic
def remove_authenticators(*, operator: Operator, actor: Operator | str, at: datetime) -> None:
    """Take the second factors of somebody who lost them: passkeys, one-time and recovery codes.

    Its sessions end: whoever asks for this may not be the person.

    Raises:
        AccountRefusedError: it has none, or no organisation keeps it.
        NotPermittedError: *actor* is no administrator of the organisation that keeps it.
    """
    row = kept_account(operator, actor)
    removed, _ = Authenticator.objects.filter(user=row).delete()
    if not removed:
        raise AccountRefusedError(f"{row} has neither passkeys nor one-time codes.")
    end_all_sessions(row)
    _log(row, "authenticator.reset", actor, at)


def kept_account(operator: Operator, actor: Operator | str) -> Operator:
    """Return the row of an account, locked, which *actor* may change.

    Raises:
        AccountRefusedError: no organisation keeps it.
        NotPermittedError: *actor* is no administrator of the organisation that keeps it.
    """
    row = Operator.objects.select_for_update().get(pk=operator.pk)
    if row.home is None:
        raise AccountRefusedError(f"No organisation keeps the account {row}.")
    require_of_people(actor, Action.ACCOUNT_MANAGE, row.home)
    return row


def _new_operator(username: str, display_name: str, *, is_service_account: bool) -> Operator:
    operator = Operator(
        username=username, display_name=display_name, is_service_account=is_service_account
    )
    try:
        operator.clean_fields(exclude={"password"})
    except ValidationError as error:
        raise AccountRefusedError(
            f"The account {username[:40]!r} was not made: {' '.join(error.messages)}",
            field="display_name" if "display_name" in error.message_dict else "username",
        ) from error
    if Operator.objects.filter(username=username).exists():
        raise AccountRefusedError(
            f"The name {username!r} is taken; choose another.", field="username"
        )
    return operator


def _set_password(operator: Operator, password: str | None) -> None:
    if password is None:
        operator.set_unusable_password()
        return
    try:
        validate_password(password, operator)
    except ValidationError as error:
        raise AccountRefusedError(" ".join(error.messages), field="password") from error
    operator.set_password(password)


def _log(operator: Operator, action: str, actor: Operator | str, at: datetime) -> None:
    append_entry(
        action=action,
        subject=f"operator:{operator.username}",
        actor=actor,
        at=at,
        organisation=operator.home.slug if operator.home is not None else "",
    )
    publish_after_commit({"type": "refresh", "part": "accounts"})
