"""Plans put together one contact after another: at once, and never wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from missioncontrol.scheduling.solver.bookings import Bookings, Chosen
from missioncontrol.scheduling.solver.columns import Columns, contact_columns, contact_keys
from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers
from missioncontrol.scheduling.solver.problem import ProblemError
from missioncontrol.scheduling.solver.room import Room
from missioncontrol.scheduling.solver.spans import Spans

_FIRST_PIECE: Final = 512


@dataclass(frozen=True, slots=True)
class Filled:
    """What fitted, and what it leaves free."""

    booked: Booleans  # of the columns
    trimmed: Columns  # contacts cut to the room there was; they stand in no column
    bookings: Bookings  # of both


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
) -> Filled:
    """Book columns in an order, frozen ones first, as long as they fit.

    Args:
        instance: The problem.
        columns: What can be booked.
        order: Indices of columns; those left out are not booked.
        spans: Where given, what does not fit whole is trimmed to the room there is.

    Raises:
        ProblemError: Two frozen contacts cannot both be.
    """
    bookings, room = Bookings(instance), Room(instance, columns)
    booked = columns.frozen.copy()
    for contact in contact_keys(columns.at(booked)):
        if not bookings.book(contact):
            raise ProblemError([_frozen_fault(instance, bookings, contact)])
    for piece in _doubling(order):
        some = room.left(bookings, piece)
        booked[some] = [bookings.book(one) for one in contact_keys(columns.at(some))]
    trimmed = [] if spans is None else _trim(instance, bookings, spans)
    return Filled(booked, _as_columns(instance, trimmed), bookings)


def _doubling(order: Integers) -> list[Integers]:
    """Cut an order into pieces, each as long as all that came before it."""
    first = min(_FIRST_PIECE, len(order))
    cuts = [
        first << power for power in range(len(order).bit_length()) if first << power < len(order)
    ]
    return np.split(order, cuts)


def _frozen_fault(instance: Instance, bookings: Bookings, contact: Chosen) -> str:
    ids = instance.opportunities.ids
    others = [ids[other[0]] for other in bookings.in_the_way(contact)]
    reason = f"beside {', '.join(others)}" if others else "beside its request's maximum_count"
    return f"Frozen contact {ids[contact[0]]} cannot stay {reason}; free one of them."


def _trim(instance: Instance, bookings: Bookings, spans: Spans) -> list[Chosen]:
    """Book the longest part that fits of each window not used yet, the most valuable first."""
    worth = instance.worth(spans.opportunity, spans.request, spans.ends_us - spans.begins_us)
    trimmed: list[Chosen] = []
    for span in np.argsort(-worth, kind="stable").tolist():
        window, request = int(spans.opportunity[span]), int(spans.request[span])
        if not bookings.is_open(window, request):
            continue
        within = int(spans.begins_us[span]), int(spans.ends_us[span])
        contact = _longest_free_part(instance, bookings, window, request, within)
        if contact is not None and bookings.book(contact):
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
