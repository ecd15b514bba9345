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
from django.urls import reverse

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import broker
from tests.integration.access.cast import By, Subject, Whose, let_proof_age
from tests.integration.access.recipes import Ask, Recipe
from tests.integration.access.scene import Scene

IN, EMPTY, NOTHING, CONFIRM = "in", "empty", "nothing", "confirm"
REFUSALS = ("401", "403", "404")
OUTCOMES = (IN, EMPTY, *REFUSALS)

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
    confirmed: str


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
            rows = [self._row(ask, self.recipe.by, at, whose) for at, whose in self._sides()]
            other = By.TOKEN if self.recipe.by is By.SESSION else By.SESSION
            own, whose = self._sides()[0]
            return [*rows, self._row(ask, other, own, whose)]

    def _sides(self) -> list[tuple[str, Whose]]:
        """Return at which organisations roles are held: the object's own comes first."""
        if Whose.MEMBER in self.recipe.of:
            return [
                ("own", Whose.MEMBER),
                ("operating", Whose.OPERATING),
                ("other", Whose.OTHER),
            ]
        return [("own", Whose.OPERATING), ("other", Whose.MEMBER)]

    def _row(self, ask: Ask, by: By, at: str, whose: Whose) -> Row:
        broker.connection().flushall()  # where requests are counted
        cast = self.scene.cast
        subjects = [cast.with_role[role, whose] for role in Role]
        outcomes = [self._fared(ask, by, each) for each in subjects]
        inside = [each for each, how in zip(subjects, outcomes, strict=True) if how == IN]
        nobody = cast.without_role
        return Row(
            route=self.recipe.route,
            by=by.value,
            at=at,
            stranger=self._fared(ask, by, cast.stranger),
            without_role=self._fared(ask, by, nobody) if by is By.SESSION else "",
            roles=tuple(outcomes),
            confirmed=self._confirmed(ask, by, inside),
        )

    def _confirmed(self, ask: Ask, by: By, inside: list[Subject]) -> str:
        """Return whether somebody who gets in is asked to prove it anew when the proof is old."""
        if not inside:
            return ""
        with undone():
            let_proof_age(inside[0])
            asked = self._outcome(ask, by, inside[0]) == CONFIRM
        if asked != self.recipe.confirmed and by is self.recipe.by:
            word = "asks" if asked else "does not ask"
            self._fault(f"it {word} for a fresh proof of identity, against what is meant")
        return "yes" if asked else "-"

    def _fared(self, ask: Ask, by: By, subject: Subject) -> str:
        outcome = self._outcome(ask, by, subject)
        if by is not self.recipe.by:  # what is not meant to be shown there, or only to read
            if outcome not in (*OUTCOMES, NOTHING, CONFIRM):
                self._fault(f"by {by}, {subject.name} is answered {outcome}")
        elif outcome not in OUTCOMES:
            self._fault(f"{subject.name} is answered {outcome}")
        else:
            self._compare(subject, outcome)
        return outcome

    def _compare(self, subject: Subject, outcome: str) -> None:
        meant = self.recipe.meant(subject, self.scene)
        if (outcome == IN) != meant:
            may = "may" if meant else "may not"
            self._fault(f"{subject.name} {may} by the policy table, and is answered {outcome}")

    def _fault(self, text: str) -> None:
        self.faults.append(Fault(route=self.recipe.route, text=text))

    def _outcome(self, ask: Ask, by: By, subject: Subject) -> str:
        with undone():
            before = AuditEntry.objects.count()
            outcome = outcome_of(self._answer(ask, by, subject), ask)
            written = AuditEntry.objects.count() - before
        changes = self.recipe.method != "GET" if ask.logged is None else ask.logged
        if outcome == IN and changes and not written:
            return NOTHING
        if outcome != IN and written:
            return f"{outcome}, and {written} entries stand in the log"
        return outcome

    def _answer(self, ask: Ask, by: By, subject: Subject) -> HttpResponse:
        values = ask.path(subject) if callable(ask.path) else ask.path
        address = self.recipe.address.format(
            **{name: quote(str(value), safe="/") for name, value in values.items()}
        )
        client = subject.client(by)
        headers = dict(ask.headers)
        query = {"query_params": ask.query} if ask.query else {}
        if ask.json is not None:
            return client.generic(
                self.recipe.method,
                address,
                json.dumps(ask.json),
                content_type="application/json",
                headers=headers,
                **query,
            )
        if self.recipe.method == "POST":
            form = ask.form(subject) if callable(ask.form) else ask.form
            return client.post(address, form or {}, headers=headers, **query)
        return client.generic(self.recipe.method, address, headers=headers, **query)


def outcome_of(answer: HttpResponse, ask: Ask) -> str:
    """Return how somebody fared, in the table's words; another text where nobody expected it."""
    status = answer.status_code
    if status == HTTPStatus.FORBIDDEN and b"confirmation-needed" in answer.content:
        return CONFIRM
    if str(status) in REFUSALS and status not in ask.done:
        return str(status)
    if status == HTTPStatus.FOUND and (elsewhere := _led_away(answer, ask)):
        return elsewhere
    errors = [str(each) for each in get_messages(answer.wsgi_request) if each.level >= ERROR]
    if status not in ask.done or errors:
        return f"{status}: {errors or answer.content[:_SHOWN]}"
    return IN if ask.shows in _text(answer) else EMPTY


def _led_away(answer: HttpResponse, ask: Ask) -> str:
    """Return what it means where a redirect leads to proving or saying who one is."""
    path = urlsplit(answer["Location"]).path
    if path == ask.leads_to:
        return IN
    if path in map(reverse, _CONFIRMING):
        return CONFIRM
    return "401" if path == reverse("account_login") else ""


def _text(answer: HttpResponse) -> str:
    return answer.content.decode(errors="replace")
