"""A fresh proof of identity that an organisation's identity provider gives.

Who has neither password nor passkey here is sent there once more, with the
request to ask anew (``prompt=login``), and comes back to the same session.
"""

from __future__ import annotations

import math
from typing import Any, Final

from allauth.account.internal.flows.login import record_authentication
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest

from missioncontrol.accounts.principals import CONFIRMED_FOR
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError

# OpenID Connect Core 1.0, section 3.1.2.1: a provider that is asked for max_age says in
# auth_time when the person last proved who they are.
ASK_ANEW: Final = {"prompt": "login", "max_age": str(int(CONFIRMED_FOR.total_seconds()))}

_CAME_BACK: Final = "confirmed_by_single_sign_on"


class ProofRefusedError(RefusedError):
    """What the identity provider says proves nothing about the person of this session."""


def take_proof(request: HttpRequest, login: SocialLogin, claims: dict[str, Any]) -> None:
    """Note that the provider has vouched anew for the person of this session.

    A provider that tells no time is believed: it was asked to ask anew.

    Raises:
        ProofRefusedError: it vouches for somebody else, or did so long ago.
    """
    if not request.user.is_authenticated or login.user != request.user:
        raise ProofRefusedError(
            f"{login.provider.name} vouched for another person than the one who is signed in "
            "here. Sign out and in again as that person, or confirm as yourself."
        )
    if "auth_time" in claims and not _is_recent(claims["auth_time"]):
        raise ProofRefusedError(
            f"{login.provider.name} did not ask you anew: by its word you proved who you are more "
            "than five minutes ago. Sign out there, then confirm."
        )
    record_authentication(
        request,
        request.user,
        "socialaccount",
        reauthenticated=True,
        provider=login.account.provider,
        uid=login.account.uid,
    )
    request.session[_CAME_BACK] = True


def _is_recent(auth_time: Any) -> bool:
    age_s = clock.wall_now().timestamp() - auth_time if isinstance(auth_time, int) else math.inf
    return age_s <= CONFIRMED_FOR.total_seconds()


def has_come_back(request: HttpRequest) -> bool:
    """Return, once, whether this session has just brought such a proof."""
    return bool(request.session.pop(_CAME_BACK, False))
