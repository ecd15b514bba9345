"""What changes from one plan to the next: every contact, what happens to it, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from missioncontrol.scheduling.solver.bookings import Bookings, Chosen
from missioncontrol.scheduling.solver.columns import kept_columns
from missioncontrol.scheduling.solver.instance import index_problem
from missioncontrol.scheduling.solver.outages import first_outage
from missioncontrol.scheduling.solver.problem import Contact, KeptContact, Problem


class ChangeKind(StrEnum):
    """What happens to a contact."""

    ADDED = "ADDED"
    DROPPED = "DROPPED"
    MOVED = "MOVED"  # its request is served elsewhere instead
    TRIMMED = "TRIMMED"  # the same window, other times


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One contact that is not as it was. ``outage`` names the resource whose outage hits it."""

    kind: ChangeKind
    request: str
    before: Contact | None
    after: Contact | None
    why: str
    outage: str | None = None
    gives_way_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All changes, by time, and how many contacts stay as they are."""

    changes: tuple[Change, ...]
    unchanged: int

    @property
    def unrelated(self) -> tuple[Change, ...]:
        """Return the changes to running contacts that no outage hits."""
        return tuple(one for one in self.changes if one.before is not None and one.outage is None)


def difference(
    problem: Problem, before: Iterable[Contact], after: Iterable[Contact]
) -> Difference:
    """Return what changes from one list of contacts to another.

    Args:
        problem: The newer plan's problem: its outages, windows and requests are the causes.
        before: Contacts of the running plan.
        after: Contacts of the newer plan.
    """
    before, after = list(before), list(after)
    same = set(before) & set(after)
    causes = _Causes(problem, before, after)
    changes = [
        _change(one, other, causes)
        for one, other in _pairs(
            [one for one in before if one not in same], [one for one in after if one not in same]
        )
    ]
    changes.sort(key=_order)
    return Difference(changes=tuple(changes), unchanged=len(same))


def _order(change: Change) -> tuple[datetime, str]:
    contact = change.before or change.after
    if contact is None:
        raise ValueError("a change is of some contact")
    return contact.begins, contact.id


def _pairs(
    lost: list[Contact], come: list[Contact]
) -> Iterator[tuple[Contact | None, Contact | None]]:
    """Pair what went with what came: of one window, else of one request, in order of time."""
    by_window = {(one.id, one.request): one for one in come}
    waiting: defaultdict[str, list[Contact]] = defaultdict(list)
    rest = []
    for one in lost:
        other = by_window.pop((one.id, one.request), None)
        if other is None:
            rest.append(one)
        else:
            yield one, other
    for one in sorted(by_window.values(), key=lambda contact: contact.begins, reverse=True):
        waiting[one.request].append(one)
    for one in sorted(rest, key=lambda contact: contact.begins):
        yield one, waiting[one.request].pop() if waiting[one.request] else None
    for left in waiting.values():
        yield from ((None, one) for one in left)


def _change(before: Contact | None, after: Contact | None, causes: _Causes) -> Change:
    if before is None:
        request, window = (after.request, after.id) if after else ("", "")
        why = "is to be booked, as was asked" if window in causes.pinned else "there is room"
        return Change(kind=ChangeKind.ADDED, request=request, before=None, after=after, why=why)
    kind = ChangeKind.MOVED
    if after is None:
        kind = ChangeKind.DROPPED
    elif after.id == before.id:
        kind = ChangeKind.TRIMMED
    why, outage, others = causes.of(before, replaced=after is not None)
    return Change(
        kind=kind,
        request=before.request,
        before=before,
        after=after,
        why=why,
        outage=outage,
        gives_way_to=others,
    )


def _of_contacts(problem: Problem, contacts: Iterable[Contact]) -> Problem:
    """Return what is against contacts and beside them, without the windows of a problem."""
    resources = {one.name for one in problem.antennas}
    resources |= {one.spacecraft for one in problem.requests}
    return replace(
        problem,
        opportunities=(),
        pins=(),
        outages=tuple(one for one in problem.outages if one.resource in resources),
        kept=tuple(KeptContact(contact=one) for one in contacts),
    )


class _Causes:
    """Why contacts of the running plan are not in the newer one."""

    def __init__(self, problem: Problem, before: list[Contact], after: list[Contact]) -> None:
        self._requests = {one.id: at for at, one in enumerate(problem.requests)}
        known = {one.id: one for one in [*after, *before] if one.request in self._requests}
        self._windows = {one.id for one in problem.opportunities}
        self.pinned = {pin.window: pin.request for pin in problem.pins}
        instance = index_problem(_of_contacts(problem, known.values()))
        self._instance = instance
        self._paths = {path: at for at, path in enumerate(instance.paths)}
        self._outage_of = dict(
            zip(known, first_outage(instance, kept_columns(instance)).tolist(), strict=True)
        )
        self._after = after
        self._bookings = Bookings(instance)
        for place, contact in enumerate(after):
            self._bookings.book(self._numbers(place, contact))

    def _numbers(self, window: int, contact: Contact) -> Chosen:
        """Return a contact in numbers; any will do for its window that no other has."""
        return (
            window,
            self._requests[contact.request],
            self._paths[contact.path],
            self._instance.microseconds(contact.begins),
            self._instance.microseconds(contact.ends),
        )

    def of(self, contact: Contact, *, replaced: bool) -> tuple[str, str | None, tuple[str, ...]]:
        """Return the words, the resource that is out, and the contacts that it gives way to."""
        if contact.request not in self._requests:
            return f"request {contact.request} is gone", None, ()
        outage = self._outage_of[contact.id]
        if outage >= 0:
            one = self._instance.problem.outages[outage]
            why = (
                f"{one.resource} is out {one.begins:%Y-%m-%dT%H:%MZ} to {one.ends:%Y-%m-%dT%H:%MZ}"
            )
            return f"{why}: {one.reason}" if one.reason else why, one.resource, ()
        if self.pinned.get(contact.id, "") is None:
            return "is to be left free, as was asked", None, ()
        in_the_way = self._bookings.in_the_way(self._numbers(-1, contact))
        opposed = [self._after[place] for place, *_ in in_the_way]
        for other in opposed:
            if other.id == contact.id and other.request != contact.request:
                return f"its window goes to request {other.request}", None, (other.id,)
        others = tuple(other.id for other in opposed if other.id != contact.id)
        if others:
            asked = ", as was asked" if any(one in self.pinned for one in others) else ""
            return f"gives way to {', '.join(others)}{asked}", None, others
        if contact.id not in self._windows:
            return "its window is gone", None, ()
        return "is worth more elsewhere" if replaced else "is needed no longer", None, ()
