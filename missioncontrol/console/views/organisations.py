"""The consortium: its members, and for each its own people and rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    get_default_password_validators,
)
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts import services
from missioncontrol.accounts.models import (
    ApiToken,
    Membership,
    Operator,
    Organisation,
    SingleSignOn,
)
from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.principals import CONFIRMED_FOR
from missioncontrol.accounts.selectors import accounts_of, get_organisation
from missioncontrol.console.access import page, viewer_of
from missioncontrol.console.presentation.accounts import account_rows, token_rows
from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A member of the consortium; ``url`` is empty for who may not look inside."""

    slug: str
    name: str
    kind: str
    spacecraft: list[str]
    stations: list[str]
    own_roles: list[str]
    url: str


@page(Action.ORGANISATION_VIEW)
def consortium(request: HttpRequest) -> HttpResponse:
    """Show the members: what each is and what it operates."""
    viewer = viewer_of(request)
    visible = {each.pk for each in viewer.organisations_with(Action.ACCOUNT_VIEW)}
    rows = _member_rows(viewer.principal.memberships, visible)
    context = {
        "section": "consortium",
        "members": rows,
        "own": [row for row in rows if row.url],
    }
    return render(request, "console/consortium.html", context)


def _member_rows(memberships: Iterable[Membership], visible: set[int]) -> list[MemberRow]:
    spacecraft = fleet.active_spacecraft()
    stations = fleet.stations_in_service()
    held: dict[int, list[str]] = {}
    for each in memberships:
        held.setdefault(each.organisation_id, []).append(Role(each.role).label)
    return [
        MemberRow(
            slug=member.slug,
            name=member.name,
            kind=kind_words(member),
            spacecraft=[each.name for each in spacecraft if each.organisation_id == member.pk],
            stations=[each.name for each in stations if each.owner_id == member.pk],
            own_roles=sorted(held.get(member.pk, [])),
            url=reverse("console:organisation", args=[member.slug])
            if member.pk in visible
            else "",
        )
        for member in Organisation.objects.order_by("pk")  # as the mission file lists them
    ]


@page(Action.ACCOUNT_VIEW)
def organisation(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one member to its administrators and auditors: accounts, tokens, signing in."""
    member = get_organisation(slug=slug)
    viewer_of(request).principal.require(Action.ACCOUNT_VIEW, member)
    return organisation_page(request, member)


def organisation_page(
    request: HttpRequest, member: Organisation, *, status: int = 200, **more: Any
) -> HttpResponse:
    """Return the page of one member, with the forms as they were refused in *more*."""
    viewer = viewer_of(request)
    wall_at = clock.wall_now()
    tokens = ApiToken.objects.filter(organisation=member, revoked_at=None)
    context = {
        "section": "consortium",
        "organisation": member,
        "kind": kind_words(member),
        "accounts": account_rows(accounts_of(member), member),
        "tokens": token_rows(tokens.select_related("operator", "organisation"), wall_at=wall_at)
        if viewer.may(Action.TOKEN_VIEW, member)
        else None,
        "single_sign_on": SingleSignOn.objects.filter(organisation=member).first(),
        "rules": sign_in_rules(),
        "all_roles": list(Role),
        "may_manage": viewer.may(Action.ACCOUNT_MANAGE, member),
        "may_revoke": viewer.may(Action.TOKEN_MANAGE, member),
        "may_set_single_sign_on": viewer.may(Action.SINGLE_SIGN_ON_MANAGE, member),
        "page_url": reverse("console:organisation", args=[member.slug]),
        "grant_form": {"username": "", "role": ""},
        "errors": {},
        **more,
    }
    return render(request, "console/organisation.html", context, status=status)


def kind_words(member: Organisation) -> str:
    """Return what a member is, as a reader says it."""
    return " ".join("AI" if word == "ai" else word for word in member.kind.split("_"))


def sign_in_rules() -> list[tuple[str, str]]:
    """Return what holds for signing in on this installation, as settings and services have it."""
    least = next(
        each.min_length
        for each in get_default_password_validators()
        if isinstance(each, MinimumLengthValidator)
    )
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    second = "required with a password" if settings.SECOND_FACTOR_REQUIRED else "for who has one"
    return [
        ("Password", f"{least} characters at least, none of the common ones"),
        ("Second factor", second),
        ("Wrong passwords", f"{settings.AXES_FAILURE_LIMIT} from one address: wait {minutes} min"),
        ("Session", f"ends after {settings.SESSION_COOKIE_AGE // 3600} h or with the browser"),
        (
            "Approvals, keys, roles",
            f"take a proof of identity of the last {CONFIRMED_FOR.seconds // 60} min",
        ),
        ("Invitation", f"good once, for {settings.PASSWORD_RESET_TIMEOUT // 3600} h"),
        ("API token", f"{services.MAX_TOKEN_LIFETIME.days} days at most"),
    ]


def account_of(member: Organisation, account_id: int) -> Operator:
    """Return an account that *member* keeps or has given a role.

    Raises:
        Operator.DoesNotExist: it has nothing to do with *member*.
    """
    found = next((each for each in accounts_of(member) if each.pk == account_id), None)
    if found is None:
        raise Operator.DoesNotExist
    return found
