"""An invitation: an address at which a person chooses the password of a new account."""

from __future__ import annotations

from datetime import datetime

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction
from django.urls import reverse

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.services.errors import AccountRefusedError
from missioncontrol.accounts.services.rights import require_of_people
from missioncontrol.audit.services import append_entry


@transaction.atomic
def invite(*, operator: Operator, actor: Operator | str, at: datetime) -> str:
    """Return the path at which *operator* chooses a password: once, within two days.

    It opens the account to whoever has it, so it goes to that person and to
    nobody else. An earlier password stays in force until a new one is chosen.

    Raises:
        AccountRefusedError: it is a service account or closed, or no organisation keeps it.
        NotPermittedError: *actor* is no administrator of the organisation that keeps it.
    """
    if operator.home is None:
        raise AccountRefusedError(f"No organisation keeps the account {operator}.")
    require_of_people(actor, Action.ACCOUNT_MANAGE, operator.home)
    if operator.is_service_account:
        raise AccountRefusedError(f"{operator} is a service account: it works with tokens only.")
    if not operator.is_active:
        raise AccountRefusedError(f"The account {operator} is closed. Open it, then invite.")
    append_entry(
        action="operator.invite",
        subject=f"operator:{operator.username}",
        actor=actor,
        at=at,
        organisation=operator.home.slug,
    )
    return reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(operator),
            "key": default_token_generator.make_token(operator),
        },
    )
