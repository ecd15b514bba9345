"""How each route is asked, and who is meant to get in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from missioncontrol.accounts.policy import TAKES_CONFIRMATION, Action
from tests.integration.access.cast import By, Subject, Whose
from tests.integration.access.scene import Scene

OPERATING, MEMBER, OTHER = Whose

_DONE = frozenset({200, 201, 202, 204, 302})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request.

    Args:
        path: What stands in the braces of the address; a function of who asks where it is theirs.
        query: The address's query.
        form: What a page's form sends.
        json: What a program sends.
        headers: More header fields.
        shows: Text of the answer that only those may see who are meant to; others get an answer
            without it ("empty").
        done: The statuses of success.
        leads_to: Where success redirects to, where that is a page to sign in or to confirm.
        logged: Whether success leaves an entry in the log; None: where the method changes.
    """

    path: Mapping[str, object] | Callable[[Subject], Mapping[str, object]] = field(
        default_factory=dict
    )
    query: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, Any] | Callable[[Subject], Mapping[str, Any]] | None = None
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    shows: str = ""
    done: frozenset[int] = _DONE
    leads_to: str = ""
    logged: bool | None = None


Meant = Callable[[Subject, Scene], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one route is asked.

    Args:
        route: As ``routes`` writes it, e.g. ``GET /passes/{contact_id}/``; one that is asked
            in several ways has a word more for each.
        by: What is usually shown there; the other one is tried at the owner's side only.
        of: Whose object it is; without one, the mission's or nobody's.
        action: What a token's scopes must name; None: it takes no scope.
        for_roles: Whether it may matter at whose organisation a role is held.
        meant: Whether somebody is meant to get in.
        confirmed: Whether a fresh proof of identity is asked for.
        prepare: Makes the object and says how it is asked for.
    """

    route: str
    by: By
    of: Sequence[Whose]
    action: Action | None
    for_roles: bool
    meant: Meant
    confirmed: bool
    prepare: Callable[[Scene], Ask]

    @property
    def method(self) -> str:
        return self.route.split()[0]

    @property
    def address(self) -> str:
        return self.route.split()[1]


RECIPES: dict[str, Recipe] = {}


def recipe(
    route: str,
    action: Action | None = None,
    *,
    of: Whose | Sequence[Whose] = (),
    by: By | None = None,
    meant: Meant | None = None,
    confirmed: bool | None = None,
) -> Callable[[Callable[[Scene], Ask]], Callable[[Scene], Ask]]:
    """Register the decorated function as the recipe of *route*.

    Args:
        route: Method and address.
        action: What the policy table must grant; None: whoever is signed in.
        of: Whose object it is; of several, a role for one of them is enough.
        by: What is shown there; from the address where it is None.
        meant: Who gets in, where it is not simply *action*.
        confirmed: Whether a fresh proof is asked for; from *action* where it is None.
    """
    owners = [of] if isinstance(of, Whose) else list(of)

    def register(prepare: Callable[[Scene], Ask]) -> Callable[[Scene], Ask]:
        assert route not in RECIPES, f"{route} has two recipes"
        RECIPES[route] = Recipe(
            route=route,
            by=by or (By.TOKEN if "/api/" in route else By.SESSION),
            of=owners,
            action=action,
            for_roles=action is not None or meant not in (None, anybody, holds_a_role, nobody),
            meant=meant or granted(action, *owners),
            confirmed=action in TAKES_CONFIRMATION if confirmed is None else confirmed,
            prepare=prepare,
        )
        return prepare

    return register


def granted(action: Action | None, *owners: Whose) -> Meant:
    """Return who is meant to get in where the policy table must grant *action*.

    Args:
        action: None: whoever is signed in.
        owners: Whose object it is; of several, a role for one of them is enough.
    """

    def meant(subject: Subject, scene: Scene) -> bool:
        if action is None:
            return subject.operator is not None
        organisations = [scene.organisation(whose) for whose in owners] or [None]
        return any(subject.may(action, each) for each in organisations)

    return meant


def plain(route: str, action: Action | None = None, **options: Any) -> None:
    """Register a route whose address is all there is to say."""
    recipe(route, action, **options)(lambda _scene: Ask())


def unlogged(route: str, action: Action | None = None, **options: Any) -> None:
    """Register such a route that is posted to and changes nothing that the log would tell."""
    recipe(route, action, **options)(lambda _scene: Ask(logged=False))


def anybody(_subject: Subject, _scene: Scene) -> bool:
    """Let strangers in too."""
    return True


def holds_a_role(subject: Subject, _scene: Scene) -> bool:
    """Let everybody in who holds some role, and tokens whatever their scopes."""
    return bool(subject.memberships)


def nobody(_subject: Subject, _scene: Scene) -> bool:
    """Let nobody in."""
    return False
