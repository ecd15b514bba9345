"""What pins leave of the columns: one of a window that is booked, none of one left free."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from missioncontrol.scheduling.solver.columns import Columns
from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers
from missioncontrol.scheduling.solver.pins import Pin
from missioncontrol.scheduling.solver.problem import ProblemError
from missioncontrol.scheduling.solver.spans import Spans


def with_pins(instance: Instance, columns: Columns) -> Columns:
    """Return the columns that a plan with the problem's pins can have.

    Of a window that is booked one stays, frozen: the best for its request.

    Raises:
        ProblemError: No column is for the request that a window is pinned for, or
            a frozen contact is in a window that is pinned otherwise.
    """
    pins = instance.problem.pins
    if not pins:
        return columns
    places, requests = _places(instance), _requests(instance)
    booked = []
    for pin in pins:
        own = np.flatnonzero(columns.opportunity == places[pin.window])
        wanted = -1 if pin.request is None else requests[pin.request]
        if (columns.frozen[own] & (columns.request[own] != wanted)).any():
            raise ProblemError([f"Window {pin.window} has a frozen contact, and is pinned."])
        if pin.request is not None:
            booked.append(_best(columns, own[columns.request[own] == wanted], pin))
    chosen = columns.at(np.array(booked, dtype=np.int64))
    chosen = replace(chosen, frozen=np.ones(len(chosen), dtype=np.bool_))
    return columns.at(~_pinned(instance, columns.opportunity)).and_then(chosen)


def without_pinned(instance: Instance, spans: Spans) -> Spans:
    """Return the spans in windows that no pin settles."""
    return spans.at(~_pinned(instance, spans.opportunity)) if instance.problem.pins else spans


def pinned_free(instance: Instance, windows: Integers) -> Booleans:
    """Return which of some windows a pin leaves free."""
    places = _places(instance) if instance.problem.pins else {}
    free = [places[pin.window] for pin in instance.problem.pins if pin.request is None]
    return np.isin(windows, free)


def _best(columns: Columns, own: Integers, pin: Pin) -> int:
    if not len(own):
        raise ProblemError([f"Window {pin.window} cannot be booked for {pin.request}."])
    gain = columns.worth + columns.bonus
    order = np.lexsort((own, -gain[own], ~columns.frozen[own]))
    return int(own[order[0]])


def _pinned(instance: Instance, windows: Integers) -> Booleans:
    places = _places(instance)
    return np.isin(windows, [places[pin.window] for pin in instance.problem.pins])


def _places(instance: Instance) -> dict[str, int]:
    return {name: at for at, name in enumerate(instance.opportunities.ids)}


def _requests(instance: Instance) -> dict[str, int]:
    return {one.id: at for at, one in enumerate(instance.problem.requests)}
