"""Ask one route as everybody, and say how each fared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from django.contrib.messages import ERROR, get_messages
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import broker
from tests.integration.access.cast import By, Subject, Whose, let_proof_age, take_scope
from tests.integration.access.recipes import Ask, Recipe
from tests.integration.access.scene import Scene

# How somebody can fare: gets in, or
IN = "in"
EMPTY = "empty"  # gets an answer without what only those may see who are meant to
NOTHING = "nothing"  # gets the answer of success, but nothing was done
CONFIRM = "confirm"  # is asked to prove once more who they are
REFUSALS = ("401", "403", "404")
OUTCOMES = (IN, EMPTY, NOTHING, CONFIRM, *REFUSALS)

# Where the console sends who must prove once more who they are.
_CONFIRMING = (
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
)
_SHOWN = 400  # characters of an answer that nobody expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How everybody fared at one route, holding a role at one organisation."""

    route: str
    by: str
    at: str  # whose role: of who owns the object, of who operates the spacecraft, of another
    stranger: str
    without_role: str
    roles: tuple[str, ...]
    unscoped: str = ""  # who got in, by a token without the scope
    confirmed: str = ""  # whether it takes a fresh proof of identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where the product does not do what is meant."""

    route: str
    text: str

    def __str__(self) -> str:
        return f"{self.route}: {self.text}"


@contextmanager
def undone() -> Iterator[None]:
    """Take back what is done inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Asking:
    """Asks one recipe's route as everybody; collects what it finds wrong."""

    def __init__(self, recipe: Recipe, scene: Scene) -> None:
        self.recipe = recipe
        self.scene = scene
        self.faults: list[Fault] = []

    def rows(self) -> list[Row]:
        """Return the rows of the table for this route."""
        self.scene.cast.renew_proofs()
        with undone():
            ask = self.recipe.prepare(self.scene)
            shown = self._rows_by(ask, self.recipe.by, self._sides())
            other = By.TOKEN if self.recipe.by is By.SESSION else By.SESSION
            return [*shown, *self._rows_by(ask, other, self._sides()[:1])]

    def _sides(self) -> list[tuple[str, Whose]]:
        """Return at which organisations roles are held: the object's own comes first."""
        if not self.recipe.for_roles:
            return [("any", Whose.MEMBER)]
        if Whose.MEMBER in self.recipe.of:
            return [
                ("own", Whose.MEMBER),
                ("operating", Whose.OPERATING),
                ("other", Whose.OTHER),
            ]
        return [("own", Whose.OPERATING), ("other", Whose.MEMBER)]

    def _rows_by(self, ask: Ask, by: By, sides: list[tuple[str, Whose]]) -> list[Row]:
        """Return the rows of who shows a session or a token."""
        broker.connection().flushall()  # where requests are counted
        cast = self.scene.cast
        stranger = self._fared(ask, by, cast.stranger)
        without_role = self._fared(ask, by, cast.without_role)
        outcomes = {
            (role, whose): self._fared(ask, by, cast.with_role[role, whose])
            for _, whose in sides
            for role in Role
        }
        inside = [cast.with_role[who] for who, outcome in outcomes.items() if outcome == IN]
        unscoped = self._unscoped(ask, by, inside)
        confirmed = self._confirmed(ask, by, inside)
        return [
            Row(
                route=self.recipe.route,
                by=by.value,
                at=at,
                stranger=stranger,
                without_role=without_role,
                roles=tuple(outcomes[role, whose] for role in Role),
                unscoped=unscoped,
                confirmed=confirmed,
            )
            for at, whose in sides
        ]

    def _unscoped(self, ask: Ask, by: By, inside: list[Subject]) -> str:
        """Return how somebody who gets in fares with a token whose scopes do not name it."""
        if by is not By.TOKEN or self.recipe.action is None or not inside:
            return ""
        with undone():
            take_scope(inside[0], self.recipe.action)
            outcome = self._outcome(ask, by, inside[0])
        if outcome not in {EMPTY, *REFUSALS}:
            self._fault(f"a token without the scope {self.recipe.action} is answered {outcome}")
        return outcome

    def _confirmed(self, ask: Ask, by: By, inside: list[Subject]) -> str:
        """Return whether somebody who gets in is asked to prove it anew when the proof is old."""
        if not inside:
            return ""
        with undone():
            let_proof_age(inside[0])
            asked = self._outcome(ask, by, inside[0]) == CONFIRM
        if asked != self.recipe.confirmed:
            word = "asks" if asked else "does not ask"
            self._fault(f"it {word} for a fresh proof of identity, against what is meant")
        return "yes" if asked else "no"

    def _fared(self, ask: Ask, by: By, subject: Subject) -> str:
        outcome = self._outcome(ask, by, subject)
        if outcome not in OUTCOMES:
            self._fault(f"by {by}, {subject.name} is answered {outcome}")
        meant = self.recipe.meant(subject, self.scene)
        # By the way that is not the usual one, not everything has to be possible.
        if outcome == IN and not meant:
            self._fault(f"by {by}, {subject.name} gets in, and is not meant to")
        elif outcome != IN and meant and by is self.recipe.by:
            self._fault(f"by {by}, {subject.name} is meant to get in, and is answered {outcome}")
        return outcome

    def _fault(self, text: str) -> None:
        self.faults.append(Fault(route=self.recipe.route, text=text))

    def _outcome(self, ask: Ask, by: By, subject: Subject) -> str:
        with undone():
            before = AuditEntry.objects.count()
            outcome = outcome_of(self.answer(ask, by, subject), ask)
            written = AuditEntry.objects.count() - before
        changes = self.recipe.method != "GET" if ask.logged is None else ask.logged
        if outcome == IN and changes and not written:
            return NOTHING
        if outcome != IN and written:
            return f"{outcome}, and {written} entries stand in the log"
        return outcome

    def answer(
        self, ask: Ask, by: By, subject: Subject, method: str | None = None
    ) -> HttpResponse:
        """Return what *subject* is answered, by *method* instead of the recipe's if given."""
        method = method or self.recipe.method
        values = ask.path(subject) if callable(ask.path) else ask.path
        address = self.recipe.address.format(
            **{name: quote(str(value), safe="/") for name, value in values.items()}
        )
        form = ask.form(subject) if callable(ask.form) else ask.form
        client = self.scene.cast.client(subject, by)
        options = {"headers": dict(ask.headers)}
        if ask.query:
            options["query_params"] = ask.query
        if method == "POST" and not address.startswith("/api/"):
            return client.post(address, form or {}, **options)
        return client.generic(
            method,
            address,
            b"" if ask.json is None else json.dumps(ask.json),
            content_type="application/json",
            **options,
        )


def outcome_of(answer: HttpResponseBase, ask: Ask) -> str:
    """Return how somebody fared, in the table's words; another text where nobody expected it."""
    status = answer.status_code
    text = _text(answer)
    if status == HTTPStatus.FORBIDDEN and "confirmation-needed" in text:
        return CONFIRM
    if str(status) in REFUSALS and status not in ask.done:
        return str(status)
    if status == HTTPStatus.FOUND and (elsewhere := _led_away(answer, ask)):
        return elsewhere
    errors = [str(each) for each in get_messages(answer.wsgi_request) if each.level >= ERROR]
    if status not in ask.done or errors:
        return f"{status}: {errors or text[:_SHOWN]}"
    return IN if ask.shows in text else EMPTY


def _led_away(answer: HttpResponseBase, ask: Ask) -> str:
    """Return what it means where a redirect leads to proving or saying who one is."""
    path = urlsplit(answer["Location"]).path
    if path == ask.leads_to:
        return IN
    if path in map(reverse, _CONFIRMING):
        return CONFIRM
    return "401" if path == reverse("account_login") else ""


def _text(answer: HttpResponseBase) -> str:
    """Return what is answered; nothing of a stream, which would not end."""
    return "" if answer.streaming else answer.content.decode(errors="replace")
