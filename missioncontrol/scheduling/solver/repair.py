"""A plan mended after an outage: what can stay stays, at once; then a little better.

Solving anew would move contacts all over the horizon for a trifle. Here every contact
of the running plan brings a bonus where it stays as it is, and only the hours around
the outages are worked on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.scheduling.solver.columns import kept_columns
from missioncontrol.scheduling.solver.instance import index_problem
from missioncontrol.scheduling.solver.outages import first_outage
from missioncontrol.scheduling.solver.plan import Plan, PlanMethod
from missioncontrol.scheduling.solver.planning import Search, greedy_plan, make_plan
from missioncontrol.scheduling.solver.problem import (
    Contact,
    ContactRequest,
    KeptContact,
    Opportunity,
    Outage,
    Problem,
)

DEFAULT_BONUS_SHARE: Final = 1.0
_NEARBY: Final = timedelta(hours=1)


def keep_running_plan(
    problem: Problem,
    contacts: Iterable[Contact],
    *,
    outages: Iterable[Outage] = (),
    frozen_until: datetime | None = None,
    bonus_share: float = DEFAULT_BONUS_SHARE,
) -> Problem:
    """Return the problem of mending a running plan.

    Args:
        problem: What the plan was made for, as it is now.
        contacts: The running plan's. Those whose request is gone are left out.
        outages: Beside those that the problem has.
        frozen_until: Contacts that begin before it must stay, outages excepted.
        bonus_share: What staying brings, as a share of a contact's worth. The larger
            it is, the fewer contacts move that no outage hits.
    """
    requests = {one.id: one for one in problem.requests}
    windows = {one.id: one for one in problem.opportunities}
    kept = tuple(
        KeptContact(
            contact=contact,
            bonus=bonus_share * _worth(contact, requests[contact.request], windows),
            frozen=frozen_until is not None and contact.begins < frozen_until,
        )
        for contact in contacts
        if contact.request in requests
    )
    return replace(problem, kept=kept, outages=(*problem.outages, *outages))


def _worth(contact: Contact, request: ContactRequest, windows: dict[str, Opportunity]) -> float:
    window = windows.get(contact.id)
    quality = 1.0 if window is None else window.quality
    each = request.value + request.value_per_s * contact.duration_s
    return quality * request.weight * each


def freeze_first(problem: Problem, *, digest: str | None = None) -> Plan:
    """Return the answer at once: no contact moves that can stay; free time is filled."""
    return greedy_plan(problem, PlanMethod.FREEZE_FIRST, digest=digest)


def repair_plan(problem: Problem, search: Search) -> Plan:
    """Return a better answer: solved anew around outages and pins, with the bonus for staying."""
    if search.within is None:
        about = [*problem.outages, *_pinned_windows(problem)]
        nearby = ((one.begins - _NEARBY, one.ends + _NEARBY) for one in about)
        search = replace(search, within=_joined(nearby))
    return replace(make_plan(problem, search), method=PlanMethod.REPAIRED)


def moving_few(problem: Problem, mended: Plan, at_once: Plan, *, most_moved: int) -> Plan:
    """Return the mended plan, or the one at once where mending would move too many.

    The one at once then has the bound and the prices that mending found. Where
    somebody asked for windows (pins) as many move as it takes.

    Args:
        problem: What both answer, as ``keep_running_plan`` makes it.
        mended: As ``repair_plan`` makes it.
        at_once: As ``freeze_first`` makes it.
        most_moved: Of the kept contacts that no outage hits, so many may move.
    """
    if problem.pins or _moved(problem, mended) <= most_moved:
        return mended
    return replace(at_once, bound=mended.bound, prices=mended.prices)


def _moved(problem: Problem, plan: Plan) -> int:
    """Return how many kept contacts that no outage hits are not as they were."""
    staying = set(plan.contacts)
    gone = tuple(one for one in problem.kept if one.contact not in staying)
    instance = index_problem(replace(problem, opportunities=(), kept=gone))
    return int((first_outage(instance, kept_columns(instance)) < 0).sum())


def _pinned_windows(problem: Problem) -> Iterator[Opportunity | Contact]:
    pinned = {pin.window for pin in problem.pins}
    yield from (one for one in problem.opportunities if one.id in pinned)
    yield from (one.contact for one in problem.kept if one.contact.id in pinned)


def _joined(
    intervals: Iterable[tuple[datetime, datetime]],
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the union of some intervals, in order."""
    joined: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(intervals):
        if joined and begins <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(ends, joined[-1][1])
        else:
            joined.append((begins, ends))
    return tuple(joined)
