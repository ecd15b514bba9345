"""Signing in and one's own account: allauth's views, at addresses of ours.

Listed one by one, so that what is not wanted here (signing up, mail addresses,
resetting a password by mail) has no address. What changes how one signs in
takes a fresh proof of identity. allauth's views would answer to more methods
than their forms use, and to DELETE without an entry in the log: here they do not.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as single_sign_on
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.urls import URLPattern, path, re_path
from django.views.decorators.http import require_http_methods, require_safe

from missioncontrol.console.access import freshly_confirmed
from missioncontrol.console.views import account as own
from missioncontrol.console.views import confirming, signin

urlpatterns: list[URLPattern] = [
    path("signin/", signin.sign_in, name="account_login"),
    path("signout/", signin.sign_out, name="account_logout"),
    path("account/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("account/password/", account.password_change, name="account_change_password"),
    path(
        "account/password/set/",
        freshly_confirmed(account.password_set),
        name="account_set_password",
    ),
    re_path(
        r"^account/invitation/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/invitation/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/second-factor/", own.to_account, name="mfa_index"),
    path(
        "account/second-factor/authenticate/",
        second_factor.authenticate,
        name="mfa_authenticate",
    ),
    path(
        "account/second-factor/confirm/", second_factor.reauthenticate, name="mfa_reauthenticate"
    ),
    path(
        "account/second-factor/codes/add/",
        freshly_confirmed(totp.activate_totp),
        name="mfa_activate_totp",
    ),
    path(
        "account/second-factor/codes/remove/",
        freshly_confirmed(totp.deactivate_totp),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/second-factor/recovery/",
        freshly_confirmed(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/second-factor/recovery/new/",
        freshly_confirmed(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("account/passkeys/", own.to_account, name="mfa_list_webauthn"),
    path(
        "account/passkeys/add/", freshly_confirmed(passkeys.add_webauthn), name="mfa_add_webauthn"
    ),
    path("account/passkeys/login/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path(
        "account/passkeys/confirm/",
        confirming.confirm_by_passkey,
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/remove/",
        freshly_confirmed(passkeys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/rename/",
        freshly_confirmed(passkeys.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
    path(
        "account/single-sign-on/login/cancelled/",
        single_sign_on.login_cancelled,
        name="socialaccount_login_cancelled",
    ),
    path(
        "account/single-sign-on/login/error/",
        single_sign_on.login_error,
        name="socialaccount_login_error",
    ),
    path("account/single-sign-on/", own.to_account, name="socialaccount_connections"),
    path(
        "account/single-sign-on/<slug:provider_id>/login/",
        confirming.sign_in_elsewhere,
        name="openid_connect_login",
    ),
    path(
        "account/single-sign-on/<slug:provider_id>/login/callback/",
        require_safe(openid_connect.callback),
        name="openid_connect_callback",
    ),
]

for _pattern in urlpatterns:
    _pattern.callback = require_http_methods(["GET", "HEAD", "POST"])(_pattern.callback)
