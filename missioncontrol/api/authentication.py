"""Who asks, as the API's description says it; the gate has decided before."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from ninja.security import APIKeyCookie, HttpBearer

from missioncontrol.accounts.attempts import client_address
from missioncontrol.accounts.gate import principal_of as principal_at_gate
from missioncontrol.accounts.models import ApiToken, Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.problems import not_signed_in, problem
from missioncontrol.api.rate_limits import QuotaState, quota_of_wrong_tokens, spend
from missioncontrol.kernel import clock

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class BearerToken(HttpBearer):
    """``Authorization: Bearer mc_…``, as the console or ``manage.py create_token`` shows it."""

    openapi_description = (
        "A token (mc_…) acts for one account and one organisation, within its scopes. What takes "
        "a fresh proof of identity takes one made within the last five minutes."
    )

    def authenticate(self, request: HttpRequest, _token: str) -> Principal | None:
        """Return whose token it is."""
        principal = principal_at_gate(request)
        return principal if principal.token is not None else None


class ConsoleSession(APIKeyCookie):
    """The console's cookie, for reading in a browser. Changes take a token.

    A cookie travels with requests that another site makes; a token does not.
    """

    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = "A browser that is signed in to the console; for reading only."

    def __init__(self) -> None:
        super().__init__(csrf=False)  # it opens nothing that changes anything

    def authenticate(self, request: HttpRequest, _key: str | None) -> Principal | None:
        """Return who is signed in, or None."""
        principal = principal_at_gate(request)
        is_session = principal.token is None and request.method in SAFE_METHODS
        return principal if is_session else None


TOKEN: Final = BearerToken()
TOKEN_OR_SESSION: Final = [TOKEN, ConsoleSession()]


def principal_of(request: HttpRequest) -> Principal:
    """Return who asks; every operation is behind one of the two."""
    principal = getattr(request, "auth", None)
    assert isinstance(principal, Principal)
    return principal


def token_of(request: HttpRequest) -> ApiToken:
    """Return the token that a change is asked for with; it takes one."""
    token = principal_of(request).token
    assert token is not None
    return token


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


def answer_stranger(request: HttpRequest) -> HttpResponse:
    """Answer who shows no token or one that opens nothing, at any address of the API.

    An address that shows wrong tokens all the time is told to wait; its tokens
    that are in force come in by the gate all the same.
    """
    if "Authorization" not in request.headers:
        return not_signed_in(request)
    spent = spend([quota_of_wrong_tokens(_address(request))])
    if spent is not None and spent.exceeded is not None:
        return too_many_requests(request, spent.exceeded, "This address has shown wrong tokens")
    return not_signed_in(
        request,
        "This token is unknown, expired or revoked; an administrator of your organisation makes "
        "one in the console, or manage.py create_token.",
    )


def _address(request: HttpRequest) -> str:
    try:
        return client_address(request)
    except PermissionDenied:  # by a unix socket, without a proxy that is trusted
        return "unknown"


def too_many_requests(request: HttpRequest, state: QuotaState, who: str) -> HttpResponse:
    """Return the refusal of a request that exceeds a quota."""
    amount, window_s = state.quota.rate
    return problem(
        request,
        HTTPStatus.TOO_MANY_REQUESTS,
        "quota-exceeded",
        f"{who} {amount} times within {window_s} s, which is the limit. Ask again in "
        f"{state.reset_s} s.",
        violated_policies=[state.quota.policy],
        headers={"Retry-After": str(state.reset_s), "Cache-Control": "private, no-store"},
    )
