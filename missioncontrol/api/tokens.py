"""The tokens of an organisation's accounts: what pipelines work with."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken, Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.selectors import account_rows
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
    token_of,
)
from missioncontrol.api.conditions import READ, tagged
from missioncontrol.api.fields import Instant, Sent, Slug, Username, example
from missioncontrol.api.organisations import organisation_in_path
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.kernel import clock

router = Router(tags=["tokens"], auth=TOKEN_OR_SESSION)

Prefix = Annotated[str, Field(pattern=r"^[0-9a-f]{10,12}$", examples=["5f1e0c77aa"])]


class TokenOut(Schema):
    """A token without its secret; it is named by its prefix. Times are the machine's clock's."""

    model_config = example(
        prefix="5f1e0c77aa",
        name="nightly",
        account="demo-pipeline",
        scopes=["job.submit", "job.view"],
        created_at="2026-12-01T12:00:00Z",
        expires_at="2027-03-01T12:00:00Z",
        revoked_at=None,
        last_used_at=None,
    )

    prefix: str
    name: str
    account: str
    scopes: list[str]
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    last_used_at: Instant | None


class NewTokenOut(TokenOut):
    """A token just made, with its secret, which is shown only now."""

    model_config = example(
        prefix="5f1e0c77aa",
        name="nightly",
        account="demo-pipeline",
        scopes=["job.submit", "job.view"],
        created_at="2026-12-01T12:00:00Z",
        expires_at="2027-03-01T12:00:00Z",
        revoked_at=None,
        last_used_at=None,
        secret="mc_5f1e0c77aa_…",  # noqa: S106  # an example
    )

    secret: str


class TokenIn(Sent):
    """A new token; without ``scopes`` all rights of the account but those that take a proof."""

    model_config = example(
        account="demo-pipeline", name="nightly", scopes=["job.submit", "job.view"], days=90
    )

    account: Username
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]*$")]
    scopes: Annotated[list[Action], Field(min_length=1, max_length=len(Action))] | None = None
    days: Annotated[int, Field(ge=1, le=services.MAX_TOKEN_LIFETIME.days, strict=True)] = 90


class TokenQuery(PageQuery):
    """Which tokens."""

    account: Username | None = None
    in_force: Annotated[bool, Field(description="only those neither revoked nor expired")] = False


@router.get("/organisations/{slug}/tokens", response=Page[TokenOut], summary="Tokens")
def list_tokens(
    request: HttpRequest, slug: Path[Slug], asked: Query[TokenQuery]
) -> Page[TokenOut]:
    """Return the tokens that act for the organisation, the newest first."""
    organisation = organisation_in_path(slug)
    principal_of(request).require(Action.TOKEN_VIEW, organisation)
    rows = _rows(organisation)
    if asked.account:
        rows = rows.filter(operator__username=asked.account)
    if asked.in_force:
        rows = rows.filter(revoked_at=None, expires_at__gt=clock.wall_now())
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_token_out(token) for token in found], next=cursor)


@router.post(
    "/organisations/{slug}/tokens",
    auth=TOKEN,
    response={201: NewTokenOut},
    summary="Make a token",
)
def create_token(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug], asked: TokenIn
) -> NewTokenOut:
    """Make a token for an account of the organisation, and show its secret, only now."""
    organisation = organisation_in_path(slug)
    principal = permitted(request, Action.TOKEN_MANAGE, organisation)
    operator = account_rows(organisation).filter(username=asked.account).first()
    if operator is None:
        raise invalid("body.account", asked.account, f"an account of {organisation}")
    token, secret = services.create_token(
        operator=operator,
        organisation=organisation,
        name=asked.name,
        at=clock.now(),
        wall_at=clock.wall_now(),
        actor=principal.operator,
        scopes=asked.scopes,
        lifetime=timedelta(days=asked.days),
    )
    response["Location"] = f"{request.path}/{token.prefix}"
    return NewTokenOut(**_token_out(token).model_dump(), secret=secret)


@router.get(
    "/organisations/{slug}/tokens/{prefix}",
    response=TokenOut,
    summary="One token",
    openapi_extra=READ,
)
def get_token(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug], prefix: Path[Prefix]
) -> TokenOut:
    """Return one token, also one that is over."""
    organisation = organisation_in_path(slug)
    principal_of(request).require(Action.TOKEN_VIEW, organisation)
    return tagged(request, response, _token_out(_get(organisation, prefix)))


@router.post(
    "/organisations/{slug}/tokens/{prefix}/revoke",
    auth=TOKEN,
    response=TokenOut,
    summary="Revoke a token",
)
def revoke_token(request: HttpRequest, slug: Path[Slug], prefix: Path[Prefix]) -> TokenOut:
    """End a token now; ending it twice changes nothing. A token may end itself."""
    organisation = organisation_in_path(slug)
    used = token_of(request)
    ends_itself = (used.organisation_id, used.prefix) == (organisation.pk, prefix)
    principal = (
        principal_of(request)
        if ends_itself
        else permitted(request, Action.TOKEN_MANAGE, organisation)
    )
    token = services.revoke_token(
        token_id=_get(organisation, prefix).pk,
        actor=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    return _token_out(token)


def _rows(organisation: Organisation) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(organisation=organisation).select_related("operator")


def _get(organisation: Organisation, prefix: str) -> ApiToken:
    token = _rows(organisation).filter(prefix=prefix).first()
    if token is None:
        raise NotFoundError(f"{organisation} has no token {prefix}.")
    return token


def _token_out(token: ApiToken) -> TokenOut:
    return TokenOut(
        prefix=token.prefix,
        name=token.name,
        account=token.operator.username,
        scopes=token.scopes,
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
    )
