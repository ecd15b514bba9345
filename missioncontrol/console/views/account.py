"""One's own account: how one signs in, where one is signed in, and one's tokens."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.console.access import own, viewer_of
from missioncontrol.console.presentation.accounts import (
    passkey_rows,
    session_rows,
    token_rows,
)
from missioncontrol.console.presentation.rights import ROLE_WORDS
from missioncontrol.kernel import clock


@require_safe
@own
def account(request: HttpRequest) -> HttpResponse:
    """Show how one signs in, where one is signed in, and one's tokens."""
    viewer = viewer_of(request)
    operator = viewer.operator
    authenticators = list(Authenticator.objects.filter(user=operator))
    recovery = _of_type(authenticators, Authenticator.Type.RECOVERY_CODES)
    sessions = UserSession.objects.purge_and_list(operator)
    tokens = ApiToken.objects.filter(operator=operator, revoked_at=None)
    wall_at = clock.wall_now()
    context: dict[str, Any] = {
        "section": "account",
        "operator": operator,
        "roles_held": [
            {
                "organisation": each.organisation,
                "label": Role(each.role).label,
                "words": ROLE_WORDS[Role(each.role)],
            }
            for each in sorted(
                viewer.principal.memberships, key=lambda row: (row.organisation.name, row.role)
            )
        ],
        "has_password": operator.has_usable_password(),
        "passkeys": passkey_rows(authenticators),
        "codes": _of_type(authenticators, Authenticator.Type.TOTP),
        "recovery_left": len(recovery.wrap().get_unused_codes()) if recovery else None,
        "single_sign_ons": list(
            Organisation.objects.filter(
                slug__in=SocialAccount.objects.filter(user=operator).values("provider")
            )
        ),
        "sessions": session_rows(sessions, current_key=request.session.session_key),
        "tokens": token_rows(tokens.select_related("operator", "organisation"), wall_at=wall_at),
    }
    return render(request, "console/account.html", context)


def _of_type(authenticators: list[Authenticator], kind: str) -> Authenticator | None:
    return next((each for each in authenticators if each.type == kind), None)


@require_safe
@own
def to_account(_request: HttpRequest) -> HttpResponse:
    """Lead to the page of one's account, where allauth would have one of its own."""
    return redirect("console:account")


@require_POST
@own
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions, here or on another machine."""
    services.end_session(
        operator=viewer_of(request).operator, session_id=session_id, at=clock.now()
    )
    messages.success(request, "That session has ended.")
    return redirect("console:account")


@require_POST
@own
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all one's sessions but this one."""
    ended = services.end_other_sessions(
        operator=viewer_of(request).operator,
        session_key=request.session.session_key or "",
        at=clock.now(),
    )
    messages.success(request, f"{ended} other session{'s have' if ended != 1 else ' has'} ended.")
    return redirect("console:account")
