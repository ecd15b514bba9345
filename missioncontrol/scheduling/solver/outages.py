"""Which contacts an outage forbids."""

from __future__ import annotations

import numpy as np

from missioncontrol.scheduling.solver.columns import Columns
from missioncontrol.scheduling.solver.instance import Booleans, Instance, Integers


def first_outage(instance: Instance, columns: Columns) -> Integers:
    """Return the outage that each column meets, set-up and tear-down regarded; -1 for none."""
    met = np.full(len(columns), -1, dtype=np.int64)
    spacecraft = instance.opportunities.spacecraft[columns.opportunity]
    for number in reversed(range(len(instance.outages.begins_us))):
        begins_us, ends_us, hit = forbidden(
            instance, number, columns.path, spacecraft, columns.request
        )
        met[hit & (columns.begins_us < ends_us) & (columns.ends_us > begins_us)] = number
    return met


def forbidden(
    instance: Instance, number: int, path: Integers, spacecraft: Integers, request: Integers
) -> tuple[Integers, Integers, Booleans]:
    """Return when one outage forbids contacts, set-up and tear-down regarded, and whose."""
    outages = instance.outages
    begins_us = np.full(len(path), outages.begins_us[number])
    ends_us = np.full(len(path), outages.ends_us[number])
    resource = int(outages.resource[number])
    if resource < 0:
        return begins_us, ends_us, spacecraft == outages.spacecraft[number]
    uses = np.array([resource in one for one in instance.path_resources], dtype=np.bool_)
    before_us = np.maximum(instance.setup_us[resource], instance.requests.before_us[request])
    after_us = np.maximum(instance.teardown_us[resource], instance.requests.after_us[request])
    return begins_us - after_us, ends_us + before_us, uses[path]
