"""Each member's share of contact time: what a plan is to give it, and what it gives.

What all members have had in the past days, and what a plan can give them, is to
be spread evenly, to each no more than it asks for: like water that is poured
into vessels which hold something already. How much a plan can give is what the
greedy one gives that knows of no shares.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.solver import problem as words
from missioncontrol.scheduling.solver.plan import Plan
from missioncontrol.scheduling.solver.planning import greedy_plan

PAST: Final = timedelta(days=7)  # so far back a member's contacts count
_HALVINGS: Final = 60
_NOT_HAD: Final = (Contact.State.FAILED, Contact.State.MISSED, Contact.State.CANCELLED)


def seconds_had(until: datetime) -> dict[str, float]:
    """Return the seconds of contact that each member has had in the past days, by slug."""
    had: defaultdict[str, float] = defaultdict(float)
    past = (
        Contact.objects.filter(request__isnull=False, los__lte=until, aos__gte=until - PAST)
        .exclude(state__in=_NOT_HAD)
        .values_list("request__organisation__slug", "aos", "los")
    )
    for slug, aos, los in past:
        had[slug] += (los - aos).total_seconds()
    return dict(had)


def with_shares(
    problem: words.Problem, *, members: Mapping[str, str], had_s: Mapping[str, float]
) -> words.Problem:
    """Return a problem in which each member is entitled to its share.

    A second less costs what a second of the members' contacts is worth on the
    average: who is short of its share counts twice, and nobody counts for nothing.

    Args:
        problem: Without shares.
        members: Who asks for contacts, by the request that it asked.
        had_s: What each has had in the past days.
    """
    asked_s = _seconds_asked(problem, members)
    first = greedy_plan(problem, digest="unkept")
    given = [one for one in first.contacts if one.request in members]
    given_s = math.fsum(one.duration_s for one in given)
    if len(asked_s) < 2 or not given_s:
        return problem  # nobody to share with, or nothing
    entitled_s = even_shares(given_s, asked_s=asked_s, had_s=had_s)
    cost_per_s = math.fsum(_worths(problem, given)) / given_s
    return replace(
        problem,
        members=tuple(
            words.Member(
                name=name,
                entitled_s=round(entitled_s[name], 3),
                cost_per_missing_s=cost_per_s,
                had_s=had_s.get(name, 0.0),
            )
            for name in sorted(asked_s)
        ),
    )


def even_shares(
    given_s: float, *, asked_s: Mapping[str, float], had_s: Mapping[str, float]
) -> dict[str, float]:
    """Return how time is spread so that all have evenly much, with what they had before.

    Args:
        given_s: What there is to give.
        asked_s: What each would take at most.
        had_s: What each has had; who is not named had nothing.

    Returns:
        What each gets; all of *given_s*, or what they ask for, if that is less.
    """

    def gets(level_s: float) -> dict[str, float]:
        return {
            name: min(max(level_s - had_s.get(name, 0.0), 0.0), most_s)
            for name, most_s in asked_s.items()
        }

    low_s, high_s = 0.0, max(most + had_s.get(name, 0.0) for name, most in asked_s.items())
    for _ in range(_HALVINGS):
        middle_s = (low_s + high_s) / 2
        if sum(gets(middle_s).values()) < given_s:
            low_s = middle_s
        else:
            high_s = middle_s
    return gets(high_s)


def share_rows(problem: words.Problem, plan: Plan) -> list[dict[str, Any]]:
    """Return what a plan gives each member, beside its share, as a row and a page show it."""
    owners = {one.id: one.owner for one in problem.requests}
    planned_s: defaultdict[str, float] = defaultdict(float)
    for contact in plan.contacts:
        planned_s[owners[contact.request]] += contact.duration_s
    unserved = Counter(owners[one.request] for one in plan.unserved)
    all_s = sum(planned_s[one.name] for one in problem.members)
    return [
        {
            "member": one.name,
            "had_s": round(one.had_s, 3),
            "entitled_s": one.entitled_s,
            "planned_s": round(planned_s[one.name], 3),
            "share": round(planned_s[one.name] / all_s, 6) if all_s else 0.0,
            "why": _why(one, planned_s[one.name], unserved[one.name]),
        }
        for one in problem.members
    ]


def _why(member: words.Member, planned_s: float, unserved: int) -> str:
    missing_s = member.entitled_s - planned_s
    if missing_s <= 0.0:
        return "has its share"
    costs = missing_s * member.cost_per_missing_s
    requests = f"{unserved} of its requests" if unserved else "none of its requests"
    return (
        f"{missing_s:.0f} s below its share, which costs the plan {costs:.1f}; "
        f"{requests} has too few contacts"
    )


def _seconds_asked(problem: words.Problem, members: Mapping[str, str]) -> dict[str, float]:
    """Return the most that each member could be given, if nothing were in the way."""
    windows_s: defaultdict[str, list[float]] = defaultdict(list)
    for window in problem.opportunities:
        windows_s[window.spacecraft].append((window.ends - window.begins).total_seconds())
    for lengths in windows_s.values():
        lengths.sort(reverse=True)
    asked_s: defaultdict[str, float] = defaultdict(float)
    for request in problem.requests:
        if request.id in members:
            longest = windows_s[request.spacecraft][: request.maximum_count]
            asked_s[members[request.id]] += sum(longest)
    return {name: most_s for name, most_s in asked_s.items() if most_s > 0.0}


def _worths(problem: words.Problem, contacts: Iterable[words.Contact]) -> Iterator[float]:
    requests = {one.id: one for one in problem.requests}
    quality = {one.id: one.quality for one in problem.opportunities}
    for contact in contacts:
        request = requests[contact.request]
        each = request.value + request.value_per_s * contact.duration_s
        yield request.weight * quality.get(contact.id, 1.0) * each
