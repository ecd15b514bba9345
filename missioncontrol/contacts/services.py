from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from missioncontrol.contacts.models import ContactWindow, WindowHorizon
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Ephemeris, GroundStation, Spacecraft
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.orbits import contact_windows as orbits

# Computed beyond both ends, so that a pass on the seam of two horizons is whole.
_SEAM: Final = timedelta(hours=1)


class NoEphemerisError(RefusedError):
    """No orbital elements can be used for this spacecraft."""


def recompute_windows(
    *, spacecraft: Spacecraft, start: datetime, horizon: timedelta, at: datetime
) -> list[ContactWindow]:
    """Compute the windows that begin in [start, start + horizon) and replace the stored ones.

    Safe to run twice: the result replaces itself. Windows outside the interval
    stay as they are, so a rolling horizon joins without a seam.

    Args:
        spacecraft: Whose windows; every station with an active antenna is used.
        start: First instant, UTC.
        horizon: Length of the interval.
        at: Mission time, for the choice of the elements and as the stamp.

    Returns:
        The stored windows, by time; none when the elements were refused (the
        reason stands in the spacecraft's horizon).

    Raises:
        NoEphemerisError: nothing enabled and unexpired is loaded.
    """
    ephemeris = fleet.ephemeris_in_force(spacecraft, at)
    if ephemeris is None:
        raise NoEphemerisError(
            f"{spacecraft} has no enabled, unexpired orbital elements at "
            f"{at:%Y-%m-%d %H:%MZ}. Load some with the mission file."
        )
    stations = {station.name: station for station in fleet.stations_in_service()}
    end = start + horizon
    predicted = orbits.find_contact_windows(
        elements=[fleet.mean_elements(ephemeris)],
        sites=[fleet.site(station) for station in stations.values()],
        start=start - _SEAM,
        end=end + _SEAM,
    )
    windows = [
        _row(window, spacecraft, stations[window.site], ephemeris, at)
        for window in predicted
        if start <= window.aos < end or (window.clipped_start and window.los > start)
    ]
    windows.sort(key=lambda window: window.aos)
    _replace(
        windows,
        spacecraft=spacecraft,
        ephemeris=ephemeris,
        start=start,
        end=end,
        refusal="; ".join(refusal.reason for refusal in predicted.refused),
        at=at,
    )
    return windows


def _row(
    window: orbits.ContactWindow,
    spacecraft: Spacecraft,
    station: GroundStation,
    ephemeris: Ephemeris,
    at: datetime,
) -> ContactWindow:
    return ContactWindow(
        spacecraft=spacecraft,
        station=station,
        aos=window.aos,
        tca=window.tca,
        los=window.los,
        max_elevation_deg=window.max_elevation_deg,
        aos_azimuth_deg=window.aos_azimuth_deg,
        los_azimuth_deg=window.los_azimuth_deg,
        clipped_start=window.clipped_start,
        clipped_end=window.clipped_end,
        ephemeris=ephemeris,
        computed_at=at,
    )


@transaction.atomic
def _replace(
    windows: list[ContactWindow],
    *,
    spacecraft: Spacecraft,
    ephemeris: Ephemeris,
    start: datetime,
    end: datetime,
    refusal: str,
    at: datetime,
) -> None:
    Spacecraft.objects.select_for_update().get(pk=spacecraft.pk)  # one recomputation at a time
    first = min((window.aos for window in windows), default=start)
    ContactWindow.objects.filter(
        spacecraft=spacecraft, aos__gte=min(first, start), aos__lt=end
    ).delete()
    ContactWindow.objects.bulk_create(windows, batch_size=500)
    previous = WindowHorizon.objects.filter(spacecraft=spacecraft).first()
    joins = (
        previous is not None
        and previous.ephemeris_id == ephemeris.pk
        and previous.start <= start <= previous.end
    )
    WindowHorizon.objects.update_or_create(
        spacecraft=spacecraft,
        defaults={
            "start": previous.start if joins and previous is not None else start,
            "end": end,
            "ephemeris": ephemeris,
            "refusal": refusal,
            "computed_at": at,
        },
    )
    publish_after_commit({"type": "refresh", "part": "passes"})
