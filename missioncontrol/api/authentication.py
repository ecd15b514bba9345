"""Who asks: a token, or a person whose browser is signed in to the console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from missioncontrol.accounts import policy
from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.selectors import organisations_of, token_in_force
from missioncontrol.accounts.services import note_token_use
from missioncontrol.api.problems import NotSignedInError
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError

_SAFE_METHODS: Final = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, and for whom.

    A token acts for its own organisation only, also when its operator has
    roles for others. A session stands for all that the person is.
    """

    operator: Operator
    organisation: Organisation | None  # None: a session

    def may(self, action: Action, organisation: Organisation | None = None) -> bool:
        """Return whether *action* is granted; see ``accounts.policy.may``."""
        if self.organisation is None:
            return policy.may(self.operator, action, organisation)
        if organisation is not None and organisation != self.organisation:
            return False
        return policy.may(self.operator, action, self.organisation)

    def require(self, action: Action, organisation: Organisation | None = None) -> None:
        """Refuse unless *action* is granted.

        Raises:
            NotPermittedError: no role grants it, or the token is for another organisation.
        """
        if self.may(action, organisation):
            return
        policy.require(self.operator, action, organisation or self.organisation)
        raise NotPermittedError(
            f"This token of {self.operator} acts for {self.organisation}; {action.value} for "
            f"{organisation} takes a token for {organisation}."
        )

    def organisations_with(self, action: Action) -> list[Organisation]:
        """Return the organisations that *action* is granted for."""
        held = (
            organisations_of(self.operator) if self.organisation is None else [self.organisation]
        )
        return [organisation for organisation in held if self.may(action, organisation)]


class BearerToken(HttpBearer):
    """``Authorization: Bearer mc_…``, as ``manage.py create_token`` prints it."""

    def authenticate(self, _request: HttpRequest, token: str) -> Principal:
        """Return whose token it is; a token's life is counted in mission time.

        Raises:
            NotSignedInError: it is not in force.
        """
        at = clock.now()
        found = token_in_force(token, at=at)
        if found is None:
            raise NotSignedInError(
                "This token is unknown, expired or revoked; manage.py create_token makes one."
            )
        note_token_use(token=found, at=at)
        return Principal(operator=found.operator, organisation=found.organisation)


class ConsoleSession(APIKeyCookie):
    """The console's cookie, for reading in a browser. Changes take a token.

    A cookie travels with requests that another site makes; a token does not.
    """

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # it opens nothing that changes anything

    def authenticate(self, request: HttpRequest, _key: str | None) -> Principal | None:
        """Return who is signed in, or None."""
        user = request.user
        if request.method not in _SAFE_METHODS or not isinstance(user, Operator):
            return None
        return Principal(operator=user, organisation=None)


TOKEN: Final = BearerToken()
TOKEN_OR_SESSION: Final = [TOKEN, ConsoleSession()]


def principal_of(request: HttpRequest) -> Principal:
    """Return who asks; every operation is behind one of the two."""
    principal = getattr(request, "auth", None)
    assert isinstance(principal, Principal)
    return principal
