"""The gate before every page and operation: who can say who they are comes in.

It answers 401 to everybody else, at every address but those of signing in and
of health. Whom it lets in, it lets in for their organisations: the rows of
others do not exist behind it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.principals import (
    Principal,
    principal_of_session,
    principal_of_token,
)
from missioncontrol.accounts.selectors import token_in_force
from missioncontrol.accounts.services import note_token_use
from missioncontrol.accounts.step_up import confirmed_at
from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import acting_for

logger = logging.getLogger(__name__)

_Answer = Callable[[HttpRequest], HttpResponse]
_BEARER: Final = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)
_PRINCIPAL: Final = "principal"


class Gate:
    """Middleware; it stands after sessions and authentication."""

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response
        self._open = [re.compile(pattern) for pattern in settings.GATE_OPEN_PATHS]
        self._refusals: list[tuple[str, _Answer]] = [
            (prefix, import_string(name)) for prefix, name in settings.GATE_REFUSALS
        ]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._answer(request)
        # What somebody reads here is for their eyes: no cache keeps it, also not the browser's.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        principal = _principal(request)
        if principal is None:
            if any(pattern.fullmatch(request.path) for pattern in self._open):
                return self._get_response(request)
            return self._refusal(request)
        setattr(request, _PRINCIPAL, principal)
        with acting_for((each.pk, each.slug) for each in principal.organisations):
            response = self._get_response(request)
        if response.status_code == HTTPStatus.FORBIDDEN:
            _note_refusal(request, principal)
        return response

    def _refusal(self, request: HttpRequest) -> HttpResponse:
        """Answer 401 in the form that the address speaks."""
        answer = next(
            answer for prefix, answer in self._refusals if request.path.startswith(prefix)
        )
        return answer(request)


def _note_refusal(request: HttpRequest, principal: Principal) -> None:
    """Leave a line of who was refused what: somebody trying doors is to be seen."""
    by = f"token {principal.token.prefix}" if principal.token is not None else "session"
    # Quoted: what is in the address must not write a line of its own.
    logger.warning(
        "%s may not %s %s (%s)", principal.operator, request.method, quote(request.path), by
    )


def principal_of(request: HttpRequest) -> Principal:
    """Return who asks; behind the gate there is always somebody."""
    return cast(Principal, getattr(request, _PRINCIPAL))


def _principal(request: HttpRequest) -> Principal | None:
    """Return who asks, by a token if one is shown, else by the session; None: a stranger."""
    shown = request.headers.get("Authorization")
    if shown is not None:
        return principal_of_bearer(shown)
    if isinstance(request.user, Operator):
        return principal_of_session(request.user, confirmed_at=confirmed_at(request))
    return None


def principal_of_bearer(shown: str) -> Principal | None:
    """Return who asks by an ``Authorization`` header; None: nobody that is known."""
    bearer = _BEARER.fullmatch(shown)
    wall_at = clock.wall_now()
    token = token_in_force(bearer[1], wall_at=wall_at) if bearer else None
    if token is None:
        return None
    principal = principal_of_token(token)
    with acting_for((each.pk, each.slug) for each in principal.organisations):
        note_token_use(token=token, wall_at=wall_at)
    return principal
