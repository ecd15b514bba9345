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
    windows = instance.opportunities
    seen = len(instance.problem.opportunities)  # behind them stand windows that are gone
    order = np.lexsort((windows.begins_us[:seen], windows.spacecraft[:seen]))
    first = np.searchsorted(
        windows.spacecraft[order], np.arange(len(instance.spacecraft) + 1), side="left"
    )
    restricted = {*np.flatnonzero(~instance.allowed.all(axis=1)).tolist()}
    parts: list[tuple[Integers, Integers, Integers, Integers]] = []
    for request, spacecraft in enumerate(instance.requests.spacecraft.tolist()):
        own = order[first[spacecraft] : first[spacecraft + 1]]
        begins_us, ends_us = _admissible(instance, request, own)
        fits = ends_us - begins_us >= max(1, int(instance.requests.shortest_us[request]))
        fits &= begins_us <= instance.requests.latest_us[request]
        if request in restricted:
            fits &= instance.allowed[request][windows.path[own]]
        own = own[fits]
        parts.append((own, np.full(len(own), request), begins_us[fits], ends_us[fits]))
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return Spans(nothing, nothing, nothing, nothing)
    return Spans(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _admissible(instance: Instance, request: int, windows: Integers) -> tuple[Integers, Integers]:
    """Return the part of each window within the request's times; empty where there is none."""
    table = instance.requests
    begins_us = instance.opportunities.begins_us[windows]
    ends_us = instance.opportunities.ends_us[windows]
    earliest, deadline = int(table.earliest_us[request]), int(table.deadline_us[request])
    step = int(table.step_us[request])
    if step:
        begins_us = begins_us + np.maximum(-(-(earliest - begins_us) // step), 0) * step
        ends_us = ends_us - np.maximum(-(-(ends_us - deadline) // step), 0) * step
        return begins_us, ends_us
    inside = (begins_us >= earliest) & (ends_us <= deadline)
    return begins_us, np.where(inside, ends_us, begins_us)


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
