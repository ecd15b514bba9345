"""For which organisations this work is done: the rows of others do not exist for it.

A web request acts for the organisations that its person or token belongs to.
Processes that serve the whole mission (workers, executors, commands of whoever
holds the machine) act for everybody and say so once, when they start. Where
nothing was said, a query for an organisation's rows is refused: a forgotten
filter then is an error in a test, not another member's data on a page.

On PostgreSQL the database keeps the same rule by itself (row-level security,
``missioncontrol.kernel.postgresql``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationContext:
    """Whose rows can be seen: those of some organisations, or all."""

    ids: frozenset[int] = frozenset()
    slugs: frozenset[str] = frozenset()
    everybody: bool = False


EVERYBODY: Final = OrganisationContext(everybody=True)


class NoOrganisationContextError(RuntimeError):
    """An organisation's rows were asked for without saying for whom."""


class _Process:
    """What holds in this process wherever nothing else was said."""

    default: OrganisationContext | None = None


_said: ContextVar[OrganisationContext | None] = ContextVar("organisation_context", default=None)


def context_or_none() -> OrganisationContext | None:
    """Return for whom work is done here, or None where nobody said so."""
    return _said.get() or _Process.default


def current_context() -> OrganisationContext:
    """Return for whom work is done here.

    Raises:
        NoOrganisationContextError: nobody said so.
    """
    context = context_or_none()
    if context is None:
        raise NoOrganisationContextError(
            "These rows belong to organisations, and this work was not said to be for any. "
            "A request acts for those of its person (missioncontrol.accounts.gate); other work "
            "says acting_for(...) or acting_for_everybody()."
        )
    return context


@contextmanager
def acting_for(organisations: Iterable[tuple[int, str]]) -> Iterator[None]:
    """Do the work inside for these organisations, given as (primary key, slug)."""
    pairs = list(organisations)
    context = OrganisationContext(
        ids=frozenset(key for key, _ in pairs), slugs=frozenset(slug for _, slug in pairs)
    )
    with _saying(context):
        yield


@contextmanager
def acting_for_everybody() -> Iterator[None]:
    """Do the work inside for the whole mission: what is asked is no one member's business."""
    with _saying(EVERYBODY):
        yield


def process_acts_for_everybody() -> None:
    """Say of this process that all it does is for the whole mission; no web process does."""
    _Process.default = EVERYBODY


@contextmanager
def _saying(context: OrganisationContext) -> Iterator[None]:
    token = _said.set(context)
    try:
        yield
    finally:
        _said.reset(token)
