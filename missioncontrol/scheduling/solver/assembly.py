"""The plan as it is handed back: contacts, objective, reasons and prices."""

from __future__ import annotations

import numpy as np

from missioncontrol.scheduling.solver.bookings import Bookings
from missioncontrol.scheduling.solver.columns import Columns
from missioncontrol.scheduling.solver.highs import SOLVER
from missioncontrol.scheduling.solver.instance import Instance, Integers
from missioncontrol.scheduling.solver.plan import CongestionPrice, Plan, PlanMethod
from missioncontrol.scheduling.solver.problem import Contact
from missioncontrol.scheduling.solver.reasons import explain
from missioncontrol.scheduling.solver.relaxation import Relaxation
from missioncontrol.scheduling.solver.restriction import Model
from missioncontrol.scheduling.solver.rows import RowKind, counted

_ROUNDING = 1e-9  # of the objective: sums in another order differ by less


def assemble(
    instance: Instance,
    chosen: Columns,
    bookings: Bookings,
    *,
    method: PlanMethod,
    digest: str,
    seed: int = 0,
    bound: float | None = None,
    prices: tuple[CongestionPrice, ...] = (),
) -> Plan:
    """Return the plan of the chosen columns, which the bookings hold."""
    chosen = chosen.at(np.lexsort((chosen.opportunity, chosen.begins_us)))
    bonus = float(chosen.bonus.sum())
    counts = counted(instance, chosen)
    objective = float(chosen.worth.sum()) + bonus - _shortfall(instance, chosen, counts)
    if bound is not None and bound < objective <= bound + _ROUNDING * abs(bound):
        bound = objective
    return Plan(
        method=method,
        contacts=_contacts(instance, chosen),
        objective=objective,
        bonus=bonus,
        bound=bound,
        seed=seed,
        solver=SOLVER,
        input_digest=digest,
        unserved=explain(instance, bookings, counts),
        prices=prices,
    )


def _shortfall(instance: Instance, chosen: Columns, counts: Integers) -> float:
    """Return what contacts missing from minimums and seconds missing from shares cost."""
    table = instance.requests
    missing = np.maximum(table.minimum_count - counts, 0)
    cost = float((missing * table.missing_cost).sum())
    duration_s = (chosen.ends_us - chosen.begins_us) / 1e6
    owner = table.owner[chosen.request]
    for number, member in enumerate(instance.problem.members):
        served_s = float(duration_s[owner == number].sum())
        cost += max(member.entitled_s - served_s, 0.0) * member.cost_per_missing_s
    return cost


def _contacts(instance: Instance, chosen: Columns) -> tuple[Contact, ...]:
    requests = instance.problem.requests
    ids, paths, instant = instance.opportunities.ids, instance.paths, instance.instant
    return tuple(
        Contact(
            id=ids[window],
            request=requests[request].id,
            spacecraft=requests[request].spacecraft,
            path=paths[path],
            begins=instant(begins_us),
            ends=instant(ends_us),
        )
        for window, request, path, begins_us, ends_us in zip(
            chosen.opportunity.tolist(),
            chosen.request.tolist(),
            chosen.path.tolist(),
            chosen.begins_us.tolist(),
            chosen.ends_us.tolist(),
            strict=True,
        )
    )


def congestion_prices(
    instance: Instance, model: Model, relaxation: Relaxation
) -> tuple[CongestionPrice, ...]:
    """Return the prices of antennas' time, by antenna and time, where there is a price."""
    rows, priced = model.rows, np.zeros(len(model.rows), dtype=np.bool_)
    priced[relaxation.left.rows] = True  # rows that frozen contacts fill have no true price
    priced &= (rows.kind == RowKind.ANTENNA) & (relaxation.prices > 0.0)
    order = np.flatnonzero(priced)
    order = order[np.lexsort((rows.from_us[order], rows.subject[order]))]
    return tuple(
        CongestionPrice(
            antenna=instance.antennas[int(rows.subject[row])],
            begins=instance.instant(int(rows.from_us[row])),
            ends=instance.instant(int(rows.until_us[row])),
            price=float(relaxation.prices[row]),
        )
        for row in order.tolist()
    )
