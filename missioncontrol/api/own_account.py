"""Who am I, and what may I do: the first question of a pipeline that fails."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema

from missioncontrol.accounts.policy import TAKES_CONFIRMATION, Action, Role
from missioncontrol.accounts.principals import CONFIRMED_FOR
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import Instant, example

router = Router(tags=["own account"], auth=TOKEN_OR_SESSION)


class MembershipOut(Schema):
    """The roles held for one organisation, and what they allow (of a token: within its scopes)."""

    model_config = example(
        organisation="ai-laboratory-1",
        roles=["payload_member"],
        actions=["job.submit", "job.view"],
    )

    organisation: str
    roles: list[Role]
    actions: list[Action]


class OwnTokenOut(Schema):
    """The token that asks."""

    model_config = example(
        prefix="5f1e0c77aa",
        name="nightly",
        organisation="ai-laboratory-1",
        scopes=["job.submit", "job.view"],
        expires_at="2027-03-01T12:00:00Z",
    )

    prefix: str
    name: str
    organisation: str
    scopes: list[str]
    expires_at: Instant


class MeOut(Schema):
    """Who asks. ``token`` is null for a browser that is signed in.

    Until ``confirmed_until`` (on the machine's clock) what takes a fresh proof of
    identity may be done; null: it may not. ``take_confirmation`` names what that is.
    """

    model_config = example(
        username="demo-pipeline",
        display_name="AI Laboratory One, pipeline",
        home="ai-laboratory-1",
        service_account=True,
        memberships=[
            {
                "organisation": "ai-laboratory-1",
                "roles": ["payload_member"],
                "actions": ["job.submit", "job.view"],
            }
        ],
        token={
            "prefix": "5f1e0c77aa",
            "name": "nightly",
            "organisation": "ai-laboratory-1",
            "scopes": ["job.submit", "job.view"],
            "expires_at": "2027-03-01T12:00:00Z",
        },
        confirmed_until="2026-12-01T12:05:00Z",
        take_confirmation=["webhook.manage"],
    )

    username: str
    display_name: str
    home: str | None
    service_account: bool
    memberships: list[MembershipOut]
    token: OwnTokenOut | None
    confirmed_until: Instant | None
    take_confirmation: list[Action]


@router.get("/me", response=MeOut, summary="Who am I")
def get_me(request: HttpRequest) -> MeOut:
    """Return who asks, and what this token or session may do."""
    principal = principal_of(request)
    operator, token, confirmed_at = principal.operator, principal.token, principal.confirmed_at
    return MeOut(
        username=operator.username,
        display_name=operator.display_name,
        home=operator.home.slug if operator.home is not None else None,
        service_account=operator.is_service_account,
        memberships=[
            MembershipOut(
                organisation=organisation.slug,
                roles=[
                    Role(each.role)
                    for each in principal.memberships
                    if each.organisation_id == organisation.pk
                ],
                actions=[each for each in Action if principal.may(each, organisation)],
            )
            for organisation in principal.organisations
        ],
        token=OwnTokenOut(
            prefix=token.prefix,
            name=token.name,
            organisation=token.organisation.slug,
            scopes=token.scopes,
            expires_at=token.expires_at,
        )
        if token is not None
        else None,
        confirmed_until=confirmed_at + CONFIRMED_FOR if confirmed_at is not None else None,
        take_confirmation=[
            each for each in Action if each in TAKES_CONFIRMATION and principal.may(each)
        ],
    )
