"""Columns: each is one way to serve one request, a window or a part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from missioncontrol.scheduling.solver.instance import Booleans, Floats, Instance, Integers


@dataclass(frozen=True, slots=True)
class Columns:
    """Ways to serve requests, as arrays of one length."""

    opportunity: Integers
    request: Integers
    path: Integers
    begins_us: Integers
    ends_us: Integers
    worth: Floats  # the kept bonus not included
    bonus: Floats
    kept: Booleans  # of the running plan
    frozen: Booleans

    def __len__(self) -> int:
        return len(self.opportunity)

    def at(self, which: Integers | Booleans) -> Self:
        """Return some of the columns."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))

    def and_then(self, more: Self) -> Self:
        """Return these columns, then the others."""
        return type(self)(
            *(
                np.concatenate([getattr(self, field.name), getattr(more, field.name)])
                for field in fields(self)
            )
        )


def contact_columns(
    instance: Instance,
    opportunity: Integers,
    request: Integers,
    begins_us: Integers,
    ends_us: Integers,
) -> Columns:
    """Return columns in windows of their own, without bonus."""
    return Columns(
        opportunity=opportunity,
        request=request,
        path=instance.opportunities.path[opportunity],
        begins_us=begins_us,
        ends_us=ends_us,
        worth=instance.worth(opportunity, request, ends_us - begins_us),
        bonus=np.zeros(len(opportunity)),
        kept=np.zeros(len(opportunity), dtype=np.bool_),
        frozen=np.zeros(len(opportunity), dtype=np.bool_),
    )


def kept_columns(instance: Instance) -> Columns:
    """Return the contacts of the running plan, in their order, with their bonus."""
    kept = instance.problem.kept
    ids = {one: at for at, one in enumerate(instance.opportunities.ids)}
    requests = {one.id: at for at, one in enumerate(instance.problem.requests)}
    paths = {path: at for at, path in enumerate(instance.paths)}
    contacts = [one.contact for one in kept]
    opportunity = np.array([ids[one.id] for one in contacts], dtype=np.int64)
    request = np.array([requests[one.request] for one in contacts], dtype=np.int64)
    begins_us = np.array([instance.microseconds(one.begins) for one in contacts], dtype=np.int64)
    ends_us = np.array([instance.microseconds(one.ends) for one in contacts], dtype=np.int64)
    return Columns(
        opportunity=opportunity,
        request=request,
        path=np.array([paths[one.path] for one in contacts], dtype=np.int64),
        begins_us=begins_us,
        ends_us=ends_us,
        worth=instance.worth(opportunity, request, ends_us - begins_us),
        bonus=np.array([one.bonus for one in kept], dtype=np.float64),
        kept=np.ones(len(kept), dtype=np.bool_),
        frozen=np.array([one.frozen for one in kept], dtype=np.bool_),
    )


def contact_keys(columns: Columns) -> Iterable[tuple[int, int, int, int, int]]:
    """Return what tells the contacts apart: window, request, path, begin and end."""
    return zip(
        columns.opportunity.tolist(),
        columns.request.tolist(),
        columns.path.tolist(),
        columns.begins_us.tolist(),
        columns.ends_us.tolist(),
        strict=True,
    )
