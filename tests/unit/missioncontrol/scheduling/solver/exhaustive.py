"""The best plan by trying all: an oracle that shares nothing with the solver but the words."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

from missioncontrol.scheduling.solver.problem import Contact, Problem

SECOND = timedelta(seconds=1)


def best_objective(problem: Problem) -> float:
    """Return the largest objective of any plan."""
    ways = _ways(problem)
    frozen = {one.contact for one in problem.kept if one.frozen} & set(ways)
    plans = _plans(problem, (), ways)
    return max(
        _objective(problem, plan)
        for plan in plans
        if frozen <= set(plan) and _as_pinned(problem, plan)
    )


def _as_pinned(problem: Problem, plan: tuple) -> bool:
    booked = {one.id: one.request for one in plan}
    return all(booked.get(pin.window) == pin.request for pin in problem.pins)


def _plans(problem: Problem, chosen: tuple, ways: list):
    """Yield every feasible set of contacts."""
    yield chosen
    for number, way in enumerate(ways):
        if all(_fit_together(problem, way, other) for other in chosen):
            more = (*chosen, way)
            if _within_capacity(problem, more) and _within_counts(problem, more):
                yield from _plans(problem, more, ways[number + 1 :])


def _ways(problem: Problem) -> list:
    """Return every contact that could be."""
    requests = {one.id: one for one in problem.requests}
    ways = [
        _contact(window, request, begins, ends)
        for window in problem.opportunities
        for request in problem.requests
        for begins, ends in _parts(problem, window, request)
        if _allowed(problem, window, request, begins, ends)
    ]
    running = [
        one.contact
        for one in problem.kept
        if not _out(problem, requests[one.contact.request], one.contact)
    ]
    return list(dict.fromkeys([*ways, *running]))


def _contact(window, request, begins, ends) -> Contact:
    return Contact(
        id=window.id,
        request=request.id,
        spacecraft=window.spacecraft,
        path=window.path,
        begins=begins,
        ends=ends,
    )


def _profile(problem, request):
    return next(one for one in problem.profiles if one.name == request.profile)


def _parts(problem, window, request):
    step = _profile(problem, request).trim_step_s
    if step is None:
        yield window.begins, window.ends
        return
    cuts = [step * SECOND * number for number in range(100)]
    for head in cuts:
        for tail in cuts:
            if window.begins + head >= window.ends - tail:
                break
            yield window.begins + head, window.ends - tail


def _allowed(problem, window, request, begins, ends) -> bool:
    profile = _profile(problem, request)
    duration_s = (ends - begins).total_seconds()
    longest_s = request.maximum_duration_s
    return (
        window.spacecraft == request.spacecraft
        and (request.antennas is None or set(window.path) <= request.antennas)
        and begins >= max(request.earliest, problem.begins)
        and (request.latest is None or begins <= request.latest)
        and ends <= min(request.deadline, problem.ends)
        and duration_s >= max(request.minimum_duration_s, profile.minimum_contact_s)
        and (longest_s is None or duration_s <= longest_s)
        and not _out(problem, request, _contact(window, request, begins, ends))
    )


def _out(problem, request, contact) -> bool:
    return any(
        _overlap(
            _occupied(problem, request, one.resource, contact.begins, contact.ends),
            (one.begins, one.ends),
        )
        for one in problem.outages
        if one.resource in (contact.spacecraft, *contact.path)
    )


def _occupied(problem, request, resource, begins, ends):
    antenna = next((one for one in problem.antennas if one.name == resource), None)
    if antenna is None:
        return begins, ends
    profile = _profile(problem, request)
    return (
        begins - max(antenna.setup_s, profile.pre_pass_s) * SECOND,
        ends + max(antenna.teardown_s, profile.post_pass_s) * SECOND,
    )


def _overlap(one, other) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _fit_together(problem, one, other) -> bool:
    if one.id == other.id:
        return False
    apart = not _overlap((one.begins, one.ends), (other.begins, other.ends))
    return one.spacecraft != other.spacecraft or apart


def _within_capacity(problem, chosen) -> bool:
    requests = {one.id: one for one in problem.requests}
    for antenna in problem.antennas:
        taken = [
            _occupied(problem, requests[one.request], antenna.name, one.begins, one.ends)
            for one in chosen
            if antenna.name in one.path
        ]
        for some in combinations(taken, antenna.capacity + 1):
            # Intervals that overlap in pairs have a moment in common.
            if all(_overlap(one, other) for one, other in combinations(some, 2)):
                return False
    return True


def _within_counts(problem, chosen) -> bool:
    return all(
        request.maximum_count is None
        or sum(one.request == request.id for one in chosen) <= request.maximum_count
        for request in problem.requests
    )


def _objective(problem, chosen) -> float:
    requests = {one.id: one for one in problem.requests}
    windows = {one.id: one for one in problem.opportunities}
    total = 0.0
    for contact in chosen:
        request = requests[contact.request]
        each = request.value + request.value_per_s * contact.duration_s
        quality = windows[contact.id].quality if contact.id in windows else 1.0
        total += request.weight * quality * each
    total += sum(one.bonus for one in problem.kept if one.contact in chosen)
    for request in problem.requests:
        missing = request.minimum_count - sum(
            one.request == request.id or (request.shared and _counts(problem, request, one))
            for one in chosen
        )
        total -= max(missing, 0) * request.weight * request.missing_cost
    for member in problem.members:
        served_s = sum(
            one.duration_s for one in chosen if requests[one.request].owner == member.name
        )
        total -= max(member.entitled_s - served_s, 0.0) * member.cost_per_missing_s
    return total


def _counts(problem, request, contact) -> bool:
    profile = _profile(problem, request)
    return (
        contact.spacecraft == request.spacecraft
        and (request.antennas is None or set(contact.path) <= request.antennas)
        and contact.begins >= request.earliest
        and (request.latest is None or contact.begins <= request.latest)
        and contact.ends <= request.deadline
        and contact.duration_s >= max(request.minimum_duration_s, profile.minimum_contact_s)
    )
