"""Everybody who asks: a stranger, somebody without a role, each role at three organisations."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from importlib import import_module

from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import Action, Role, actions_of, grants
from missioncontrol.accounts.services import create_token
from missioncontrol.kernel import clock
from tests import factories
from tests.signing_in import sign_in

_RENEW_AFTER_S = 120  # a proof of identity counts for five minutes
_STALE = timedelta(minutes=10)
_PROOFS = "account_authentication_methods"  # where allauth keeps them in a session


class Whose(StrEnum):
    """Whose object a route is about; the value is the organisation's slug in the demo mission."""

    OPERATING = "operator"  # operates the spacecraft and the mission
    MEMBER = "ai-laboratory-1"
    OTHER = "ai-laboratory-2"


class By(StrEnum):
    """What somebody shows."""

    SESSION = "session"
    TOKEN = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Somebody who asks; ``operator`` is None for a stranger."""

    name: str
    operator: Operator | None = None
    memberships: Sequence[Membership] = ()
    session_key: str = ""
    token: ApiToken | None = None
    secret: str = ""

    def may(self, action: Action, organisation: Organisation | None) -> bool:
        """Return what the policy table says."""
        return grants(self.memberships, action, organisation)

    def shows(self, by: By) -> tuple[dict[str, str], dict[str, str]]:
        """Return the header fields and the cookies that say who this is."""
        if self.operator is None:
            return {}, {}
        if by is By.TOKEN:
            return {"Authorization": f"Bearer {self.secret}"}, {}
        return {}, {settings.SESSION_COOKIE_NAME: self.session_key}


class Cast:
    """The people of the matrix."""

    def __init__(self) -> None:
        self._handler = ClientHandler(enforce_csrf_checks=False)
        self.organisations = {each: Organisation.objects.get(slug=each) for each in Whose}
        self.stranger = Subject(name="a stranger")
        self.without_role = self._without_role("nobody", self.organisations[Whose.MEMBER])
        self.with_role = {
            (role, whose): self._subject(f"{whose}.{role}", organisation, role)
            for whose, organisation in self.organisations.items()
            for role in Role
        }
        self._renewed_at = time.monotonic()

    def client(self, subject: Subject, by: By) -> Client:
        """Return a client that shows who *subject* is."""
        headers, cookies = subject.shows(by)
        browser = Client(headers=headers)
        browser.handler = self._handler  # to load the middleware takes longer than to ask
        browser.cookies.load(cookies)
        return browser

    def _without_role(self, username: str, home: Organisation) -> Subject:
        """Return somebody who lost the only role, with the token that it was made for."""
        had = self._subject(username, home, Role.OPERATOR)
        Membership.objects.filter(operator=had.operator).delete()
        return replace(had, memberships=())

    def _subject(self, username: str, home: Organisation, role: Role) -> Subject:
        operator = factories.operator(username, role, member_of=home)
        browser = self.client(self.stranger, By.SESSION)
        sign_in(browser, operator)
        token, secret = create_token(
            operator=operator,
            organisation=home,
            name="matrix",
            at=factories.AT,
            wall_at=clock.wall_now(),
            scopes=actions_of([role]),
        )
        session_key = browser.session.session_key
        assert session_key is not None
        _date_proofs(session_key, clock.wall_now())
        return Subject(
            name=username,
            operator=operator,
            memberships=operator.roles_held(),
            session_key=session_key,
            token=token,
            secret=secret,
        )

    def people(self) -> list[Subject]:
        """Return everybody who can sign in."""
        return [self.without_role, *self.with_role.values()]

    def renew_proofs(self) -> None:
        """Let everybody have proved just now who they are, however slow the machine is."""
        if time.monotonic() - self._renewed_at < _RENEW_AFTER_S:
            return
        self._renewed_at = time.monotonic()
        ApiToken.objects.update(created_at=clock.wall_now())
        for subject in self.people():
            _date_proofs(subject.session_key, clock.wall_now())


def let_proof_age(subject: Subject) -> None:
    """Let *subject* have proved long ago who they are, in the session and by the token."""
    long_ago = clock.wall_now() - _STALE
    _date_proofs(subject.session_key, long_ago)
    if subject.token is not None:
        ApiToken.objects.filter(pk=subject.token.pk).update(created_at=long_ago)


def take_scope(subject: Subject, action: Action) -> None:
    """Let the token of *subject* name everything that the role grants but *action*."""
    assert subject.token is not None
    scopes = [each for each in subject.token.scopes if each != action]
    ApiToken.objects.filter(pk=subject.token.pk).update(scopes=scopes)


def _date_proofs(session_key: str, at: datetime) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    store[_PROOFS] = [
        {**proof, "at": at.timestamp(), "reauthenticated": True} for proof in store[_PROOFS]
    ]
    store.save()
