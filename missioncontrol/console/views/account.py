"""One's own account: how one signs in, where one is signed in, and one's tokens."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken
from missioncontrol.console.access import viewer_of
from missioncontrol.kernel import clock


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show how one signs in, where one is signed in, and one's tokens."""
    operator = viewer_of(request).operator
    authenticators = Authenticator.objects.filter(user=operator)
    context: dict[str, Any] = {
        "section": "account",
        "operator": operator,
        "memberships": viewer_of(request).principal.memberships,
        "has_password": operator.has_usable_password(),
        "passkeys": [each.wrap() for each in authenticators.filter(type="webauthn")],
        "codes": authenticators.filter(type="totp").first(),
        "recovery": authenticators.filter(type="recovery_codes").first(),
        "single_sign_ons": SocialAccount.objects.filter(user=operator),
        "sessions": UserSession.objects.purge_and_list(operator),
        "tokens": ApiToken.objects.filter(operator=operator, revoked_at=None),
        "wall_at": clock.wall_now(),
    }
    return render(request, "console/account.html", context)


@require_safe
def to_account(_request: HttpRequest) -> HttpResponse:
    """Lead to the page of one's account, where allauth would have one of its own."""
    return redirect("console:account")


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions, here or on another machine."""
    operator = viewer_of(request).operator
    try:
        services.end_session(operator=operator, session_id=session_id, at=clock.now())
    except UserSession.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, "That session has ended.")
    return redirect("console:account")
