"""Accounts, sessions, passkeys and tokens as pages list them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.console.presentation.browsers import browser_words
from missioncontrol.console.presentation.rights import ROLE_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One place where somebody is signed in; ``since`` is on the machine's clock."""

    pk: int
    browser: str
    address: str
    since: datetime
    is_current: bool


def session_rows(sessions: Iterable[UserSession], *, current_key: str | None) -> list[SessionRow]:
    """Return sessions, the one that asks first, then the newest."""
    rows = [
        SessionRow(
            pk=session.pk,
            browser=browser_words(session.user_agent),
            address=session.ip,
            since=session.created_at,
            is_current=session.session_key == current_key,
        )
        for session in sessions
    ]
    return sorted(rows, key=lambda row: (row.is_current, row.since), reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRow:
    """A passkey as its owner named it."""

    pk: int
    name: str
    added_at: datetime
    used_at: datetime | None


def passkey_rows(authenticators: Iterable[Authenticator]) -> list[PasskeyRow]:
    """Return the passkeys among *authenticators*, by name."""
    rows = [
        PasskeyRow(
            pk=each.pk,
            name=each.wrap().name,
            added_at=each.created_at,
            used_at=each.last_used_at,
        )
        for each in authenticators
        if each.type == Authenticator.Type.WEBAUTHN
    ]
    return sorted(rows, key=lambda row: row.name.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """An API token; its times are on the machine's clock."""

    pk: int
    prefix: str
    name: str
    account: str
    organisation: str
    scopes: list[str]
    expires_at: datetime
    used_at: datetime | None
    has_expired: bool


def token_rows(tokens: Iterable[ApiToken], *, wall_at: datetime) -> list[TokenRow]:
    """Return tokens as a table shows them, in the order given."""
    return [
        TokenRow(
            pk=token.pk,
            prefix=f"mc_{token.prefix}_…",
            name=token.name,
            account=token.operator.username,
            organisation=token.organisation.name,
            scopes=token.scopes,
            expires_at=token.expires_at,
            used_at=token.last_used_at,
            has_expired=token.expires_at <= wall_at,
        )
        for token in tokens
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account as an organisation's administrators see it."""

    pk: int
    username: str
    display_name: str
    roles: list[str]
    state: str  # active, closed, waiting
    kind: str  # person or service account
    kept_by: str  # the name of another organisation that keeps it, or empty


def account_rows(accounts: Iterable[Operator], organisation: Organisation) -> list[AccountRow]:
    """Return accounts with their roles for *organisation*."""
    return [_account_row(each, organisation) for each in accounts]


def _account_row(operator: Operator, organisation: Organisation) -> AccountRow:
    home = operator.home
    return AccountRow(
        pk=operator.pk,
        username=operator.username,
        display_name=operator.display_name,
        roles=sorted(role.label for role in roles_for(operator, organisation)),
        state=account_state(operator),
        kind="service account" if operator.is_service_account else "person",
        kept_by=home.name if home is not None and home != organisation else "",
    )


def account_state(operator: Operator) -> str:
    """Return ``closed``, ``waiting`` for who cannot sign in yet, or ``active``."""
    if not operator.is_active:
        return "closed"
    if operator.is_service_account or operator.last_login or operator.has_usable_password():
        return "active"
    return "waiting"


def roles_for(operator: Operator, organisation: Organisation) -> set[Role]:
    """Return the roles that an account holds for one organisation."""
    rows: Collection[Membership] = operator.memberships.all()
    return {Role(row.role) for row in rows if row.organisation_id == organisation.pk}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """A role, and whether it is held."""

    value: str
    label: str
    words: str
    held: bool


def role_rows(held: Collection[Role]) -> list[RoleRow]:
    """Return all roles in the policy table's order."""
    return [
        RoleRow(value=role.value, label=role.label, words=ROLE_WORDS[role], held=role in held)
        for role in Role
    ]


def ways_in(operator: Operator, authenticators: Collection[Authenticator], providers: int) -> str:
    """Return how somebody can sign in, in words."""
    kinds = [each.type for each in authenticators]
    passkeys = kinds.count(Authenticator.Type.WEBAUTHN)
    ways: list[tuple[Any, str]] = [
        (operator.has_usable_password(), "password"),
        (passkeys, f"{passkeys} passkey{'s' if passkeys > 1 else ''}"),
        (Authenticator.Type.TOTP in kinds, "one-time codes"),
        (providers, "single sign-on"),
    ]
    return ", ".join(words for there, words in ways if there) or "no way in yet"
