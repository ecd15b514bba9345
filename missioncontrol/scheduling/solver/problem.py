"""What a plan is made from: antennas, windows, requests, and what is settled already.

Names are the caller's; the solver compares them and nothing more. All instants
are aware UTC. A :class:`Problem` checks itself, so that everything behind it can
rely on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from missioncontrol.scheduling.solver.pins import Pin, pin_faults

HIGHEST_PRIORITY: Final = 1
LOWEST_PRIORITY: Final = 5
_SHOWN: Final = 20  # faults listed in one error


class ProblemError(ValueError):
    """The problem contradicts itself; the text lists what, and what is allowed."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        shown = self.faults[:_SHOWN]
        if len(self.faults) > _SHOWN:
            shown.append(f"... and {len(self.faults) - _SHOWN} more")
        super().__init__("The planning problem is wrong:\n" + "\n".join(shown))


class RequestKind(StrEnum):
    """What a contact is wanted for."""

    TTC = "TTC"  # telemetry, tracking and command
    DATA = "DATA"  # results and recorded data down
    UPLINK = "UPLINK"  # job inputs up


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionProfile:
    """How much time a contact has around it, how short it may be, and whether it is trimmed.

    A window is taken whole where ``trim_step_s`` is None. Otherwise a contact may
    begin whole steps after the window's begin and end whole steps before its end,
    down to ``minimum_contact_s``.
    """

    name: str
    pre_pass_s: float = 0.0
    post_pass_s: float = 0.0
    minimum_contact_s: float = 0.0  # the minimum viable contact
    trim_step_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Antenna:
    """What a contact occupies: an antenna, or the links of a relay spacecraft.

    ``capacity`` is how many contacts it carries at once: 1 for an antenna.
    """

    name: str
    station: str  # or the relay's own name
    setup_s: float = 0.0
    teardown_s: float = 0.0
    capacity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """One window of one spacecraft over one antenna, or along a path of several.

    A path of two hops (spacecraft, relay, station) names the relay and the
    antenna; all of them are occupied. ``quality`` scales what a contact is worth.
    """

    id: str
    spacecraft: str
    path: tuple[str, ...]  # antennas and relays
    begins: datetime
    ends: datetime
    quality: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRequest:
    """What somebody wants of one spacecraft. A contact is booked for one request.

    A contact of it is worth ``weight * quality * (value + value_per_s * seconds)``;
    each contact missing from ``minimum_count`` costs ``weight * missing_cost``.
    Where it is ``shared``, any contact of the spacecraft that meets its terms counts
    towards the minimum, whoever it is booked for: housekeeping rides along.
    """

    id: str
    kind: RequestKind
    spacecraft: str
    owner: str
    profile: str
    priority: int = LOWEST_PRIORITY
    earliest: datetime  # a contact begins no sooner
    latest: datetime | None = None  # and no later
    deadline: datetime  # and ends no later
    minimum_duration_s: float = 0.0
    maximum_duration_s: float | None = None
    minimum_count: int = 0
    maximum_count: int | None = None
    value: float = 0.0
    value_per_s: float = 0.0
    missing_cost: float = 0.0
    shared: bool = False
    antennas: frozenset[str] | None = None  # those allowed; None for all

    @property
    def weight(self) -> int:
        """Each step of priority doubles what a contact is worth."""
        return 1 << (LOWEST_PRIORITY - self.priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The share that a member is entitled to, and what a second less of it costs.

    ``had_s`` is what it has had before, which its share comes of; to readers only.
    """

    name: str
    entitled_s: float
    cost_per_missing_s: float
    had_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """An antenna, a relay or a spacecraft that serves nobody for a while."""

    resource: str
    begins: datetime
    ends: datetime
    planned: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A window, or a part of it, given to a request; it bears its window's id."""

    id: str
    request: str
    spacecraft: str
    path: tuple[str, ...]
    begins: datetime
    ends: datetime

    @property
    def duration_s(self) -> float:
        return (self.ends - self.begins).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptContact:
    """A contact of the running plan. It keeps its time, also where its window moved.

    ``bonus`` is what it is worth more when it stays exactly as it is; ``frozen``
    says that it must stay, unless an outage hits it.
    """

    contact: Contact
    bonus: float = 0.0
    frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything that one plan depends on.

    Raises:
        ProblemError: A name twice, or one that is not defined; a number or an
            interval outside what is allowed.
    """

    begins: datetime
    ends: datetime
    profiles: tuple[MissionProfile, ...]
    antennas: tuple[Antenna, ...]
    opportunities: tuple[Opportunity, ...]
    requests: tuple[ContactRequest, ...]
    members: tuple[Member, ...] = ()
    outages: tuple[Outage, ...] = ()
    kept: tuple[KeptContact, ...] = ()
    pins: tuple[Pin, ...] = ()

    def __post_init__(self) -> None:
        faults = [*_faults(self)]
        if faults:
            raise ProblemError(faults)


def _faults(problem: Problem) -> Iterator[str]:
    yield from _interval_faults("The horizon", problem.begins, problem.ends)
    for kind, names in (
        ("Profile", [one.name for one in problem.profiles]),
        ("Antenna", [one.name for one in problem.antennas]),
        ("Opportunity", [one.id for one in problem.opportunities]),
        ("Request", [one.id for one in problem.requests]),
        ("Member", [one.name for one in problem.members]),
        ("Kept contact", [one.contact.id for one in problem.kept]),
    ):
        if len(set(names)) < len(names):
            yield from (f"{kind} {name} is there twice." for name in _repeated(names))
    for profile in problem.profiles:
        yield from _profile_faults(profile)
    for antenna in problem.antennas:
        yield from _antenna_faults(antenna)
    antennas = {one.name for one in problem.antennas}
    for opportunity in problem.opportunities:
        yield from _opportunity_faults(opportunity, antennas)
    profiles = {one.name: one for one in problem.profiles}
    for request in problem.requests:
        yield from _request_faults(request, profiles, antennas)
    yield from _settled_faults(problem, antennas)


def _repeated(names: list[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _interval_faults(what: str, begins: datetime, ends: datetime) -> Iterator[str]:
    if begins.tzinfo is None or ends.tzinfo is None:
        yield f"{what} has a time without a zone; give UTC."
    elif ends <= begins:
        yield f"{what} ends at {ends.isoformat()}, not after its begin {begins.isoformat()}."


def _number_faults(what: str, **numbers: float | None) -> Iterator[str]:
    for name, number in numbers.items():
        if number is not None and not (math.isfinite(number) and number >= 0.0):
            yield f"{what}: {name} is {number}; it must be a number of 0 or more."


def _profile_faults(profile: MissionProfile) -> Iterator[str]:
    yield from _number_faults(
        f"Profile {profile.name}",
        pre_pass_s=profile.pre_pass_s,
        post_pass_s=profile.post_pass_s,
        minimum_contact_s=profile.minimum_contact_s,
    )
    if profile.trim_step_s is not None and not profile.trim_step_s >= 1.0:
        yield f"Profile {profile.name}: trim_step_s is {profile.trim_step_s}; give 1 s or more."


def _antenna_faults(antenna: Antenna) -> Iterator[str]:
    yield from _number_faults(
        f"Antenna {antenna.name}", setup_s=antenna.setup_s, teardown_s=antenna.teardown_s
    )
    if antenna.capacity < 1:
        yield f"Antenna {antenna.name}: capacity is {antenna.capacity}; give 1 or more."


def _opportunity_faults(opportunity: Opportunity, antennas: set[str]) -> Iterator[str]:
    # The common case first: there may be many thousands.
    path = opportunity.path
    if not path or len(set(path)) < len(path) or not antennas.issuperset(path):
        yield (
            f"Opportunity {opportunity.id} has the path {', '.join(path) or 'nothing'}; "
            "name one or more antennas of the problem, each once."
        )
    if opportunity.begins.tzinfo is None or opportunity.ends <= opportunity.begins:
        yield from _interval_faults(
            f"Opportunity {opportunity.id}", opportunity.begins, opportunity.ends
        )
    if not 0.0 <= opportunity.quality <= 1.0:
        yield (
            f"Opportunity {opportunity.id}: quality is {opportunity.quality}; "
            "it must lie in 0 to 1."
        )


def _request_faults(
    request: ContactRequest, profiles: dict[str, MissionProfile], antennas: set[str]
) -> Iterator[str]:
    what = f"Request {request.id}"
    yield from _interval_faults(what, request.earliest, request.deadline)
    yield from _number_faults(
        what,
        minimum_duration_s=request.minimum_duration_s,
        maximum_duration_s=request.maximum_duration_s,
        value=request.value,
        value_per_s=request.value_per_s,
        missing_cost=request.missing_cost,
    )
    if not HIGHEST_PRIORITY <= request.priority <= LOWEST_PRIORITY:
        yield (
            f"{what}: priority is {request.priority}; it goes from {HIGHEST_PRIORITY}, "
            f"the highest, to {LOWEST_PRIORITY}."
        )
    yield from _count_faults(what, request)
    if request.profile not in profiles:
        yield f"{what} names the profile {request.profile}, which is not in the problem."
    elif request.maximum_duration_s is not None and profiles[request.profile].trim_step_s is None:
        yield (
            f"{what} has maximum_duration_s; its profile {request.profile} needs trim_step_s, "
            "since its windows cannot be taken whole."
        )
    if request.antennas is not None and not request.antennas <= antennas:
        unknown = ", ".join(sorted(request.antennas - antennas))
        yield f"{what} allows the antennas {unknown}, which are not in the problem."


def _count_faults(what: str, request: ContactRequest) -> Iterator[str]:
    if request.minimum_count < 0:
        yield f"{what}: minimum_count is {request.minimum_count}; give 0 or more."
    if request.maximum_count is not None and request.maximum_count < max(1, request.minimum_count):
        yield (
            f"{what}: maximum_count is {request.maximum_count}; give 1 or more, "
            f"and no less than minimum_count, {request.minimum_count}."
        )
    longest = request.maximum_duration_s
    if longest is not None and longest < request.minimum_duration_s:
        yield (
            f"{what}: maximum_duration_s is {longest:g}, "
            f"less than minimum_duration_s, {request.minimum_duration_s:g}."
        )


def _settled_faults(problem: Problem, antennas: set[str]) -> Iterator[str]:
    """Yield what is wrong with members, outages and kept contacts."""
    for member in problem.members:
        yield from _number_faults(
            f"Member {member.name}",
            entitled_s=member.entitled_s,
            cost_per_missing_s=member.cost_per_missing_s,
            had_s=member.had_s,
        )
    spacecraft = {one.spacecraft for one in problem.opportunities}
    spacecraft |= {one.spacecraft for one in problem.requests}
    for name in sorted(spacecraft & antennas):
        yield f"{name} is the name of a spacecraft and of an antenna; an outage could mean both."
    for outage in problem.outages:
        yield from _interval_faults(f"The outage of {outage.resource}", outage.begins, outage.ends)
        if outage.resource not in antennas and outage.resource not in spacecraft:
            yield f"There is an outage of {outage.resource}, which is not in the problem."
    asked = {one.id: one for one in problem.requests}
    for kept in problem.kept:
        yield from _kept_faults(kept, asked, antennas)
    windows = {one.id: one.spacecraft for one in problem.opportunities if problem.pins}
    windows |= {one.contact.id: one.contact.spacecraft for one in problem.kept if problem.pins}
    yield from pin_faults(
        problem.pins, windows, {name: one.spacecraft for name, one in asked.items()}
    )


def _kept_faults(
    kept: KeptContact, asked: dict[str, ContactRequest], antennas: set[str]
) -> Iterator[str]:
    contact = kept.contact
    what = f"Kept contact {contact.id}"
    yield from _interval_faults(what, contact.begins, contact.ends)
    yield from _number_faults(what, bonus=kept.bonus)
    request = asked.get(contact.request)
    if request is None:
        yield f"{what} is for the request {contact.request}, which is not in the problem."
    elif request.spacecraft != contact.spacecraft:
        yield (
            f"{what} is of {contact.spacecraft}, but its request {request.id} "
            f"is for {request.spacecraft}."
        )
    if not contact.path or not antennas.issuperset(contact.path):
        yield (
            f"{what} has the path {', '.join(contact.path) or 'nothing'}; "
            "name one or more antennas of the problem."
        )
