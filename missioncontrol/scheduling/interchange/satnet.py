"""Requests of the SatNet benchmark as a planning problem.

SatNet (Goh et al., 2021) publishes weeks of the Deep Space Network: each request asks
for a track of so many hours, at least so many, within view periods over antennas. A
name such as DSS-34_DSS-35 is an array: all its antennas are occupied.

Times are seconds since 1970, durations hours, set-up and tear-down minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from missioncontrol.scheduling.solver.problem import (
    Antenna,
    ContactRequest,
    MissionProfile,
    Opportunity,
    Outage,
    Problem,
    RequestKind,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SatNetError(ValueError):
    """A request cannot be read; the text names the request and the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """An interval in which an antenna is down."""

    antenna: str
    begins_s: float
    ends_s: float


def read_satnet(
    requests: Sequence[Mapping[str, Any]],
    maintenance: Iterable[Maintenance] = (),
    *,
    trim_step_s: float = 900.0,
) -> Problem:
    """Return one week of requests as a problem: each second tracked is worth one.

    Args:
        requests: The JSON list of one week.
        maintenance: When antennas are down.
        trim_step_s: On what grid within a view period tracks begin and end.

    Raises:
        SatNetError: A field is missing or is not what it should be.
        ProblemError: The problem contradicts itself.
    """
    if not requests:
        raise SatNetError("There are no requests; give the list of one week.")
    tracks = [_Track.of(one, place) for place, one in enumerate(requests)]
    antennas = sorted({name for track in tracks for path in track.views for name in path})
    return Problem(
        begins=min(track.begins for track in tracks),
        ends=max(track.ends for track in tracks),
        profiles=tuple(_profiles(tracks, trim_step_s)),
        antennas=tuple(Antenna(name=name, station=name) for name in antennas),
        opportunities=tuple(window for track in tracks for window in track.opportunities()),
        requests=tuple(track.request() for track in tracks),
        outages=tuple(
            Outage(
                resource=one.antenna,
                begins=_instant(one.begins_s),
                ends=_instant(one.ends_s),
                planned=True,
                reason="maintenance",
            )
            for one in maintenance
            if one.antenna in antennas
        ),
    )


@dataclass(frozen=True, slots=True)
class _Track:
    """One request, read."""

    id: str
    mission: str
    begins: datetime
    ends: datetime
    longest_s: float
    shortest_s: float
    setup_s: float
    teardown_s: float
    views: dict[tuple[str, ...], list[tuple[datetime, datetime]]]

    @classmethod
    def of(cls, record: Mapping[str, Any], place: int) -> _Track:
        try:
            return cls(
                id=str(record["track_id"]),
                mission=f"mission-{record['subject']}",
                begins=_instant(record["time_window_start"]),
                ends=_instant(record["time_window_end"]),
                longest_s=3600.0 * float(record["duration"]),
                shortest_s=3600.0 * float(record["duration_min"]),
                setup_s=60.0 * float(record["setup_time"]),
                teardown_s=60.0 * float(record["teardown_time"]),
                views={
                    tuple(name.split("_")): [
                        (_instant(view["TRX ON"]), _instant(view["TRX OFF"])) for view in views
                    ]
                    for name, views in record["resource_vp_dict"].items()
                },
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise SatNetError(f"Request {place} cannot be read: {error!r}.") from error

    @property
    def profile(self) -> str:
        return f"setup-{self.setup_s:g}-teardown-{self.teardown_s:g}"

    def opportunities(self) -> Iterator[Opportunity]:
        # A mission may be tracked twice at once: each request is a spacecraft of its own.
        for path, views in self.views.items():
            for number, (begins, ends) in enumerate(views):
                if begins < ends:
                    yield Opportunity(
                        id=f"{self.id}/{'_'.join(path)}/{number}",
                        spacecraft=self.id,
                        path=path,
                        begins=begins,
                        ends=ends,
                    )

    def request(self) -> ContactRequest:
        return ContactRequest(
            id=self.id,
            kind=RequestKind.DATA,
            spacecraft=self.id,
            owner=self.mission,
            profile=self.profile,
            earliest=self.begins,
            deadline=self.ends,
            minimum_duration_s=self.shortest_s,
            maximum_duration_s=self.longest_s,
            maximum_count=1,
            value_per_s=1.0,
        )


def _profiles(tracks: list[_Track], trim_step_s: float) -> Iterator[MissionProfile]:
    for name, track in sorted({track.profile: track for track in tracks}.items()):
        yield MissionProfile(
            name=name,
            pre_pass_s=track.setup_s,
            post_pass_s=track.teardown_s,
            trim_step_s=trim_step_s,
        )


def _instant(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=float(seconds))
