"""Who asks, as the API's description says it; the gate has decided before."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from missioncontrol.accounts.gate import principal_of as principal_at_gate
from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.kernel import clock

_SAFE_METHODS: Final = {"GET", "HEAD"}


class BearerToken(HttpBearer):
    """``Authorization: Bearer mc_…``, as the console or ``manage.py create_token`` shows it."""

    def authenticate(self, request: HttpRequest, _token: str) -> Principal | None:
        """Return whose token it is."""
        principal = principal_at_gate(request)
        return principal if principal.token is not None else None


class ConsoleSession(APIKeyCookie):
    """The console's cookie, for reading in a browser. Changes take a token.

    A cookie travels with requests that another site makes; a token does not.
    """

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # it opens nothing that changes anything

    def authenticate(self, request: HttpRequest, _key: str | None) -> Principal | None:
        """Return who is signed in, or None."""
        principal = principal_at_gate(request)
        is_session = principal.token is None and request.method in _SAFE_METHODS
        return principal if is_session else None


TOKEN: Final = BearerToken()
TOKEN_OR_SESSION: Final = [TOKEN, ConsoleSession()]


def principal_of(request: HttpRequest) -> Principal:
    """Return who asks; every operation is behind one of the two."""
    principal = getattr(request, "auth", None)
    assert isinstance(principal, Principal)
    return principal


def permitted(
    request: HttpRequest, action: Action, organisation: Organisation | None = None
) -> Principal:
    """Return who asks, if *action* is granted and, where it takes that, freshly confirmed.

    Raises:
        NotPermittedError: it is not.
        ConfirmationNeededError: it is, but the proof of identity is too old.
    """
    principal = principal_of(request)
    principal.require(action, organisation)
    principal.require_confirmed(action, wall_at=clock.wall_now())
    return principal
