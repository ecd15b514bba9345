"""API tokens: one's own, and those of an organisation's service accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken, Operator, Organisation
from missioncontrol.accounts.policy import Action, actions_of
from missioncontrol.accounts.selectors import get_organisation
from missioncontrol.console.access import confirmed, deed, go_back, own, viewer_of
from missioncontrol.console.presentation.accounts import roles_for
from missioncontrol.console.presentation.rights import scope_groups
from missioncontrol.console.views.organisations import account_of
from missioncontrol.kernel import clock

# Days on offer; any number up to the limit can be typed.
_LIFETIMES: Final = (7, 30, 90, 365)
_MAX_DAYS: Final = services.MAX_TOKEN_LIFETIME // timedelta(days=1)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def new_token(request: HttpRequest) -> HttpResponse:
    """Make an API token of one's own: choose for whom, what it may do and for how long."""
    viewer = viewer_of(request)
    organisations = viewer.principal.organisations
    if not organisations:
        raise PermissionDenied("A token carries rights of a role, and you hold none yet.")
    wanted = request.POST.get("organisation") or request.GET.get("for", "")
    organisation = next((each for each in organisations if each.slug == wanted), organisations[0])
    return _new_token(
        request,
        viewer.operator,
        organisation,
        organisations=organisations,
        back=reverse("console:account"),
        here=reverse("console:new_token"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own
def new_token_for(request: HttpRequest, slug: str, account_id: int) -> HttpResponse:
    """Make an API token for an account of one's organisation, a pipeline as a rule."""
    organisation = get_organisation(slug=slug)
    viewer_of(request).principal.require(Action.TOKEN_MANAGE, organisation)
    operator = account_of(organisation, account_id)
    if not roles_for(operator, organisation):
        messages.error(
            request, f"{operator} holds no role for {organisation}; give it one, then a token."
        )
        return redirect("console:organisation_account", slug, account_id)
    return _new_token(
        request,
        operator,
        organisation,
        organisations=[organisation],
        back=reverse("console:organisation_account", args=[slug, account_id]),
        here=reverse("console:new_token_for", args=[slug, account_id]),
    )


def _new_token(
    request: HttpRequest,
    operator: Operator,
    organisation: Organisation,
    **addresses: Any,
) -> HttpResponse:
    errors: dict[str, str] = {}
    if request.method == "POST":
        # One's own too: whoever finds an unattended console must not take a key away from it.
        confirmed(request, Action.TOKEN_MANAGE)
        try:
            token, secret = _create(request, operator, organisation)
        except services.AccountRefusedError as refusal:
            errors = {refusal.field: str(refusal)}
        else:
            return _shown_once(request, token, secret, back=addresses["back"])
    posted = request.POST if errors else None
    rights = actions_of(roles_for(operator, organisation))
    context = {
        "section": "account" if operator == viewer_of(request).operator else "consortium",
        "account": operator,
        "organisation": organisation,
        "groups": scope_groups(rights, request.POST.getlist("scope")),
        "lifetimes": _LIFETIMES,
        "most_days": _MAX_DAYS,
        "form": {
            "name": posted.get("name", "") if posted else "",
            "days": posted.get("days", "") if posted else "90",
        },
        "errors": errors,
        **addresses,
    }
    return render(request, "console/token_new.html", context, status=422 if errors else 200)


def _create(
    request: HttpRequest, operator: Operator, organisation: Organisation
) -> tuple[ApiToken, str]:
    return services.create_token(
        operator=operator,
        organisation=organisation,
        name=request.POST.get("name", "").strip(),
        at=clock.now(),
        wall_at=clock.wall_now(),
        actor=viewer_of(request).operator,
        scopes=_scopes(request.POST.getlist("scope")),
        lifetime=_lifetime(request.POST.get("days", "")),
    )


def _scopes(names: list[str]) -> list[Action]:
    if not names:
        raise services.AccountRefusedError(
            "Tick at least one right: a token without any could do nothing.", field="scopes"
        )
    unknown = ", ".join(repr(each) for each in sorted(set(names) - set(Action)))
    if unknown:
        raise services.AccountRefusedError(
            f"There is no right {unknown}; choose from those shown.", field="scopes"
        )
    return [Action(each) for each in names]


def _lifetime(text: str) -> timedelta:
    if not text.isdecimal() or not 0 < int(text) <= _MAX_DAYS:
        raise services.AccountRefusedError(
            f"The lifetime {text!r} is no number of days from 1 to {_MAX_DAYS}.", field="lifetime"
        )
    return timedelta(days=int(text))


def _shown_once(request: HttpRequest, token: ApiToken, secret: str, *, back: str) -> HttpResponse:
    """Show the secret in the answer itself: nothing keeps it."""
    context = {
        "section": "account" if token.operator == viewer_of(request).operator else "consortium",
        "token": token,
        "secret": secret,
        "back": back,
        "page_url": back,
    }
    answer = render(request, "console/token_made.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_POST
@own
def revoke_own_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of one's own tokens."""
    operator = viewer_of(request).operator
    if not ApiToken.objects.filter(pk=token_id, operator=operator).exists():
        raise Http404
    return _revoke(request, token_id, back=reverse("console:account"))


@deed(Action.TOKEN_MANAGE, back="console:consortium")
def revoke_token(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """End a token that acts for an organisation."""
    organisation = get_organisation(slug=slug)
    if not ApiToken.objects.filter(pk=token_id, organisation=organisation).exists():
        raise Http404
    return _revoke(request, token_id, back=reverse("console:organisation", args=[slug]))


def _revoke(request: HttpRequest, token_id: int, *, back: str) -> HttpResponse:
    token = services.revoke_token(
        token_id=token_id,
        actor=viewer_of(request).operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    messages.success(request, f"The token {token.name} ends now; what uses it is refused.")
    return go_back(request, back)
