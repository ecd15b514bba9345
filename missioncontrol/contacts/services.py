from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db import transaction

from missioncontrol.contacts.bulk import insert_columns
from missioncontrol.contacts.models import ContactWindow, RelayPath, WindowHorizon
from missioncontrol.contacts.prediction import (
    Fleet,
    Ground,
    Interval,
    Prediction,
    predict_paths,
    predict_windows,
    utc64,
)
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Ephemeris, Spacecraft
from missioncontrol.kernel.dispatch import send_after_commit
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.live import publish_after_commit

GROUP_SIZE: Final = 40  # spacecraft in one task: a second of work


class NoEphemerisError(RefusedError):
    """No orbital elements can be used for this spacecraft."""


def recompute_windows(
    *, spacecraft: Spacecraft, start: datetime, horizon: timedelta, at: datetime
) -> list[ContactWindow]:
    """Compute the windows of one spacecraft and replace the stored ones.

    As :func:`recompute_group`, for one.

    Returns:
        The stored windows that begin in the interval or are under way at its
        start, by time; none when the elements were refused (the reason stands
        in the spacecraft's horizon).

    Raises:
        NoEphemerisError: nothing enabled and unexpired is loaded.
    """
    if fleet.ephemeris_in_force(spacecraft, at) is None:
        raise NoEphemerisError(
            f"{spacecraft} has no enabled, unexpired orbital elements at "
            f"{at:%Y-%m-%d %H:%MZ}. Load some with the mission file."
        )
    recompute_group(spacecraft_ids=[spacecraft.pk], start=start, horizon=horizon, at=at)
    return list(
        ContactWindow.objects.filter(
            spacecraft=spacecraft, los__gt=start, aos__lt=start + horizon
        ).select_related("spacecraft", "station")
    )


def recompute_group(
    *, spacecraft_ids: Sequence[int], start: datetime, horizon: timedelta, at: datetime
) -> int:
    """Compute what begins in [start, start + horizon), or is under way then; replace the stored.

    Windows over every station with an active antenna, and paths over the
    relays that a spacecraft may use. Safe to run twice: the result replaces
    itself. What is outside the interval stays as it is, so a rolling horizon
    joins without a seam. Spacecraft without elements are left out.

    Args:
        spacecraft_ids: Primary keys of the group.
        start: First instant, UTC.
        horizon: Length of the interval.
        at: Mission time, for the choice of the elements and as the stamp.

    Returns:
        How many windows and paths were stored.
    """
    group = _Group.read(spacecraft_ids, at)
    if not group.ephemerides:
        return 0
    interval = Interval(start, start + horizon)
    windows = predict_windows(
        group.fleet(group.spacecraft_ids), group.ground, interval, group.known_windows(interval)
    )
    paths = _paths(group, interval)
    _replace(group, interval, windows, paths, at)
    return len(windows.columns["aos"]) + (len(paths.columns["aos"]) if paths else 0)


def keep_horizon(
    *, spacecraft_ids: Sequence[int], start: datetime, horizon: timedelta, at: datetime
) -> int:
    """See to it that windows are computed: a few at once, many by tasks, group by group.

    Returns:
        How many groups were made.
    """
    groups = [
        spacecraft_ids[first : first + GROUP_SIZE]
        for first in range(0, len(spacecraft_ids), GROUP_SIZE)
    ]
    if len(groups) == 1:
        recompute_group(spacecraft_ids=groups[0], start=start, horizon=horizon, at=at)
    else:
        for group in groups:
            send_after_commit(
                "missioncontrol.contacts.tasks.recompute_group",
                spacecraft_ids=",".join(str(one) for one in group),
                start=start.isoformat(),
                horizon_hours=int(horizon / timedelta(hours=1)),
            )
    return len(groups)


@dataclass(frozen=True, slots=True)
class _Group:
    """What is read of the database before anything is computed."""

    spacecraft_ids: list[int]  # with elements
    users: dict[int, list[int]]  # spacecraft -> relays that have elements
    ephemerides: dict[int, Ephemeris]  # of spacecraft and relays
    ground: Ground

    @classmethod
    def read(cls, spacecraft_ids: Sequence[int], at: datetime) -> _Group:
        relays = fleet.relays_of(spacecraft_ids)
        wanted = {*spacecraft_ids, *(one for many in relays.values() for one in many)}
        chosen = fleet.ephemerides_in_force(wanted, at)
        rows = Ephemeris.objects.in_bulk(chosen.values())
        ephemerides = {spacecraft: rows[pk] for spacecraft, pk in chosen.items()}
        stations = fleet.stations_in_service()
        return cls(
            spacecraft_ids=[one for one in spacecraft_ids if one in ephemerides],
            users={
                user: [one for one in many if one in ephemerides]
                for user, many in relays.items()
                if user in ephemerides and any(one in ephemerides for one in many)
            },
            ephemerides=ephemerides,
            ground=Ground(
                np.array([station.pk for station in stations], dtype=np.int64),
                [fleet.site(station) for station in stations],
            ),
        )

    def fleet(self, ids: Sequence[int]) -> Fleet:
        return Fleet(
            np.array(ids, dtype=np.int64),
            [fleet.trajectory(self.ephemerides[one]) for one in ids],
        )

    def known_windows(self, interval: Interval) -> dict[tuple[int, ...], Mapping[str, Any]]:
        """Return the stored windows that are open where the computation begins."""
        rows = ContactWindow.objects.filter(
            spacecraft__in=self.spacecraft_ids,
            aos__lte=interval.seam,
            los__gte=interval.seam,
            ephemeris__in=[self.ephemerides[one] for one in self.spacecraft_ids],
        )
        return {
            (row.spacecraft_id, row.station_id): {
                "aos": utc64(row.aos),
                "tca": utc64(row.tca),
                "aos_azimuth_deg": row.aos_azimuth_deg,
                "max_elevation_deg": row.max_elevation_deg,
                "clipped_start": row.clipped_start,
            }
            for row in rows
        }

    def known_paths(self, interval: Interval) -> dict[tuple[int, ...], Mapping[str, Any]]:
        """Return the stored paths that are open where the computation begins."""
        rows = RelayPath.objects.filter(
            spacecraft__in=self.users, aos__lte=interval.seam, los__gte=interval.seam
        )
        return {
            (row.spacecraft_id, row.relay_id, row.station_id): {
                "aos": utc64(row.aos),
                "max_elevation_deg": row.max_elevation_deg,
                "clipped_start": row.clipped_start,
            }
            for row in rows
        }


def _paths(group: _Group, interval: Interval) -> Prediction | None:
    if not group.users:
        return None
    users = list(group.users)
    relays = sorted({one for many in group.users.values() for one in many})
    allowed = np.array([[one in group.users[user] for one in relays] for user in users])
    return predict_paths(
        group.fleet(users),
        group.fleet(relays),
        allowed,
        group.ground,
        interval,
        group.known_paths(interval),
    )


@transaction.atomic
def _replace(
    group: _Group,
    interval: Interval,
    windows: Prediction,
    paths: Prediction | None,
    at: datetime,
) -> None:
    ids = group.spacecraft_ids
    # One recomputation of a spacecraft at a time; always in one order, so none waits for ever.
    list(Spacecraft.objects.select_for_update().filter(pk__in=ids).order_by("pk").only("pk"))
    for model, prediction in ((ContactWindow, windows), (RelayPath, paths)):
        model._default_manager.filter(
            spacecraft__in=ids, los__gt=interval.start, aos__lt=interval.end
        ).delete()
        if prediction is not None and len(prediction.columns["aos"]):
            insert_columns(model, _stamped(group, model, prediction, at))
    _note_horizons(group, interval, windows, at)
    publish_after_commit({"type": "refresh", "part": "passes"})


def _stamped(
    group: _Group, model: type[ContactWindow | RelayPath], prediction: Prediction, at: datetime
) -> dict[str, Any]:
    columns = dict(prediction.columns)
    columns["computed_at"] = np.full(len(columns["aos"]), utc64(at))
    if model is ContactWindow:
        spacecraft = np.array(sorted(group.spacecraft_ids))
        ephemeris = np.array([group.ephemerides[one].pk for one in spacecraft.tolist()])
        columns["ephemeris_id"] = ephemeris[np.searchsorted(spacecraft, columns["spacecraft_id"])]
    return columns


def _note_horizons(group: _Group, interval: Interval, windows: Prediction, at: datetime) -> None:
    previous = WindowHorizon.objects.in_bulk(group.spacecraft_ids)
    reasons: dict[int, list[str]] = defaultdict(list)
    for refusal in windows.refused:
        reasons[group.spacecraft_ids[refusal.satellite_index]].append(refusal.reason)
    rows = []
    for spacecraft_id in group.spacecraft_ids:
        ephemeris = group.ephemerides[spacecraft_id]
        old = previous.get(spacecraft_id)
        joins = (
            old is not None
            and old.ephemeris_id == ephemeris.pk
            and old.start <= interval.start <= old.end
        )
        rows.append(
            WindowHorizon(
                spacecraft_id=spacecraft_id,
                start=old.start if joins and old is not None else interval.start,
                end=interval.end,
                ephemeris=ephemeris,
                relay_ephemerides={
                    str(one): group.ephemerides[one].pk
                    for one in group.users.get(spacecraft_id, [])
                },
                refusal="; ".join(reasons[spacecraft_id]),
                computed_at=at,
            )
        )
    WindowHorizon.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["spacecraft"],
        update_fields=[
            "start",
            "end",
            "ephemeris",
            "relay_ephemerides",
            "refusal",
            "computed_at",
        ],
    )
