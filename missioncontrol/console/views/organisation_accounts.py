"""The accounts of one organisation: made, invited, given roles, closed."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken, Operator, Organisation
from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.selectors import accounts_of, get_operator, get_organisation
from missioncontrol.console.access import (
    confirmed,
    deed,
    go_back,
    own,
    page,
    viewer_of,
)
from missioncontrol.console.presentation.accounts import (
    account_state,
    role_rows,
    roles_for,
    token_rows,
    ways_in,
)
from missioncontrol.console.views.organisations import account_of, organisation_page
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError

_BACK = "console:consortium"


@require_http_methods(["GET", "HEAD", "POST"])
@own
def new_account(request: HttpRequest, slug: str) -> HttpResponse:
    """Make an account that the organisation keeps; a person is then invited."""
    organisation = get_organisation(slug=slug)
    viewer_of(request).principal.require(Action.ACCOUNT_MANAGE, organisation)
    errors: dict[str, str] = {}
    if request.method == "POST":
        confirmed(request, Action.ACCOUNT_MANAGE)
        try:
            return _made(request, organisation, _create(request, organisation))
        except services.AccountRefusedError as refusal:
            errors = {refusal.field or "username": str(refusal)}
    context = {
        "section": "consortium",
        "organisation": organisation,
        "role_rows": role_rows({Role(each) for each in _roles_asked(request)}),
        "form": {
            "username": request.POST.get("username", ""),
            "display_name": request.POST.get("display_name", ""),
            "kind": request.POST.get("kind", "person"),
        },
        "errors": errors,
    }
    return render(request, "console/account_new.html", context, status=422 if errors else 200)


def _roles_asked(request: HttpRequest) -> list[str]:
    known = {role.value for role in Role}
    return [each for each in request.POST.getlist("role") if each in known]


def _create(request: HttpRequest, organisation: Organisation) -> Operator:
    return services.create_operator(
        username=request.POST.get("username", "").strip(),
        display_name=request.POST.get("display_name", "").strip(),
        organisation=organisation,
        roles=[Role(each) for each in _roles_asked(request)],
        password=None,
        is_service_account=request.POST.get("kind") == "service",
        at=clock.now(),
        actor=viewer_of(request).operator,
    )


def _made(request: HttpRequest, organisation: Organisation, operator: Operator) -> HttpResponse:
    if operator.is_service_account:
        messages.success(request, f"{operator} is made. It works with tokens: make one here.")
        return redirect("console:organisation_account", organisation.slug, operator.pk)
    return _invite(request, organisation, operator)


@page(Action.ACCOUNT_VIEW)
def organisation_account(request: HttpRequest, slug: str, account_id: int) -> HttpResponse:
    """Show one account to administrators and auditors of an organisation."""
    organisation = get_organisation(slug=slug)
    viewer = viewer_of(request)
    viewer.principal.require(Action.ACCOUNT_VIEW, organisation)
    operator = account_of(organisation, account_id)
    return render(
        request, "console/organisation_account.html", _shown(request, organisation, operator)
    )


def _shown(request: HttpRequest, organisation: Organisation, operator: Operator) -> dict[str, Any]:
    viewer, wall_at = viewer_of(request), clock.wall_now()
    keeps = operator.home == organisation
    tokens = ApiToken.objects.filter(operator=operator, organisation=organisation, revoked_at=None)
    authenticators = list(Authenticator.objects.filter(user=operator))
    may_manage = viewer.may(Action.ACCOUNT_MANAGE, organisation)
    return {
        "section": "consortium",
        "organisation": organisation,
        "account": operator,
        "state": account_state(operator),
        "keeps": keeps,
        "role_rows": role_rows(roles_for(operator, organisation)),
        "ways_in": ways_in(
            operator,
            authenticators,
            SocialAccount.objects.filter(user=operator).count(),
        ),
        "tokens": token_rows(tokens.select_related("operator", "organisation"), wall_at=wall_at)
        if viewer.may(Action.TOKEN_VIEW, organisation)
        else None,
        "may_manage": may_manage,
        "may_close": may_manage and keeps and operator != viewer.operator,
        "may_invite": may_manage
        and keeps
        and operator.is_active
        and not operator.is_service_account,
        "may_make_tokens": viewer.may(Action.TOKEN_MANAGE, organisation) and operator.is_active,
        "has_authenticators": bool(authenticators),
        "audit_url": f"{reverse('console:audit')}?q=operator:{operator.username}",
    }


@deed(Action.ACCOUNT_MANAGE, back=_BACK)
def grant_role(request: HttpRequest, slug: str) -> HttpResponse:
    """Give an account a role; also one that another organisation keeps, by its name."""
    organisation = get_organisation(slug=slug)
    viewer_of(request).principal.require(Action.ACCOUNT_MANAGE, organisation)
    username, role = request.POST.get("username", "").strip(), request.POST.get("role", "")
    try:
        operator = get_operator(username=username)
    except Operator.DoesNotExist:
        return organisation_page(
            request,
            organisation,
            status=422,
            grant_form={"username": username, "role": role},
            errors={"grant": f"Nobody has the name {username!r}. Names are as one signs in."},
        )
    services.grant_role(
        operator=operator,
        organisation=organisation,
        role=_role(role),
        at=clock.now(),
        actor=viewer_of(request).operator,
    )
    messages.success(request, f"{operator} is {_role(role).label} for {organisation} from now on.")
    return go_back(request, reverse("console:organisation", args=[slug]))


@deed(Action.ACCOUNT_MANAGE, back=_BACK)
def revoke_role(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a role away, from now on."""
    organisation = get_organisation(slug=slug)
    operator = get_operator(username=request.POST.get("username", ""))
    role = _role(request.POST.get("role", ""))
    services.revoke_role(
        operator=operator,
        organisation=organisation,
        role=role,
        at=clock.now(),
        actor=viewer_of(request).operator,
    )
    messages.success(request, f"{operator} is no longer {role.label} for {organisation}.")
    if operator not in accounts_of(
        organisation
    ):  # of another one, and this was its last role here
        return redirect("console:organisation", slug)
    return go_back(request, reverse("console:organisation", args=[slug]))


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise RefusedError(f"There is no role {name!r}; there are {known}.") from None


@deed(Action.ACCOUNT_MANAGE, back=_BACK)
def invite(request: HttpRequest, slug: str, account_id: int) -> HttpResponse:
    """Make an invitation to choose a password; it is shown once, to be handed over."""
    organisation = get_organisation(slug=slug)
    return _invite(request, organisation, account_of(organisation, account_id))


def _invite(request: HttpRequest, organisation: Organisation, operator: Operator) -> HttpResponse:
    """Show the invitation in the answer itself: nothing keeps it."""
    path = services.invite(operator=operator, actor=viewer_of(request).operator, at=clock.now())
    context = {
        "section": "consortium",
        "organisation": organisation,
        "account": operator,
        "url": request.build_absolute_uri(path),
        "page_url": reverse("console:organisation_account", args=[organisation.slug, operator.pk]),
    }
    answer = render(request, "console/invitation.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@deed(Action.ACCOUNT_MANAGE, back=_BACK)
def close_account(request: HttpRequest, slug: str, account_id: int) -> HttpResponse:
    """Let an account do nothing more; its open pages are cut off within two seconds."""
    operator = account_of(get_organisation(slug=slug), account_id)
    services.close_account(
        operator=operator,
        actor=viewer_of(request).operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    messages.success(request, f"{operator} is closed: its sessions and tokens have ended.")
    return redirect("console:organisation_account", slug, account_id)


@deed(Action.ACCOUNT_MANAGE, back=_BACK)
def open_account(request: HttpRequest, slug: str, account_id: int) -> HttpResponse:
    """Let a closed account work again."""
    operator = account_of(get_organisation(slug=slug), account_id)
    services.open_account(operator=operator, actor=viewer_of(request).operator, at=clock.now())
    messages.success(request, f"{operator} is open again, with its roles and without tokens.")
    return redirect("console:organisation_account", slug, account_id)


@deed(Action.ACCOUNT_MANAGE, back=_BACK)
def remove_authenticators(request: HttpRequest, slug: str, account_id: int) -> HttpResponse:
    """Take the second factors of somebody who lost them."""
    operator = account_of(get_organisation(slug=slug), account_id)
    services.remove_authenticators(
        operator=operator, actor=viewer_of(request).operator, at=clock.now()
    )
    messages.success(request, f"{operator} signs in without a second factor until one is added.")
    return redirect("console:organisation_account", slug, account_id)
