"""allauth's forms for passkeys, which take whatever a stranger sends.

The parser of a credential raises its own errors on what is none; here they
become refusals beside the others.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms

_NO_CREDENTIAL: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)


def _refused_if_none(clean: Callable[[], Any]) -> Any:
    try:
        return clean()
    except _NO_CREDENTIAL as error:
        raise get_adapter().validation_error("incorrect_code") from error


class AddPasskeyForm(forms.AddWebAuthnForm):  # type: ignore[misc]  # allauth is untyped
    def clean(self) -> Any:
        return _refused_if_none(super().clean)


class SignInByPasskeyForm(forms.LoginWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        return _refused_if_none(super().clean_credential)


class ConfirmByPasskeyForm(forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        return _refused_if_none(super().clean_credential)


class SecondFactorPasskeyForm(forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        return _refused_if_none(super().clean_credential)
