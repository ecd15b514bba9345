from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction

from missioncontrol.accounts.models import Operator, Organisation, SingleSignOn
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.services.errors import AccountRefusedError
from missioncontrol.accounts.services.rights import require_of_people
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.sealing import seal

SEALED_FOR: Final = "single-sign-on"
_LOOPBACK: Final = {"127.0.0.1", "localhost", "::1"}


@transaction.atomic
def set_single_sign_on(
    *,
    organisation: Organisation,
    issuer: str,
    client_id: str,
    client_secret: str | None,
    actor: Operator | str,
    at: datetime,
) -> SingleSignOn:
    """Let the people of *organisation* sign in with its identity provider from now on.

    Args:
        organisation: Whose people.
        issuer: The provider's address (OpenID Connect), https.
        client_id: What the provider calls this installation.
        client_secret: What it gave for it; None keeps the one that is stored.
        actor: An administrator of the organisation, or a process.
        at: Moment of the change, UTC.

    Raises:
        AccountRefusedError: the address cannot be used, or a field is missing.
        NotPermittedError: *actor* is no administrator there.
    """
    require_of_people(actor, Action.SINGLE_SIGN_ON_MANAGE, organisation)
    _check_issuer(issuer)
    known = SingleSignOn.objects.select_for_update().filter(organisation=organisation).first()
    sealed = seal(client_secret, purpose=SEALED_FOR) if client_secret else ""
    sealed = sealed or (known.sealed_secret if known is not None else "")
    if not client_id or not sealed:
        raise AccountRefusedError(
            "Single sign-on needs the client's identifier and its secret, as the identity "
            "provider gave them.",
            field="client_secret" if client_id else "client_id",
        )
    row, _ = SingleSignOn.objects.update_or_create(
        organisation=organisation,
        defaults={"issuer": issuer.rstrip("/"), "client_id": client_id, "sealed_secret": sealed},
    )
    append_entry(
        action="single_sign_on.set",
        subject=f"organisation:{organisation.slug}",
        actor=actor,
        at=at,
        organisation=organisation.slug,
        details={"issuer": row.issuer},
    )
    return row


@transaction.atomic
def remove_single_sign_on(
    *, organisation: Organisation, actor: Operator | str, at: datetime
) -> None:
    """Take the identity provider away; accounts that only it knows cannot sign in any more.

    Raises:
        AccountRefusedError: there is none.
        NotPermittedError: *actor* is no administrator there.
    """
    require_of_people(actor, Action.SINGLE_SIGN_ON_MANAGE, organisation)
    deleted, _ = SingleSignOn.objects.filter(organisation=organisation).delete()
    if not deleted:
        raise AccountRefusedError(f"{organisation} has no single sign-on.")
    append_entry(
        action="single_sign_on.remove",
        subject=f"organisation:{organisation.slug}",
        actor=actor,
        at=at,
        organisation=organisation.slug,
    )


@transaction.atomic
def adopt_single_sign_on_account(
    *, operator: Operator, organisation: Organisation, wanted_name: str, at: datetime
) -> None:
    """Save an account that comes through an organisation's identity provider for the first time.

    It belongs to that organisation and holds no role until an administrator
    gives it one.

    Args:
        operator: Not saved yet.
        organisation: Whose identity provider vouches for it.
        wanted_name: What the provider calls the person; part of the sign-in name.
        at: Moment of the change, UTC.
    """
    operator.home = organisation
    operator.set_unusable_password()
    operator.username = _free_name(organisation, wanted_name)
    operator.save()
    append_entry(
        action="operator.create",
        subject=f"operator:{operator.username}",
        actor=f"single-sign-on:{organisation.slug}",
        at=at,
        organisation=organisation.slug,
        details={"roles": [], "service_account": False},
    )


def _check_issuer(issuer: str) -> None:
    if not _can_be_an_issuer(issuer):
        raise AccountRefusedError(
            f"{issuer!r} is no address of an identity provider; give https:// and a host, as in "
            "https://login.member.example/realms/people.",
            field="issuer",
        )


def _can_be_an_issuer(issuer: str) -> bool:
    try:
        parts = urlsplit(issuer)
        host = parts.hostname
    except ValueError:  # as of "https://["
        return False
    is_local = parts.scheme == "http" and host in _LOOPBACK
    return bool(host) and (parts.scheme == "https" or is_local) and "@" not in parts.netloc


def _free_name(organisation: Organisation, wanted: str) -> str:
    """Return a name that begins with the organisation's, so that nobody poses as another's."""
    clean = re.sub(r"[^\w.+-]", "", wanted)[:60] or "member"
    name = f"{organisation.slug}.{clean}"
    while Operator.objects.filter(username=name).exists():
        name = f"{organisation.slug}.{clean}-{secrets.token_hex(2)}"
    return name
