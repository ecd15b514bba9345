"""Why a request is not served, in words that name windows, limits and contacts."""

from __future__ import annotations

import numpy as np

from missioncontrol.scheduling.solver.bookings import Bookings
from missioncontrol.scheduling.solver.columns import Columns, contact_columns, contact_keys
from missioncontrol.scheduling.solver.instance import Instance, Integers
from missioncontrol.scheduling.solver.outages import first_outage
from missioncontrol.scheduling.solver.pinned_columns import pinned_free
from missioncontrol.scheduling.solver.plan import Conflict, ReasonCode, Unserved

_SHOWN_WINDOWS = 8


def explain(instance: Instance, bookings: Bookings, counts: Integers) -> tuple[Unserved, ...]:
    """Return every request with too few contacts, and why it has no more.

    A request without a minimum wants one contact at least.

    Args:
        instance: The problem.
        bookings: The plan's contacts.
        counts: How many of them count for each request.
    """
    missing = np.maximum(instance.requests.minimum_count, 1) - counts
    short = [(request, int(missing[request])) for request in np.flatnonzero(missing > 0).tolist()]
    return tuple(_Case(instance, bookings, *one).unserved() for one in short)


class _Case:
    """One request that is short of contacts."""

    def __init__(self, instance: Instance, bookings: Bookings, request: int, missing: int) -> None:
        self._instance = instance
        self._bookings = bookings
        self._request = request
        self._wanted = instance.problem.requests[request]
        self._missing = missing

    def unserved(self) -> Unserved:
        windows = self._windows_in_time()
        if not len(windows):
            return self._because(ReasonCode.NO_WINDOW, self._no_window())
        columns = self._usable_parts(windows)
        shortest_us = int(self._instance.requests.shortest_us[self._request])
        long_enough = columns.ends_us - columns.begins_us >= max(shortest_us, 1)
        if not long_enough.any():
            return self._because(ReasonCode.TOO_SHORT, self._too_short(columns))
        columns = columns.at(long_enough)
        outages = first_outage(self._instance, columns)
        if (outages >= 0).all():
            return self._because(ReasonCode.OUTAGE, self._out(outages))
        columns = columns.at(outages < 0)
        free = pinned_free(self._instance, columns.opportunity)
        if free.all():
            reason = "every window that would serve is to be left free, as was asked"
            return self._because(ReasonCode.CONFLICT, reason)
        return self._conflicting(columns.at(~free))

    def _because(
        self, code: ReasonCode, reason: str, conflicts: tuple[Conflict, ...] = ()
    ) -> Unserved:
        return Unserved(
            request=self._wanted.id,
            missing=self._missing,
            code=code,
            reason=reason,
            conflicts=conflicts,
        )

    def _windows_in_time(self) -> Integers:
        """Return the windows that begin before the deadline and end after the earliest."""
        windows, table = self._instance.opportunities, self._instance.requests
        earliest_us, deadline_us = (
            table.earliest_us[self._request],
            table.deadline_us[self._request],
        )
        begins_us, ends_us = windows.begins_us, windows.ends_us
        if table.step_us[self._request]:
            in_time = (ends_us > earliest_us) & (begins_us < deadline_us)
        else:
            in_time = (begins_us >= earliest_us) & (ends_us <= deadline_us)
        in_time &= windows.spacecraft == table.spacecraft[self._request]
        in_time &= self._instance.allowed[self._request][windows.path]
        in_time &= begins_us <= table.latest_us[self._request]
        in_time[len(self._instance.problem.opportunities) :] = False  # those that are gone
        return np.flatnonzero(in_time)

    def _usable_parts(self, windows: Integers) -> Columns:
        """Return the part of each window within the request's times."""
        instance, table = self._instance, self._instance.requests
        return contact_columns(
            instance,
            windows,
            np.full(len(windows), self._request),
            np.maximum(
                instance.opportunities.begins_us[windows], table.earliest_us[self._request]
            ),
            np.minimum(instance.opportunities.ends_us[windows], table.deadline_us[self._request]),
        )

    def _times(self) -> str:
        wanted = self._wanted
        return (
            f"between {wanted.earliest:%Y-%m-%dT%H:%M:%SZ} "
            f"and {wanted.deadline:%Y-%m-%dT%H:%M:%SZ}"
        )

    def _no_window(self) -> str:
        over = "" if self._wanted.antennas is None else " over the antennas allowed"
        whole = "" if self._instance.requests.step_us[self._request] else "whole "
        return f"no {whole}window of {self._wanted.spacecraft}{over} {self._times()}"

    def _too_short(self, columns: Columns) -> str:
        duration_us = columns.ends_us - columns.begins_us
        longest = int(duration_us.argmax())
        path = " and ".join(self._instance.paths[int(columns.path[longest])])
        shortest_s = int(self._instance.requests.shortest_us[self._request]) / 1e6
        return (
            f"no window >= {shortest_s:g} s before the deadline; "
            f"the longest has {duration_us[longest] / 1e6:.0f} s, over {path}"
        )

    def _out(self, outages: Integers) -> str:
        named = sorted({int(one) for one in outages})
        told = [self._instance.problem.outages[one] for one in named]
        which = "; ".join(
            f"{one.resource} is out {one.begins:%Y-%m-%dT%H:%MZ} to {one.ends:%Y-%m-%dT%H:%MZ}"
            for one in told
        )
        return f"every window >= its minimum falls into an outage: {which}"

    def _conflicting(self, columns: Columns) -> Unserved:
        best = np.argsort(-columns.worth, kind="stable")[:_SHOWN_WINDOWS]
        conflicts, ids = [], self._instance.opportunities.ids
        for contact in contact_keys(columns.at(best)):
            conflicts.append(
                Conflict(
                    opportunity=ids[contact[0]],
                    contacts=tuple(ids[other[0]] for other in self._bookings.in_the_way(contact)),
                )
            )
        named = sorted({one for conflict in conflicts for one in conflict.contacts})
        reason = (
            f"{len(columns)} windows would serve; the best are taken by {', '.join(named)}"
            if named
            else f"{len(columns)} windows would serve, but no contact more than these pays"
        )
        return self._because(ReasonCode.CONFLICT, reason, tuple(conflicts))
