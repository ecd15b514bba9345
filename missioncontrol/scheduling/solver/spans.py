"""Spans: the largest interval that each request could get in each window.

On the window's own grid, where the request's windows are trimmed; else the window.
A part of a span begins whole steps after its begin and ends whole steps before its
end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from missioncontrol.scheduling.solver.columns import Columns, contact_columns
from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers
from missioncontrol.scheduling.solver.outages import forbidden


@dataclass(frozen=True, slots=True)
class Spans:
    """Intervals as arrays of one length."""

    opportunity: Integers
    request: Integers
    begins_us: Integers
    ends_us: Integers

    def __len__(self) -> int:
        return len(self.opportunity)

    def at(self, which: Booleans) -> Self:
        """Return some of the spans."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))


def wanted_spans(instance: Instance) -> Spans:
    """Return the interval of every window that a request could take, outages not regarded."""
    request, window = _pairs_in_time(instance)
    table = instance.requests
    begins_us, ends_us = _admissible(instance, request, window)
    fits = ends_us - begins_us >= np.maximum(1, table.shortest_us[request])
    fits &= begins_us <= table.latest_us[request]
    fits &= instance.allowed[request, instance.opportunities.path[window]]
    return Spans(window, request, begins_us, ends_us).at(fits)


def _pairs_in_time(instance: Instance) -> tuple[Integers, Integers]:
    """Return requests and windows of their spacecraft, but for those that are far off in time.

    By request, then by the window's begin.
    """
    windows, table = instance.opportunities, instance.requests
    seen = len(instance.problem.opportunities)  # behind them stand windows that are gone
    if not seen:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing
    begins_us, spacecraft = windows.begins_us[:seen], windows.spacecraft[:seen]
    order = np.lexsort((begins_us, spacecraft))
    longest_us = int((windows.ends_us[:seen] - begins_us).max())
    zero_us = int(begins_us.min())
    row_us = int(begins_us.max()) - zero_us + 2  # one number for spacecraft and begin
    place = (spacecraft * row_us + begins_us - zero_us)[order]

    def at(instant_us: Integers) -> Integers:
        since_us = np.clip(instant_us - zero_us, 0, row_us - 1)
        return np.searchsorted(place, table.spacecraft * row_us + since_us)

    first, last = at(table.earliest_us - longest_us), at(table.deadline_us)
    counts = np.maximum(last - first, 0)
    request = np.repeat(np.arange(len(counts)), counts)
    skipped = np.repeat(first - (np.cumsum(counts) - counts), counts)
    return request, order[np.arange(len(request)) + skipped]


def _admissible(
    instance: Instance, request: Integers, window: Integers
) -> tuple[Integers, Integers]:
    """Return the part of each window within its request's times; empty where there is none."""
    table, step = instance.requests, instance.requests.step_us[request]
    begins_us = instance.opportunities.begins_us[window]
    ends_us = instance.opportunities.ends_us[window]
    early_us = np.maximum(table.earliest_us[request] - begins_us, 0)
    late_us = np.maximum(ends_us - table.deadline_us[request], 0)
    whole = np.maximum(step, 1)
    cut_begins_us = begins_us + -(-early_us // whole) * step
    cut_ends_us = ends_us - -(-late_us // whole) * step
    # Where nothing is trimmed, a window that is not whole within the times is none.
    outside = (step == 0) & ((early_us > 0) | (late_us > 0))
    return cut_begins_us, np.where(outside, cut_begins_us, cut_ends_us)


def split_by_outages(instance: Instance, spans: Spans) -> Spans:
    """Cut each span where an outage forbids it; what is too short goes."""
    for number in range(len(instance.outages.begins_us)):
        begins_us, ends_us, hit = forbidden(
            instance,
            number,
            instance.opportunities.path[spans.opportunity],
            instance.opportunities.spacecraft[spans.opportunity],
            spans.request,
        )
        hit = hit & (spans.begins_us < ends_us) & (spans.ends_us > begins_us)
        step = instance.requests.step_us[spans.request[hit]]
        window_begins = instance.opportunities.begins_us[spans.opportunity[hit]]
        window_ends = instance.opportunities.ends_us[spans.opportunity[hit]]
        left_end = window_ends - -(-(window_ends - begins_us[hit]) // step) * step
        right_begin = window_begins + -(-(ends_us[hit] - window_begins) // step) * step
        cut = spans.at(hit)
        pieces = [
            spans.at(~hit),
            Spans(cut.opportunity, cut.request, cut.begins_us, np.minimum(left_end, cut.ends_us)),
            Spans(
                cut.opportunity, cut.request, np.maximum(right_begin, cut.begins_us), cut.ends_us
            ),
        ]
        spans = Spans(
            *(
                np.concatenate([getattr(piece, field.name) for piece in pieces])
                for field in fields(spans)
            )
        )
        shortest = np.maximum(instance.requests.shortest_us[spans.request], 1)
        spans = spans.at(spans.ends_us - spans.begins_us >= shortest)
    late = spans.begins_us > instance.requests.latest_us[spans.request]
    return spans.at(~late)


def longest_parts(instance: Instance, spans: Spans) -> Columns:
    """Return the longest admissible part of each span, from its begin on."""
    step, longest = instance.requests.step_us, instance.requests.longest_us
    excess_us = np.maximum(spans.ends_us - spans.begins_us - longest[spans.request], 0)
    cut_us = -(-excess_us // np.maximum(step[spans.request], 1)) * step[spans.request]
    return contact_columns(
        instance, spans.opportunity, spans.request, spans.begins_us, spans.ends_us - cut_us
    )


def every_part(instance: Instance, spans: Spans, at_most: int) -> tuple[Columns, bool]:
    """Return all admissible parts of the spans, and whether these are all.

    Where there are more parts than *at_most*, those cut by a multiple of the step
    are returned: one that gives few enough, or only the spans themselves.
    """
    step = instance.requests.step_us[spans.request]
    coarsest = int(_limits(instance, spans, step)[1].max(initial=0)) + 1
    multiple = 1
    while multiple < coarsest and _count(instance, spans, step * multiple) > at_most:
        multiple += 1 + multiple // 4
    return _cut(instance, spans, step * multiple), multiple == 1


def _limits(instance: Instance, spans: Spans, step: Integers) -> tuple[Integers, Integers]:
    """Return how many steps must and can be cut from each span."""
    table, length_us = instance.requests, spans.ends_us - spans.begins_us
    must = -(-np.maximum(length_us - table.longest_us[spans.request], 0) // step)
    return must, (length_us - table.shortest_us[spans.request]) // step


def _count(instance: Instance, spans: Spans, step: Integers) -> int:
    must, can = _limits(instance, spans, step)
    # With k steps cut in all, k + 1 ways to divide them between head and tail.
    ways = (can + 1) * (can + 2) // 2 - must * (must + 1) // 2
    return int(np.maximum(ways, 0).sum())


def _cut(instance: Instance, spans: Spans, step: Integers) -> Columns:
    must, can = _limits(instance, spans, step)
    latest_us = instance.requests.latest_us[spans.request]
    most = int(can.max()) if len(spans) else -1
    parts: list[tuple[Integers, ...]] = []
    for cut in range(most + 1):
        for head in range(cut + 1):
            begins_us = spans.begins_us + head * step
            some = (must <= cut) & (cut <= can) & (begins_us <= latest_us)
            ends_us = (spans.ends_us - (cut - head) * step)[some]
            parts.append((spans.opportunity[some], spans.request[some], begins_us[some], ends_us))
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return contact_columns(instance, nothing, nothing, nothing, nothing)
    return contact_columns(instance, *(np.concatenate(one) for one in zip(*parts, strict=True)))
