"""allauth's forms for codes, which take a one-time code once (RFC 6238 section 5.2).

allauth remembers a code for one period, in the cache. A code is taken for
three, so that clocks may differ; here the database keeps the last period whose
code was taken, and neither that one nor an earlier one is taken again.
"""

from __future__ import annotations

from typing import Final

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.db import transaction

_LAST: Final = "last_period"  # in the authenticator's data


class _CodesOnce(forms.BaseAuthenticateForm):  # type: ignore[misc]  # allauth is untyped
    def clean_code(self) -> str:
        """Return the code, which is taken now.

        Raises:
            ValidationError: it is wrong, or it was taken before.
        """
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            _take(self.authenticator.pk, code)
        return code


class AuthenticateForm(_CodesOnce, forms.AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ReauthenticateForm(_CodesOnce, forms.ReauthenticateForm):  # type: ignore[misc]
    """A fresh proof of identity."""


@transaction.atomic
def _take(authenticator_id: int, code: str) -> None:
    row = Authenticator.objects.select_for_update().get(pk=authenticator_id)
    period = _period_of(decrypt(row.data["secret"]), code)
    if period <= row.data.get(_LAST, -1):
        raise get_adapter().validation_error("incorrect_code")
    row.data[_LAST] = period
    row.save(update_fields=["data"])


def _period_of(secret: str, code: str) -> int:
    """Return which period's code it is; -1: that one has just ended."""
    return next(
        (
            period
            for period in yield_hotp_counters_from_time()
            if compare_user_code(
                actual=code, expected=format_hotp_value(hotp_value(secret, period))
            )
        ),
        -1,
    )
