"""Plans put together one contact after another: at once, and never wrong."""

from __future__ import annotations

import numpy as np

from missioncontrol.scheduling.solver.bookings import Bookings
from missioncontrol.scheduling.solver.columns import Columns, contact_columns, contact_keys
from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers
from missioncontrol.scheduling.solver.problem import ProblemError
from missioncontrol.scheduling.solver.spans import Spans

Chosen = tuple[int, int, int, int, int]  # window, request, path, begin, end


def by_value(instance: Instance, columns: Columns) -> Integers:
    """Return the order in which the best contact comes first.

    A contact that its request's minimum needs is worth what missing it costs, too.
    """
    needed = instance.requests.minimum_count[columns.request] > 0
    gain = columns.worth + columns.bonus
    gain = gain + np.where(needed, instance.requests.missing_cost[columns.request], 0.0)
    return np.lexsort((columns.begins_us, -gain))


def first_come(columns: Columns) -> Integers:
    """Return the order of time."""
    return np.argsort(columns.begins_us, kind="stable")


def fill(
    instance: Instance, columns: Columns, order: Integers, spans: Spans | None = None
) -> tuple[Booleans, Columns]:
    """Book columns in an order, frozen ones first, as long as they fit.

    Args:
        instance: The problem.
        columns: What can be booked.
        order: Indices of columns; those left out are not booked.
        spans: Where given, what does not fit whole is trimmed to the room there is.

    Returns:
        Which columns are booked, and the contacts that had to be trimmed, which
        stand in no column yet.

    Raises:
        ProblemError: Two frozen contacts cannot both be.
    """
    bookings = Bookings(instance)
    booked = np.zeros(len(columns), dtype=np.bool_)
    contacts = list(contact_keys(columns))
    frozen = np.flatnonzero(columns.frozen).tolist()
    for key in frozen:
        if not bookings.book(key, contacts[key]):
            raise ProblemError([_frozen_fault(instance, bookings, contacts, key)])
    taken = list(frozen)
    for key in order.tolist():
        if bookings.book(key, contacts[key]):
            taken.append(key)
    booked[taken] = True
    trimmed = [] if spans is None else _trim(instance, bookings, spans, len(columns))
    return booked, _as_columns(instance, trimmed)


def _frozen_fault(instance: Instance, bookings: Bookings, contacts: list[Chosen], key: int) -> str:
    ids = instance.opportunities.ids
    others = [ids[contacts[other][0]] for other in bookings.in_the_way(contacts[key])]
    reason = f"beside {', '.join(others)}" if others else "beside its request's maximum_count"
    return f"Frozen contact {ids[contacts[key][0]]} cannot stay {reason}; free one of them."


def _trim(instance: Instance, bookings: Bookings, spans: Spans, key: int) -> list[Chosen]:
    """Book the longest part that fits of each window not used yet, the most valuable first."""
    worth = instance.worth(spans.opportunity, spans.request, spans.ends_us - spans.begins_us)
    trimmed: list[Chosen] = []
    for span in np.argsort(-worth, kind="stable").tolist():
        window, request = int(spans.opportunity[span]), int(spans.request[span])
        if not bookings.is_open(window, request):
            continue
        within = int(spans.begins_us[span]), int(spans.ends_us[span])
        contact = _longest_free_part(instance, bookings, window, request, within)
        if contact is not None and bookings.book(key + len(trimmed), contact):
            trimmed.append(contact)
    return trimmed


def _longest_free_part(
    instance: Instance,
    bookings: Bookings,
    window: int,
    request: int,
    within: tuple[int, int],
) -> Chosen | None:
    begins_us, ends_us = within
    table = instance.requests
    path = int(instance.opportunities.path[window])
    step, longest = int(table.step_us[request]), int(table.longest_us[request])
    best: tuple[int, int] | None = None
    for left, right in bookings.free_parts(request, path, begins_us, ends_us):
        begin = begins_us + -(-(left - begins_us) // step) * step
        end = ends_us - -(-(ends_us - right) // step) * step
        if end - begin > longest:
            end -= -(-(end - begin - longest) // step) * step
        if begin > table.latest_us[request] or end - begin < table.shortest_us[request]:
            continue
        if best is None or end - begin > best[1] - best[0]:
            best = begin, end
    return None if best is None else (window, request, path, *best)


def _as_columns(instance: Instance, contacts: list[Chosen]) -> Columns:
    table = np.array(contacts, dtype=np.int64).reshape(-1, 5)
    return contact_columns(instance, table[:, 0], table[:, 1], table[:, 3], table[:, 4])
