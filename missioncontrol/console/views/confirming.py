"""Proving once more who one is: with a passkey, or at one's organisation's identity provider."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from missioncontrol.accounts.single_sign_on_proof import ASK_ANEW, has_come_back
from missioncontrol.console.access import own

_AWAY: Final = (
    "{} cannot be reached. Try again in a moment, or ask the administrators of that organisation."
)


class ConfirmByPasskeyView(ReauthenticateWebAuthnView):  # type: ignore[misc]  # allauth is untyped
    """A passkey that does not fit leaves one where one is, with what waits still waiting."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the page again."""
        return self.render_to_response(self.get_context_data(form=form))  # type: ignore[no-any-return]


confirm_by_passkey = ConfirmByPasskeyView.as_view()


@require_http_methods(["GET", "HEAD", "POST"])
@own
def confirm_by_single_sign_on(request: HttpRequest) -> HttpResponse:
    """Send somebody to their organisation's identity provider, and go on when they are back."""
    account = SocialAccount.objects.filter(user=request.user).first()
    if account is None:
        return redirect("console:account")
    if request.method != "POST" and has_come_back(request):
        return resume_request(request) or redirect("console:now")
    wanted = urlencode({"next": get_next_redirect_url(request) or reverse("console:now")})
    here = f"{reverse('console:confirm_by_single_sign_on')}?{wanted}"
    provider = _provider(request, account.provider)
    if request.method == "POST":
        return _leave(
            request,
            provider,
            process=AuthProcess.REDIRECT,
            next_url=here,
            auth_params=dict(ASK_ANEW),
        )
    context = {"provider": provider, "here": here}
    return render(request, "console/confirm_by_single_sign_on.html", context)


@require_POST
def sign_in_elsewhere(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send a stranger to an organisation's identity provider to sign in."""
    return _leave(
        request,
        _provider(request, provider_id),
        process=AuthProcess.LOGIN,
        next_url=get_next_redirect_url(request),
    )


def _provider(request: HttpRequest, slug: str) -> Any:
    try:
        return get_adapter().get_provider(request, slug)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error


def _leave(request: HttpRequest, provider: Any, **options: Any) -> HttpResponse:
    """Answer with a page that leads to the provider.

    No redirect: a browser holds the answer to a form to the policy ``form-action 'self'``.
    """
    try:
        away = provider.redirect(request, **options)
    except (OSError, ValueError, KeyError):
        # Not reachable, no JSON, or a configuration without what a sign-in takes.
        messages.error(request, _AWAY.format(provider.name))
        is_confirming = options["process"] == AuthProcess.REDIRECT
        return redirect(options["next_url"] if is_confirming else "account_login")
    return render(request, "console/leaving.html", {"provider": provider, "to": away["Location"]})
