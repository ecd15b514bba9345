"""The members of the consortium, and how their people sign in."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Organisation, SingleSignOn
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.selectors import get_organisation as find_organisation
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.conditions import DEMANDING_CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import Sent, Slug, example
from missioncontrol.api.paging import Page, PageQuery, by_name
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.kernel import clock

router = Router(tags=["organisations"], auth=TOKEN_OR_SESSION)


class OrganisationOut(Schema):
    """A member of the consortium, or the operator of the spacecraft."""

    model_config = example(slug="ai-laboratory-1", name="AI Laboratory One", kind="ai_laboratory")

    slug: str
    name: str
    kind: str


class SingleSignOnOut(Schema):
    """An organisation's identity provider (OpenID Connect); its secret is never shown."""

    model_config = example(
        issuer="https://login.member.example/realms/people",
        client_id="mission-control",
        enabled=True,
    )

    issuer: str
    client_id: str
    enabled: bool


class SingleSignOnIn(Sent):
    """An identity provider; without ``client_secret`` the one that is stored stays."""

    model_config = example(
        issuer="https://login.member.example/realms/people",
        client_id="mission-control",
        client_secret="as the identity provider gave it",  # noqa: S106  # an example
    )

    issuer: Annotated[str, Field(min_length=8, max_length=300, pattern=r"^https?://[!-~]+$")]
    client_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[ -~]+$")]
    client_secret: Annotated[
        str | None, Field(min_length=1, max_length=400, pattern=r"^[ -~]+$")
    ] = None


@router.get("/organisations", response=Page[OrganisationOut], summary="Organisations")
def list_organisations(request: HttpRequest, asked: Query[PageQuery]) -> Page[OrganisationOut]:
    """Return all members of the consortium, by slug."""
    principal_of(request).require(Action.ORGANISATION_VIEW)
    found, cursor = by_name(
        Organisation.objects.all(), field="slug", cursor=asked.cursor, limit=asked.limit
    )
    return Page(items=[OrganisationOut.from_orm(each) for each in found], next=cursor)


@router.get(
    "/organisations/{slug}",
    response=OrganisationOut,
    summary="One organisation",
    openapi_extra=READ,
)
def get_organisation(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug]
) -> OrganisationOut:
    """Return one member of the consortium."""
    principal_of(request).require(Action.ORGANISATION_VIEW)
    organisation = organisation_in_path(slug)
    return tagged(request, response, OrganisationOut.from_orm(organisation))


@router.get(
    "/organisations/{slug}/single-sign-on",
    response=SingleSignOnOut,
    summary="An organisation's single sign-on",
    openapi_extra=READ,
)
def get_single_sign_on(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug]
) -> SingleSignOnOut:
    """Return the identity provider that an organisation's people sign in with."""
    organisation = organisation_in_path(slug)
    principal_of(request).require(Action.SINGLE_SIGN_ON_MANAGE, organisation)
    shown = _single_sign_on(organisation)
    if shown is None:
        raise NotFoundError(f"{organisation} has no single sign-on.")
    return tagged(request, response, shown)


@router.put(
    "/organisations/{slug}/single-sign-on",
    auth=TOKEN,
    response=SingleSignOnOut,
    summary="Set an organisation's single sign-on",
    openapi_extra=DEMANDING_CHANGE,
)
def set_single_sign_on(
    request: HttpRequest, response: HttpResponse, slug: Path[Slug], asked: SingleSignOnIn
) -> SingleSignOnOut:
    """Let an organisation's people sign in with this identity provider from now on.

    ``If-Match`` with the ETag of what is to be replaced, or ``If-None-Match: *``
    where there is none yet.
    """
    organisation = organisation_in_path(slug)
    principal = permitted(request, Action.SINGLE_SIGN_ON_MANAGE, organisation)
    rows = SingleSignOn.objects.filter(organisation=organisation)
    with unchanged(request, rows, lambda: _single_sign_on(organisation), demanded=True):
        row = services.set_single_sign_on(
            organisation=organisation,
            issuer=asked.issuer,
            client_id=asked.client_id,
            client_secret=asked.client_secret,
            actor=principal.operator,
            at=clock.now(),
        )
    return tagged(request, response, SingleSignOnOut.from_orm(row))


@router.delete(
    "/organisations/{slug}/single-sign-on",
    auth=TOKEN,
    response={204: None},
    summary="Remove an organisation's single sign-on",
    openapi_extra=DEMANDING_CHANGE,
)
def remove_single_sign_on(request: HttpRequest, slug: Path[Slug]) -> None:
    """Take the identity provider away; accounts that only it knows cannot sign in any more."""
    organisation = organisation_in_path(slug)
    principal = permitted(request, Action.SINGLE_SIGN_ON_MANAGE, organisation)
    rows = SingleSignOn.objects.filter(organisation=organisation)
    if not rows.exists():
        raise NotFoundError(f"{organisation} has no single sign-on.")
    with unchanged(request, rows, lambda: _single_sign_on(organisation), demanded=True):
        services.remove_single_sign_on(
            organisation=organisation, actor=principal.operator, at=clock.now()
        )


def organisation_in_path(slug: str) -> Organisation:
    """Return the organisation that an address names.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return find_organisation(slug=slug)
    except Organisation.DoesNotExist:
        raise NotFoundError(
            f"There is no organisation {slug!r}; GET /organisations lists them."
        ) from None


def organisation_in_field(slug: str, field: str) -> Organisation:
    """Return the organisation that a body names.

    Raises:
        InvalidInputError: there is none.
    """
    try:
        return find_organisation(slug=slug)
    except Organisation.DoesNotExist:
        raise invalid(
            field, slug, "the slug of an organisation; GET /organisations lists them"
        ) from (None)


def _single_sign_on(organisation: Organisation) -> SingleSignOnOut | None:
    row = SingleSignOn.objects.filter(organisation=organisation).first()
    return SingleSignOnOut.from_orm(row) if row is not None else None
