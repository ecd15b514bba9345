"""The accounts of an organisation: people and pipelines, their roles, and how they get in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import quote

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field, StrictBool

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Membership, Operator, Organisation
from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.selectors import account_rows
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.conditions import DEMANDING_CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import Instant, Sent, Slug, Text, Username, example
from missioncontrol.api.organisations import organisation_in_path
from missioncontrol.api.paging import Page, PageQuery, by_name
from missioncontrol.api.problems import NotFoundError
from missioncontrol.kernel import clock

router = Router(tags=["accounts"], auth=TOKEN_OR_SESSION)

_ACCOUNT: Final = "/organisations/{slug}/accounts/{username}"


class AccountOut(Schema):
    """An account as one organisation sees it: with the roles that it holds for that one.

    ``home`` keeps the account: its administrators close it and invite the person.
    """

    model_config = example(
        username="carol",
        display_name="Carol Ito",
        home="ai-laboratory-1",
        service_account=False,
        active=True,
        roles=["payload_member"],
        has_password=True,
        has_second_factor=True,
    )

    username: str
    display_name: str
    home: str | None
    service_account: bool
    active: bool
    roles: list[Role]
    has_password: bool
    has_second_factor: bool


class AccountIn(Sent):
    """A new account. A person gets a password by an invitation; a service account has none."""

    model_config = example(
        username="carol", display_name="Carol Ito", roles=["payload_member"], service_account=False
    )

    username: Username
    display_name: Annotated[Text, Field(max_length=120)] = ""
    roles: Annotated[list[Role], Field(max_length=len(Role))] = Field(default=[])
    service_account: StrictBool = False


class InvitationIn(Sent):
    """``remove_second_factor``: passkeys and one-time codes were lost, and go too."""

    model_config = example(remove_second_factor=False)

    remove_second_factor: StrictBool = False


class InvitationOut(Schema):
    """Where the person chooses a password: once, until it expires (on the machine's clock)."""

    model_config = example(
        username="carol",
        url="https://mission.example/account/invitation/4-d2k1vj-5f1e0c/",
        expires_at="2026-12-03T12:00:00Z",
    )

    username: str
    url: str
    expires_at: Instant


@router.get("/organisations/{slug}/accounts", response=Page[AccountOut], summary="Accounts")
def list_accounts(
    request: HttpRequest, slug: Path[Slug], asked: Query[PageQuery]
) -> Page[AccountOut]:
    """Return the accounts that the organisation keeps or has given a role, by name."""
    organisation = organisation_in_path(slug)
    principal_of(request).require(Action.ACCOUNT_VIEW, organisation)
    found, cursor = by_name(
        account_rows(organisation), field="username", cursor=asked.cursor, limit=asked.limit
    )
    return Page(items=_accounts_out(found, organisation), next=cursor)


@router.post(
    "/organisations/{slug}/accounts",
    auth=TOKEN,
    response={201: AccountOut},
    summary="Make an account",
)
def create_account(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug], asked: AccountIn
) -> AccountOut:
    """Make a person's account or a service account, which the organisation keeps."""
    organisation = organisation_in_path(slug)
    principal = permitted(request, Action.ACCOUNT_MANAGE, organisation)
    services.create_operator(
        username=asked.username,
        display_name=asked.display_name,
        organisation=organisation,
        roles=asked.roles,
        password=None,
        at=clock.now(),
        actor=principal.operator,
        is_service_account=asked.service_account,
    )
    response["Location"] = f"{request.path}/{quote(asked.username)}"
    return tagged(request, response, _shown(organisation, asked.username))


@router.get(_ACCOUNT, response=AccountOut, summary="One account", openapi_extra=READ)
def get_account(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug], username: Path[Username]
) -> AccountOut:
    """Return one account, with its roles for this organisation."""
    organisation = organisation_in_path(slug)
    principal_of(request).require(Action.ACCOUNT_VIEW, organisation)
    return tagged(request, response, _shown(organisation, username))


@router.post(
    f"{_ACCOUNT}/close",
    auth=TOKEN,
    response=AccountOut,
    summary="Close an account",
    openapi_extra=DEMANDING_CHANGE,
)
def close_account(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug], username: Path[Username]
) -> AccountOut:
    """Let an account do nothing more: its sessions and tokens end now."""

    def close(operator: Operator, _organisation: Organisation, actor: Operator) -> None:
        services.close_account(
            operator=operator, actor=actor, at=clock.now(), wall_at=clock.wall_now()
        )

    return _change(request, response, slug, username, close)


@router.post(
    f"{_ACCOUNT}/open",
    auth=TOKEN,
    response=AccountOut,
    summary="Open an account",
    openapi_extra=DEMANDING_CHANGE,
)
def open_account(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug], username: Path[Username]
) -> AccountOut:
    """Let a closed account work again, with its roles; its tokens stay revoked."""

    def reopen(operator: Operator, _organisation: Organisation, actor: Operator) -> None:
        services.open_account(operator=operator, actor=actor, at=clock.now())

    return _change(request, response, slug, username, reopen)


@router.put(
    f"{_ACCOUNT}/roles/{{role}}",
    auth=TOKEN,
    response=AccountOut,
    summary="Give a role",
    openapi_extra=DEMANDING_CHANGE,
)
def grant_role(
    request: HttpRequest,
    response: HttpResponse,
    slug: Path[Slug],
    username: Path[Username],
    role: Path[Role],
) -> AccountOut:
    """Give an account a role for the organisation; one that is held already stays.

    It may be another organisation's account, which is not among yours yet: then
    send ``If-None-Match: *``.
    """

    def grant(operator: Operator, organisation: Organisation, actor: Operator) -> None:
        services.grant_role(
            operator=operator, organisation=organisation, role=role, at=clock.now(), actor=actor
        )

    return _change(request, response, slug, username, grant, of_others=True)


@router.delete(
    f"{_ACCOUNT}/roles/{{role}}",
    auth=TOKEN,
    response={204: None},
    summary="Take a role",
    openapi_extra=DEMANDING_CHANGE,
)
def revoke_role(
    request: HttpRequest, slug: Path[Slug], username: Path[Username], role: Path[Role]
) -> None:
    """Take a role for the organisation from an account; from now on, in open consoles too."""
    organisation = organisation_in_path(slug)
    principal = permitted(request, Action.ACCOUNT_MANAGE, organisation)
    operator = _get(organisation, username)
    with _unchanged(request, organisation, operator):
        services.revoke_role(
            operator=operator,
            organisation=organisation,
            role=role,
            at=clock.now(),
            actor=principal.operator,
        )


@router.post(
    f"{_ACCOUNT}/invitation",
    auth=TOKEN,
    response=InvitationOut,
    summary="Invite a person to choose a password",
)
def invite(
    request: HttpRequest, slug: Path[Slug], username: Path[Username], asked: InvitationIn
) -> InvitationOut:
    """Return a link by which a person chooses a password: the first, or one for a lost one.

    A password that the account has opens nothing from now on, its sessions end
    and an earlier invitation is void. Hand the link over by a way that nobody
    else reads: it opens the account.
    """
    organisation = organisation_in_path(slug)
    principal = permitted(request, Action.ACCOUNT_MANAGE, organisation)
    path = services.invite(
        operator=_get(organisation, username),
        actor=principal.operator,
        at=clock.now(),
        remove_second_factor=asked.remove_second_factor,
    )
    lifetime = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    return InvitationOut(
        username=username,
        url=request.build_absolute_uri(path),
        expires_at=clock.wall_now() + lifetime,
    )


def _change(
    request: HttpRequest,
    response: HttpResponse,
    slug: str,
    username: str,
    change: Callable[[Operator, Organisation, Operator], None],
    *,
    of_others: bool = False,
) -> AccountOut:
    """Do *change* (the account, the organisation, who asks) to an account as it was seen."""
    organisation = organisation_in_path(slug)
    principal = permitted(request, Action.ACCOUNT_MANAGE, organisation)
    operator = _anybody(username) if of_others else _get(organisation, username)
    with _unchanged(request, organisation, operator):
        change(operator, organisation, principal.operator)
    return tagged(request, response, _shown(organisation, username))


def _unchanged(
    request: HttpRequest, organisation: Organisation, operator: Operator
) -> AbstractContextManager[None]:
    def show() -> AccountOut | None:
        shown = _accounts_out(account_rows(organisation).filter(pk=operator.pk), organisation)
        return shown[0] if shown else None

    return unchanged(request, Operator.objects.filter(pk=operator.pk), show, demanded=True)


def _get(organisation: Organisation, username: str) -> Operator:
    operator = account_rows(organisation).filter(username=username).first()
    if operator is None:
        raise NotFoundError(f"{organisation} has no account {username!r}.")
    return operator


def _anybody(username: str) -> Operator:
    operator = Operator.objects.filter(username=username).first()
    if operator is None:
        raise NotFoundError(f"There is no account {username!r}.")
    return operator


def _shown(organisation: Organisation, username: str) -> AccountOut:
    [shown] = _accounts_out([_get(organisation, username)], organisation)
    return shown


def _accounts_out(operators: Iterable[Operator], organisation: Organisation) -> list[AccountOut]:
    """Return what *organisation* sees of accounts, with two queries for all of them."""
    rows = list(operators)
    held: dict[int, list[str]] = {}
    for operator_id, role in Membership.objects.filter(
        operator__in=rows, organisation=organisation
    ).values_list("operator_id", "role"):
        held.setdefault(operator_id, []).append(role)
    secured = set(Authenticator.objects.filter(user__in=rows).values_list("user_id", flat=True))
    return [
        AccountOut(
            username=row.username,
            display_name=row.display_name,
            home=row.home.slug if row.home is not None else None,
            service_account=row.is_service_account,
            active=row.is_active,
            roles=[role for role in Role if role.value in held.get(row.pk, [])],
            has_password=row.has_usable_password(),
            has_second_factor=row.pk in secured,
        )
        for row in rows
    ]
