"""Who asks, with what rights: a person by a session, or an account by one of its tokens."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import TAKES_CONFIRMATION, Action, grants, refusal
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.kernel.organisations import acting_for

CONFIRMED_FOR: Final = timedelta(minutes=5)


class ConfirmationNeededError(NotPermittedError):
    """The right is there; who asks must prove once more who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    A token acts for its own organisation only, also when its account has roles
    for others, and within its scopes. A session stands for all that the person
    is.
    """

    operator: Operator
    memberships: tuple[Membership, ...]
    token: ApiToken | None = None  # None: a session
    confirmed_at: datetime | None = None  # wall time of the last proof of identity

    @property
    def organisations(self) -> list[Organisation]:
        """The organisations that this asks for, each once, by name."""
        found = {each.organisation_id: each.organisation for each in self.memberships}
        return sorted(found.values(), key=lambda organisation: organisation.name)

    def may(self, action: Action, organisation: Organisation | None = None) -> bool:
        """Return whether *action* is granted; see ``accounts.policy.grants``."""
        return self._in_scope(action) and grants(self.memberships, action, organisation)

    def require(self, action: Action, organisation: Organisation | None = None) -> None:
        """Refuse unless *action* is granted.

        Raises:
            NotPermittedError: no role grants it, or it is none of the token's scopes or
                of its organisation.
        """
        if not grants(self.memberships, action, organisation):
            if self.token is not None and organisation not in {None, self.token.organisation}:
                raise NotPermittedError(
                    f"This token of {self.operator} acts for {self.token.organisation}; "
                    f"{action.value} for {organisation} takes a token for {organisation}."
                )
            raise refusal(self.operator, action, organisation)
        if self.token is not None and not self._in_scope(action):
            raise NotPermittedError(
                f"This token has the scopes {', '.join(self.token.scopes)}; {action.value} is "
                "none of them. Make a token with that scope."
            )

    def require_role(self) -> None:
        """Refuse who holds no role at all: what every member sees takes some role.

        Raises:
            NotPermittedError: they hold none.
        """
        if not self.memberships:
            raise NotPermittedError(
                f"{self.operator} holds no role; an administrator of the organisation can give "
                "one."
            )

    def require_confirmed(self, action: Action, *, wall_at: datetime) -> None:
        """Refuse an act that takes a fresh proof of identity where there is none.

        Raises:
            ConfirmationNeededError: the proof is older than ``CONFIRMED_FOR``.
        """
        if action not in TAKES_CONFIRMATION or self.is_confirmed(wall_at=wall_at):
            return
        minutes = int(CONFIRMED_FOR / timedelta(minutes=1))
        raise ConfirmationNeededError(
            f"{action.value} takes a proof of identity of the last {minutes} minutes: a token "
            "made within them, or in the console a password, code or passkey."
        )

    def is_confirmed(self, *, wall_at: datetime) -> bool:
        """Return whether the last proof of identity is fresh."""
        return self.confirmed_at is not None and wall_at - self.confirmed_at < CONFIRMED_FOR

    def organisations_with(self, action: Action) -> list[Organisation]:
        """Return the organisations that *action* is granted for."""
        return [each for each in self.organisations if self.may(action, each)]

    def acting_with(self, action: Action) -> AbstractContextManager[None]:
        """Act, inside, only for the organisations that *action* is granted for."""
        return acting_for((each.pk, each.slug) for each in self.organisations_with(action))

    def _in_scope(self, action: Action) -> bool:
        return self.token is None or action in self.token.scopes


def principal_of_token(token: ApiToken) -> Principal:
    """Return who acts with *token*, which is in force."""
    return Principal(
        operator=token.operator,
        memberships=_of(token.operator, {token.organisation_id}),
        token=token,
        # Making one took a proof of identity: it counts as fresh as long as any other.
        confirmed_at=token.created_at,
    )


def principal_of_session(operator: Operator, *, confirmed_at: datetime | None) -> Principal:
    """Return who is signed in."""
    return Principal(
        operator=operator, memberships=tuple(operator.roles_held()), confirmed_at=confirmed_at
    )


def _of(operator: Operator, organisations: Iterable[int]) -> tuple[Membership, ...]:
    wanted = set(organisations)
    return tuple(each for each in operator.roles_held() if each.organisation_id in wanted)
