"""The columns that a problem has: windows taken whole, parts of windows, kept contacts."""

from __future__ import annotations

import numpy as np

from missioncontrol.scheduling.solver.columns import (
    Columns,
    contact_columns,
    contact_keys,
    kept_columns,
)
from missioncontrol.scheduling.solver.instance import NO_LIMIT, Booleans, Instance
from missioncontrol.scheduling.solver.outages import first_outage
from missioncontrol.scheduling.solver.pinned_columns import with_pins, without_pinned
from missioncontrol.scheduling.solver.spans import (
    Spans,
    every_part,
    longest_parts,
    split_by_outages,
    wanted_spans,
)


def first_columns(instance: Instance) -> tuple[Columns, Spans]:
    """Return what a plan at once is made of: the longest way to take each window.

    The spans are those of requests whose windows are trimmed.
    """
    whole, spans = _whole_and_spans(instance)
    columns = _with_kept(instance, whole.and_then(longest_parts(instance, spans)))
    return with_pins(instance, columns), without_pinned(instance, spans)


def all_columns(instance: Instance, *, at_most: int) -> tuple[Columns, Spans, bool]:
    """Return every way to serve a request, the spans, and whether these are all ways.

    Parts of windows are coarser where there are more than *at_most*. Columns that
    another can always replace are left out.
    """
    whole, spans = _whole_and_spans(instance)
    parts, complete = every_part(instance, spans, at_most=at_most)
    columns = with_pins(instance, _with_kept(instance, whole.and_then(parts)))
    return columns, without_pinned(instance, spans), complete


def _whole_and_spans(instance: Instance) -> tuple[Columns, Spans]:
    spans = wanted_spans(instance)
    trimmed = instance.requests.step_us[spans.request] > 0
    untrimmed = spans.at(~trimmed)
    whole = contact_columns(
        instance,
        untrimmed.opportunity,
        untrimmed.request,
        untrimmed.begins_us,
        untrimmed.ends_us,
    )
    whole = whole.at(first_outage(instance, whole) < 0)
    whole = whole.at(~_dominated(instance, whole))
    return whole, split_by_outages(instance, spans.at(trimmed))


def _dominated(instance: Instance, columns: Columns) -> Booleans:
    """Return which columns another one of the same window can always replace.

    The other is worth as much, its request takes any number of contacts, and it
    occupies nothing longer; and this one counts for nobody's minimum or share.
    """
    table, request = instance.requests, columns.request
    order = np.lexsort((-columns.worth, columns.ends_us, columns.begins_us, columns.opportunity))
    window = columns.opportunity[order]
    group = np.cumsum(np.concatenate([[0], window[1:] != window[:-1]])) if len(order) else window
    taker = table.maximum_count[request[order]] == NO_LIMIT
    # The best column of each group that takes any number, and its place.
    first = np.full(int(group[-1]) + 1 if len(order) else 0, len(order), dtype=np.int64)
    np.minimum.at(first, group[taker], np.flatnonzero(taker))
    best = first[group]
    behind = np.arange(len(order)) > best
    own, other = request[order], request[order][np.minimum(best, len(order) - 1)]
    replaceable = (
        behind
        & ((table.minimum_count[own] == 0) | table.shared[own])
        & ((table.owner[own] < 0) | (table.owner[own] == table.owner[other]))
        & (table.before_us[other] <= table.before_us[own])
        & (table.after_us[other] <= table.after_us[own])
    )
    dominated = np.zeros(len(columns), dtype=np.bool_)
    dominated[order] = replaceable
    return dominated


def _with_kept(instance: Instance, columns: Columns) -> Columns:
    """Give kept contacts their columns, with bonus; those that an outage hits have none."""
    if not instance.problem.kept:
        return columns
    own = kept_columns(instance)
    own = own.at(first_outage(instance, own) < 0)
    # A kept contact that is a column already only brings its bonus.
    keys = set(contact_keys(own))
    again = np.array([key in keys for key in contact_keys(columns)], dtype=np.bool_)
    return columns.at(~again).and_then(own)
