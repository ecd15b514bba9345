"""How django-allauth does things here: no sign-up, no mail, each organisation's own sign-on."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse

from missioncontrol.accounts.models import Operator, Organisation, SingleSignOn
from missioncontrol.accounts.services import adopt_single_sign_on_account
from missioncontrol.accounts.services.single_sign_on import SEALED_FOR
from missioncontrol.accounts.single_sign_on_proof import ProofRefusedError, take_proof
from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.kernel.sealing import seal, unseal

_PROVIDER: Final = "openid_connect"
_WAYS: Final = {
    "reauthenticate": "Password",
    "mfa_reauthenticate": "One-time or recovery code",
    "mfa_reauthenticate:webauthn": "Passkey",
}
_WRONG: Final = "The name and the password do not belong together. Try again."


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Accounts are made by administrators; nothing is sent by mail."""

    error_messages = {  # noqa: RUF012  # as allauth declares it
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _WRONG,
        "too_many_login_attempts": (
            "Too many wrong passwords for this name or from this address. Wait a quarter of an "
            "hour, or ask an administrator."
        ),
        "enter_current_password": "That is not your present password.",
        "incorrect_password": "That is not your password. Try again.",
        "invalid_password_reset": "This invitation is used, too old, or not whole.",
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Nobody makes an account for themselves."""
        return False

    def get_password_change_redirect_url(self, _request: HttpRequest) -> str:
        """Lead back to the account's page."""
        return reverse("console:account")

    def pre_login(self, request: HttpRequest, user: Operator, **kwargs: Any) -> Any:
        """Refuse service accounts and closed ones, in the words of a wrong password."""
        if user.is_service_account or not user.is_active:
            messages.error(request, _WRONG)
            raise ImmediateHttpResponse(redirect("account_login"))
        return super().pre_login(request, user, **kwargs)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the ways to prove once more who one is, the usual one first."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        for method in methods:
            method["description"] = _WAYS[method["id"]]
        if not methods and user.is_authenticated:
            account = SocialAccount.objects.filter(user=user).first()
            if account is not None:
                url = reverse("console:confirm_by_single_sign_on")
                methods.append(
                    {"id": "single_sign_on", "description": "Single sign-on", "url": url}
                )
        return methods


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """An organisation's identity provider vouches for its own people and for nobody else."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return the organisations' identity providers as allauth knows them."""
        with acting_for_everybody():  # whoever signs in is not known yet
            rows = SingleSignOn.objects.filter(enabled=True).select_related("organisation")
            if provider is not None and provider != _PROVIDER:
                rows = rows.filter(organisation__slug=provider)
            if client_id is not None:
                rows = rows.filter(client_id=client_id)
            return [_app(row) for row in rows.order_by("organisation__name")]

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        """Let people in whom their organisation vouches for; they hold no role yet."""
        return True

    def is_auto_signup_allowed(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        """Ask them nothing more."""
        return True

    def can_authenticate_by_email(self, _login: SocialLogin, _email: str) -> bool:
        """Never take a mail address for a proof of who somebody is."""
        return False

    def save_user(
        self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None
    ) -> Operator:
        """Save an account that comes for the first time."""
        operator: Operator = sociallogin.user
        organisation = Organisation.objects.get(slug=sociallogin.account.provider)
        said = _said_of(sociallogin.account)
        wanted = str(said.get("preferred_username") or "")
        operator.display_name = str(said.get("name") or wanted)[:120]
        adopt_single_sign_on_account(
            operator=operator,
            organisation=organisation,
            wanted_name=wanted,
            at=clock.now(),
        )
        sociallogin.save(request)
        return operator

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Take what comes back to somebody who was sent to confirm for that, not for a sign-in."""
        if sociallogin.state.get("process") != AuthProcess.REDIRECT:
            return
        try:
            take_proof(request, sociallogin, _said_of(sociallogin.account))
        except ProofRefusedError as refusal:
            messages.error(request, str(refusal))
            raise ImmediateHttpResponse(redirect(sociallogin.state["next"])) from refusal

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Say it where one came from: where one signs in, or where one confirms."""
        name = getattr(provider, "name", "The identity provider")
        if error == AuthError.CANCELLED:
            text = f"The sign-in with {name} was cancelled."
        else:
            text = f"{name} did not confirm the sign-in. Try again, or ask its administrators."
        messages.error(request, text)
        state = (extra_context or {}).get("state") or {}
        is_confirming = state.get("process") == AuthProcess.REDIRECT
        raise ImmediateHttpResponse(redirect(state["next"] if is_confirming else "account_login"))


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of one-time codes are sealed in the database."""

    error_messages = {  # noqa: RUF012  # as allauth declares it
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "It was not accepted. A code is good for half a minute and only once.",
    }
    _PURPOSE = "second-factor"

    def generate_authenticator_name(self, user: Operator, type: str) -> str:  # noqa: A002
        """Return what a passkey is called until its owner names it."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"passkey {count + 1}"

    def encrypt(self, text: str) -> str:
        """Return *text* as it is stored."""
        return seal(text, purpose=self._PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Return what was stored."""
        return unseal(encrypted_text, purpose=self._PURPOSE)


def _said_of(account: SocialAccount) -> dict[str, Any]:
    """Return the claims that the identity provider made of somebody."""
    data: dict[str, dict[str, Any]] = account.extra_data
    return {**data.get("id_token", {}), **data.get("userinfo", {})}


def _app(row: SingleSignOn) -> SocialApp:
    return SocialApp(
        provider=_PROVIDER,
        provider_id=row.organisation.slug,
        name=row.organisation.name,
        client_id=row.client_id,
        secret=unseal(row.sealed_secret, purpose=SEALED_FOR),
        settings={"server_url": row.issuer, "oauth_pkce_enabled": True},
    )
