from __future__ import annotations

from datetime import datetime

from django.db import transaction

from missioncontrol.accounts.models import Membership, Operator, Organisation
from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.selectors import is_last_administrator
from missioncontrol.accounts.services.errors import AccountRefusedError
from missioncontrol.accounts.services.rights import require_of_people
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.live import publish_after_commit


@transaction.atomic
def grant_role(
    *,
    operator: Operator,
    organisation: Organisation,
    role: Role,
    at: datetime,
    actor: Operator | str,
) -> None:
    """Give *operator* a role for *organisation*, from now on; one that is held already stays.

    Raises:
        NotPermittedError: *actor* is no administrator of *organisation*.
    """
    require_of_people(actor, Action.ACCOUNT_MANAGE, organisation)
    _membership, is_new = Membership.objects.get_or_create(
        operator=operator, organisation=organisation, role=Role(role)
    )
    if is_new:
        _log("operator.grant", operator, organisation, role, actor, at)


@transaction.atomic
def revoke_role(
    *,
    operator: Operator,
    organisation: Organisation,
    role: Role,
    at: datetime,
    actor: Operator | str,
) -> None:
    """Take a role for *organisation* from *operator*; from now on, in open consoles too.

    Raises:
        AccountRefusedError: it is not held, or is that of the last administrator.
        NotPermittedError: *actor* is no administrator of *organisation*.
    """
    require_of_people(actor, Action.ACCOUNT_MANAGE, organisation)
    # All of the organisation's, so that two administrators cannot remove each other at once.
    held = list(Membership.objects.select_for_update().filter(organisation=organisation))
    membership = next(
        (each for each in held if each.operator_id == operator.pk and each.role == role), None
    )
    if membership is None:
        raise AccountRefusedError(f"{operator} is not {Role(role).label} for {organisation}.")
    if is_last_administrator(membership):
        raise AccountRefusedError(
            f"{operator} is the last administrator of {organisation}. Make another one first."
        )
    membership.delete()
    _log("operator.revoke", operator, organisation, role, actor, at)


def _log(
    action: str,
    operator: Operator,
    organisation: Organisation,
    role: Role,
    actor: Operator | str,
    at: datetime,
) -> None:
    append_entry(
        action=action,
        subject=f"operator:{operator.username}",
        actor=actor,
        at=at,
        organisation=organisation.slug,
        details={"role": Role(role).value},
    )
    publish_after_commit({"type": "refresh", "part": "accounts"})
