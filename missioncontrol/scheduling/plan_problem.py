"""The planning problem that the rows pose: windows, requests, outages, what is booked.

A contact request asks for itself. Beside them each spacecraft with a mission
profile has a standing request, worth less than any other: what nobody asked
for is booked for housekeeping, as the product does without a plan.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Count, Q

from missioncontrol.contacts.models import ContactWindow, RelayPath, WindowHorizon
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.models import IN_PROGRESS, Contact, ContactRequest
from missioncontrol.scheduling.plan_relays import (
    path_of,
    paths_within,
    relay_in_words,
    relay_resource,
    relays_in_service,
)
from missioncontrol.scheduling.plan_shares import seconds_had, with_shares
from missioncontrol.scheduling.solver import problem as words
from missioncontrol.scheduling.solver.repair import keep_running_plan

FROZEN_FOR: Final = timedelta(minutes=10)  # an executor may take up what begins sooner
_STANDING: Final = "standing"
_STANDING_VALUE_PER_S: Final = 1 / 60
_LOWEST_QUALITY: Final = 0.05
_Place = tuple[str, tuple[str, ...]]  # spacecraft, path
_BOOKED: Final = (Contact.State.SCHEDULED, *IN_PROGRESS)


def windows_known_until() -> datetime | None:
    """Return until when the windows of every spacecraft in service are computed."""
    return (
        WindowHorizon.objects.filter(spacecraft__active=True)
        .order_by("end")
        .values_list("end", flat=True)
        .first()
    )


def build_problem(*, begins: datetime, ends: datetime, keeping_share: float) -> words.Problem:
    """Return what a plan for [begins, ends) is to answer.

    Args:
        begins: Mission time: what has begun before is settled.
        ends: End of the horizon.
        keeping_share: What a booked contact brings by staying, as a share of its worth.

    Raises:
        ProblemError: the rows contradict themselves; the text says where.
    """
    rows = _Rows.read(begins, ends)
    problem = words.Problem(
        begins=begins,
        ends=ends,
        profiles=tuple(rows.profiles_in_words()),
        antennas=tuple(rows.antennas_in_words()),
        opportunities=tuple(rows.opportunities()),
        requests=tuple(rows.requests_in_words()),
    )
    problem = replace(problem, outages=tuple(rows.outages_in_words(problem)))
    contacts, frozen = rows.booked_in_words(problem)
    problem = keep_running_plan(problem, contacts, bonus_share=keeping_share)
    kept = tuple(replace(one, frozen=one.contact.id in frozen) for one in problem.kept)
    problem = replace(problem, kept=kept)
    if keeping_share >= 1.0:
        return problem  # a repair moves nothing for a share; the next plan sees to it
    asked = {one.id: one.owner for one in problem.requests if request_id_of(one.id) is not None}
    return with_shares(problem, members=asked, had_s=seconds_had(begins))


def window_id(spacecraft: str, path: str, aos: datetime) -> str:
    """Return how a plan names a window on an antenna; it stays when windows are recomputed."""
    return f"{spacecraft}/{path}/{aos:%Y%m%dT%H%M%SZ}"


def request_id_of(name: str) -> int | None:
    """Return the row behind a request of a problem; None for a standing one."""
    kind, _, key = name.partition(":")
    return int(key) if kind == "request" else None


def request_text(name: str) -> str:
    """Return a request of a problem as a reader says it."""
    key = request_id_of(name)
    return "housekeeping" if key is None else f"request {key}"


class _Window(NamedTuple):
    """What a plan needs of a contact window; there may be many thousands."""

    spacecraft_id: int
    station_id: int
    aos: datetime
    los: datetime
    max_elevation_deg: float


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is read of the database before anything is computed."""

    begins: datetime
    ends: datetime
    profiles: dict[int, MissionProfile]  # by spacecraft, the first by name
    antennas: dict[int, Antenna]  # those in service, and those of booked contacts
    in_service: dict[int, list[Antenna]]  # by station
    windows: list[_Window]
    relays: dict[int, Spacecraft]  # those in service, and those of booked contacts
    paths: list[RelayPath]
    requests: list[ContactRequest]
    booked: list[Contact]

    @classmethod
    def read(cls, begins: datetime, ends: datetime) -> _Rows:
        active = {craft.pk for craft in fleet.active_spacecraft()}
        profiles: dict[int, MissionProfile] = {}
        for profile in MissionProfile.objects.select_related("spacecraft__organisation"):
            profiles.setdefault(profile.spacecraft_id, profile)
        booked = list(
            Contact.objects.filter(
                los__gt=begins, aos__lt=ends, state__in=_BOOKED, spacecraft__in=profiles
            )
            # Thousands of few antennas and spacecraft: each is one object for all.
            .prefetch_related("spacecraft", "antenna__station", "relay")
            .only("spacecraft", "antenna", "relay", "request", "state", "aos", "los", "pre_pass_s")
            .order_by("aos")
        )
        antennas = {one.pk: one for one in fleet.active_antennas()}
        in_service: defaultdict[int, list[Antenna]] = defaultdict(list)
        for antenna in antennas.values():
            in_service[antenna.station_id].append(antenna)
        windows = (
            ContactWindow.objects.filter(
                aos__gte=begins, los__lte=ends, spacecraft__in=active & profiles.keys()
            )
            .order_by("aos")
            .values_list(*_Window._fields)
        )
        relays = relays_in_service()
        return cls(
            begins,
            ends,
            profiles,
            antennas | {one.antenna_id: one.antenna for one in booked},
            dict(in_service),
            [_Window(*one) for one in windows],
            relays | {one.relay.pk: one.relay for one in booked if one.relay is not None},
            paths_within(begins, ends, spacecraft=active & profiles.keys(), relays=relays),
            _open_requests(begins, ends, active & profiles.keys()),
            booked,
        )

    def profiles_in_words(self) -> Iterator[words.MissionProfile]:
        for profile in self.profiles.values():
            yield words.MissionProfile(
                name=profile.name,
                pre_pass_s=profile.pre_pass_s,
                post_pass_s=profile.post_pass_s,
                minimum_contact_s=profile.minimum_contact_s,
            )

    def antennas_in_words(self) -> Iterator[words.Antenna]:
        for antenna in self.antennas.values():
            yield words.Antenna(
                name=antenna.name,
                station=antenna.station.name,
                setup_s=antenna.setup_s,
                teardown_s=antenna.teardown_s,
            )
        yield from map(relay_in_words, self.relays.values())

    def opportunities(self) -> Iterator[words.Opportunity]:
        for window in self.windows:
            yield from self._opportunities_of(window)
        for path in self.paths:
            yield from self._opportunities_of(
                path, relay=(relay_resource(self.relays[path.relay_id].name),)
            )

    def _opportunities_of(
        self, window: _Window | RelayPath, *, relay: tuple[str, ...] = ()
    ) -> Iterator[words.Opportunity]:
        """Yield a window over each antenna of its station."""
        profile = self.profiles[window.spacecraft_id]
        if window.aos - timedelta(seconds=profile.pre_pass_s) < self.begins:
            return
        name = profile.spacecraft.name
        for antenna in self.in_service.get(window.station_id, ()):
            path = (*relay, antenna.name)
            yield words.Opportunity(
                id=window_id(name, "/".join(path), window.aos),
                spacecraft=name,
                path=path,
                begins=window.aos,
                ends=window.los,
                # A high pass is near, and clear of what stands on the horizon.
                quality=max(_LOWEST_QUALITY, math.sin(math.radians(window.max_elevation_deg))),
            )

    def requests_in_words(self) -> Iterator[words.ContactRequest]:
        for profile in self.profiles.values():
            yield self._standing(profile)
        for request in self.requests:
            wanted = _still_wanted(request)
            if wanted is not None:
                yield words.ContactRequest(
                    id=f"request:{request.pk}",
                    kind=words.RequestKind(request.kind),
                    spacecraft=request.spacecraft.name,
                    owner=request.organisation.slug,
                    profile=self.profiles[request.spacecraft_id].name,
                    priority=request.priority,
                    earliest=request.earliest,
                    latest=request.latest,
                    deadline=request.deadline,
                    minimum_duration_s=request.minimum_duration_s,
                    minimum_count=wanted[0],
                    maximum_count=wanted[1],
                    value=request.value,
                    value_per_s=request.value_per_s,
                    missing_cost=request.missing_cost,
                    # Housekeeping rides along with whatever contact there is.
                    shared=request.kind == ContactRequest.Kind.TTC,
                )

    def _standing(self, profile: MissionProfile) -> words.ContactRequest:
        return words.ContactRequest(
            id=f"{_STANDING}:{profile.spacecraft.name}",
            kind=words.RequestKind.TTC,
            spacecraft=profile.spacecraft.name,
            owner=profile.spacecraft.organisation.slug,
            profile=profile.name,
            earliest=self.begins,
            deadline=self.ends,
            value_per_s=_STANDING_VALUE_PER_S,
            shared=True,
        )

    def outages_in_words(self, problem: words.Problem) -> Iterator[words.Outage]:
        known = {one.name for one in problem.antennas} | {
            one.spacecraft for one in problem.requests
        }
        for outage in selectors.outages_within(self.begins, self.ends):
            # Of a relay it is one of what it carries for others too.
            for resource in (outage.resource, relay_resource(outage.resource)):
                if resource not in known:
                    continue
                yield words.Outage(
                    resource=resource,
                    begins=outage.begins,
                    ends=outage.ends,
                    planned=outage.planned,
                    reason=outage.reason,
                )

    def booked_in_words(
        self, problem: words.Problem
    ) -> tuple[list[words.Contact], frozenset[str]]:
        """Return the booked contacts, and the names of those that must stay."""
        asked = {one.id: one for one in problem.requests}
        windows = _by_path(problem.opportunities)
        contacts: dict[str, words.Contact] = {}
        frozen = set()
        for row in self.booked:
            name = _window_of(row, windows)
            if name in contacts:
                name = f"contact:{row.pk}"
            request = f"request:{row.request_id}"
            known = row.request_id is not None and request in asked
            contacts[name] = words.Contact(
                id=name,
                request=request if known else f"{_STANDING}:{row.spacecraft.name}",
                spacecraft=row.spacecraft.name,
                path=path_of(row),
                begins=row.aos,
                ends=row.los,
            )
            if self._must_stay(row):
                frozen.add(name)
        return list(contacts.values()), frozenset(frozen)

    def _must_stay(self, contact: Contact) -> bool:
        pre_pass = contact.aos - timedelta(seconds=contact.pre_pass_s)
        return (
            contact.state != Contact.State.SCHEDULED
            or pre_pass <= self.begins + FROZEN_FOR
            or contact.los > self.ends
        )


def _open_requests(
    begins: datetime, ends: datetime, spacecraft: Iterable[int]
) -> list[ContactRequest]:
    """Return what is asked for, each with its contacts outside the horizon (``served``)."""
    elsewhere = Q(contacts__los__lte=begins) | Q(contacts__aos__gte=ends)
    over = Q(contacts__state__in=["FAILED", "MISSED", "CANCELLED"])
    return list(
        ContactRequest.objects.filter(
            state=ContactRequest.State.OPEN,
            deadline__gt=begins,
            earliest__lt=ends,
            spacecraft__in=spacecraft,
        )
        .annotate(served=Count("contacts", filter=elsewhere & ~over))
        .select_related("organisation", "spacecraft")
        .order_by("pk")
    )


def _still_wanted(request: ContactRequest) -> tuple[int, int] | None:
    """Return the least and the greatest count within the horizon; None: it has enough."""
    served: int = getattr(request, "served", 0)
    most = request.maximum_count - served
    if most < 1:
        return None
    return max(0, request.minimum_count - served), most


def _by_path(opportunities: Iterable[words.Opportunity]) -> dict[_Place, list[words.Opportunity]]:
    found: defaultdict[_Place, list[words.Opportunity]] = defaultdict(list)
    for one in opportunities:
        found[one.spacecraft, one.path].append(one)
    return found


def _window_of(row: Contact, windows: dict[_Place, list[words.Opportunity]]) -> str:
    """Return the window that a contact was booked on, also where that has moved since."""
    spacecraft, path = row.spacecraft.name, path_of(row)
    for window in windows.get((spacecraft, path), ()):
        if window.begins < row.los and window.ends > row.aos:
            return window.id
    return window_id(spacecraft, "/".join(path), row.aos)
