from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from axes.utils import reset as forget_wrong_passwords
from django.db import transaction

from missioncontrol.accounts.invitations import invitation_path
from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.services.errors import AccountRefusedError
from missioncontrol.accounts.services.operators import kept_account
from missioncontrol.accounts.services.sessions import end_all_sessions
from missioncontrol.audit.services import append_entry


@transaction.atomic
def invite(
    *,
    operator: Operator,
    actor: Operator | str,
    at: datetime,
    remove_second_factor: bool = False,
) -> str:
    """Let a person choose a password: the first one, or another after the old one was lost.

    A password that the account has opens nothing from now on, its sessions end
    and an earlier invitation is void. Its tokens stay: whoever fears for them
    closes the account.

    Args:
        operator: Who is invited.
        actor: An administrator of the organisation that keeps the account, or a process.
        at: Moment of the change, UTC.
        remove_second_factor: Passkeys, one-time codes and recovery codes are
            gone too; for who has lost them.

    Returns:
        The path that the person opens, once, within two days. Hand it over by a
        way that nobody else reads.

    Raises:
        AccountRefusedError: it is a service account, closed, or no organisation keeps it.
        NotPermittedError: *actor* is no administrator of the organisation that keeps it.
    """
    row = kept_account(operator, actor)
    if row.is_service_account:
        raise AccountRefusedError(
            f"{row} is a service account: it signs in nowhere and works with tokens."
        )
    if not row.is_active:
        raise AccountRefusedError(f"The account {row} is closed. Open it, then invite.")
    row.set_unusable_password()  # another one each time, so that older keys are void
    row.save(update_fields=["password"])
    removed = 0
    if remove_second_factor:
        removed, _ = Authenticator.objects.filter(user=row).delete()
    end_all_sessions(row)
    forget_wrong_passwords(username=row.username)
    append_entry(
        action="operator.invite",
        subject=f"operator:{row.username}",
        actor=actor,
        at=at,
        organisation=row.home.slug if row.home is not None else "",
        details={"authenticators_removed": removed},
    )
    return invitation_path(row)
