from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import append_entry
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel.dispatch import send_after_commit
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.scheduling.bookings import (
    NEARBY,
    cancel_contacts,
    contact_of,
    put_contacts,
    set_in_rows,
)
from missioncontrol.scheduling.models import CongestionPrice, Contact, Plan
from missioncontrol.scheduling.occupancy import Occupancy
from missioncontrol.scheduling.plan_problem import request_id_of
from missioncontrol.scheduling.plan_relays import (
    RelayLoad,
    path_of,
    relay_of,
    relayed_window,
    relays_in_service,
)
from missioncontrol.scheduling.selectors import outages_within
from missioncontrol.scheduling.services.errors import PlanRefusedError
from missioncontrol.scheduling.services.plans import checked_document

_DAY: Final = timedelta(days=1)  # longer than what a contact occupies beside itself
_Key = tuple[str, tuple[str, ...], datetime, datetime]  # spacecraft, path, AOS, LOS


@transaction.atomic
def publish_plan(*, plan_id: int, actor: Operator, at: datetime) -> Plan:
    """Put an approved plan in force: book what it has, cancel what it drops.

    A contact that stays keeps its time, and one that has begun is left alone.
    What was booked since the plan was made gives way where it is in the way,
    unless it has begun. What cannot be booked any more is left out, with the
    reason (``left_out``).

    Raises:
        Plan.DoesNotExist: no such plan.
        NotPermittedError: no role of *actor* grants it.
        PlanRefusedError: it is not approved, over, altered, or another was published since.
    """
    plan = Plan.objects.select_for_update(of=("self",)).get(pk=plan_id)
    require(actor, Action.PLAN_PUBLISH, plan.organisation)
    with acting_for_everybody():  # contacts serve the requests of all members
        document = _publishable(plan, at)
        bookings = _Bookings(plan, at)
        bookings.decide(document)
        bookings.make(actor)
        Plan.objects.filter(state=Plan.State.PUBLISHED).update(state=Plan.State.SUPERSEDED)
        _replace_prices(document["plan"]["prices"])
    plan.state, plan.published_at, plan.left_out = Plan.State.PUBLISHED, at, bookings.left_out
    plan.save(update_fields=["state", "published_at", "left_out"])
    append_entry(
        action="plan.publish",
        subject=f"plan:{plan.pk}",
        actor=actor,
        at=at,
        organisation=plan.organisation.slug,
        details={
            "input_digest": plan.input_digest,
            "booked": len(bookings.booked),
            "kept": sum(map(len, bookings.kept.values())),
            "cancelled": sum(map(len, bookings.cancelled.values())),
            "left_out": len(bookings.left_out),
        },
    )
    publish_after_commit({"type": "refresh", "part": "plans"})
    send_after_commit("missioncontrol.reservations.tasks.keep_reservations")
    return plan


def _publishable(plan: Plan, at: datetime) -> dict[str, Any]:
    if plan.state != Plan.State.APPROVED:
        raise PlanRefusedError(
            f"Plan {plan.pk} {plan.get_state_display()}; only an approved one is published."
        )
    if plan.ends <= at:
        raise PlanRefusedError(
            f"Plan {plan.pk} ended at {plan.ends:%Y-%m-%d %H:%MZ}; propose another."
        )
    newer = Plan.objects.filter(state=Plan.State.PUBLISHED).first()
    if newer is not None and newer.pk != plan.base_id:
        raise PlanRefusedError(
            f"Plan {newer.pk} was published since plan {plan.pk} was made, which does not know "
            "of it. Propose another."
        )
    return checked_document(plan)


@dataclass(frozen=True, slots=True)
class _Fleet:
    """What contacts are booked with, read once: a plan may have thousands."""

    antennas: dict[str, Antenna]
    profiles: dict[str, MissionProfile]  # by spacecraft, the first by name
    windows: dict[tuple[str, int], list[ContactWindow]]  # by spacecraft and station, by AOS
    relays: dict[str, Spacecraft]

    @classmethod
    def read(cls, plan: Plan) -> _Fleet:
        profiles: dict[str, MissionProfile] = {}
        for profile in MissionProfile.objects.select_related("spacecraft"):
            profiles.setdefault(profile.spacecraft.name, profile)
        windows: defaultdict[tuple[str, int], list[ContactWindow]] = defaultdict(list)
        within = ContactWindow.objects.filter(los__gt=plan.begins, aos__lt=plan.ends)
        # Thousands of few spacecraft: each is one object for all of its windows.
        for window in within.prefetch_related("spacecraft"):
            windows[window.spacecraft.name, window.station_id].append(window)
        antennas = Antenna.objects.select_related("station__owner")
        relays = {one.name: one for one in relays_in_service().values()}
        return cls({one.name: one for one in antennas}, profiles, windows, relays)

    def window(
        self, spacecraft: str, path: tuple[str, ...], aos: datetime, los: datetime
    ) -> ContactWindow | None:
        """Return the window that a planned contact lies in, or that has moved since."""
        station, over = self.antennas[path[-1]].station, relay_of(path)
        if over is not None:
            relay = self.relays.get(over)
            if relay is None:  # it carries nobody any more
                return None
            return relayed_window(spacecraft, relay, station, aos, los)
        return next(
            (
                window
                for window in self.windows.get((spacecraft, station.pk), ())
                if window.aos < los and window.los > aos
            ),
            None,
        )


class _Bookings:
    """Makes the booked contacts those of a plan: all is decided first, then done at once."""

    def __init__(self, plan: Plan, at: datetime) -> None:
        self.plan, self.at = plan, at
        booked = _booked_about(plan)
        self._within = [one for one in booked if one.los > plan.begins and one.aos < plan.ends]
        self._occupancy = Occupancy(booked, outages_within(plan.begins - _DAY, plan.ends + _DAY))
        self._carried = RelayLoad(booked)
        self._fleet = _Fleet.read(plan)
        self.kept: defaultdict[int | None, list[Contact]] = defaultdict(list)  # by request
        self.cancelled: defaultdict[str, list[Contact]] = defaultdict(list)  # by reason
        self.booked: list[Contact] = []
        self.left_out: list[dict[str, str]] = []

    def decide(self, document: dict[str, Any]) -> None:
        """Decide what becomes of every contact, booked or planned."""
        wanted = {_key(one): one for one in document["plan"]["contacts"]}
        known = {_key(one) for one in document["problem"]["kept"]}
        for contact in self._within:
            key = _key_of(contact)
            if key in wanted:
                contact.plan_id = self.plan.pk  # so that it gives way to nothing
                self.kept[request_id_of(wanted.pop(key)["request"])].append(contact)
            elif key in known and self._has_not_begun(contact):
                self._cancel(contact, f"plan {self.plan.pk} needs it no longer")
        new = {key: one for key, one in wanted.items() if key not in known}
        for key in wanted.keys() - new.keys():
            self._leave_out(key, "it was cancelled since the plan was made")
        for key, one in new.items():
            self._book(key, request_id_of(one["request"]))

    def make(self, actor: Operator) -> None:
        """Do what was decided. What is cancelled makes room for what is booked."""
        for why, contacts in self.cancelled.items():
            cancel_contacts(contacts, why=why, actor=actor, at=self.at)
        for request_id, contacts in self.kept.items():
            set_in_rows(contacts, plan=self.plan, request=request_id)
        put_contacts(self.booked, actor=actor, at=self.at)

    def _cancel(self, contact: Contact, why: str) -> None:
        self._occupancy.remove(contact)
        self._carried.remove(contact)
        self.cancelled[why].append(contact)

    def _book(self, key: _Key, request_id: int | None) -> None:
        spacecraft, path, aos, los = key
        fleet = self._fleet
        antenna, relay = fleet.antennas[path[-1]], fleet.relays.get(relay_of(path) or "")
        profile = fleet.profiles.get(spacecraft)
        window = fleet.window(spacecraft, path, aos, los)
        if window is None or profile is None:
            return self._leave_out(key, "its window is gone")
        if aos - timedelta(seconds=profile.pre_pass_s) < self.at:
            return self._leave_out(key, "its pre-pass has begun")
        window.aos, window.los = aos, los  # as it was planned and approved
        if self._occupancy.is_out(antenna, profile, window, relay=relay):
            return self._leave_out(key, "an outage was declared since")
        if relay is not None and self._carried.is_full(relay, aos, los):
            return self._leave_out(key, f"{relay} carries as many contacts as it can")
        opposed = self._occupancy.in_the_way(antenna, profile, window)
        if not all(self._gives_way(other) for other in opposed):
            return self._leave_out(key, "a contact that stays is in its way")
        for other in opposed:
            self._cancel(other, f"gives way to plan {self.plan.pk}")
        contact = contact_of(
            window,
            antenna,
            profile,
            at=self.at,
            plan_id=self.plan.pk,
            request_id=request_id,
            relay=relay,
        )
        self._occupancy.add(contact)
        self._carried.add(contact)
        self.booked.append(contact)
        return None

    def _leave_out(self, key: _Key, why: str) -> None:
        spacecraft, path, aos, _ = key
        self.left_out.append(
            {
                "spacecraft": spacecraft,
                "antenna": " → ".join(path),
                "aos": aos.isoformat(),
                "why": why,
            }
        )

    def _gives_way(self, contact: Contact) -> bool:
        """Return whether a contact was booked by itself, since the plan was made."""
        return contact.plan_id is None and self._has_not_begun(contact)

    def _has_not_begun(self, contact: Contact) -> bool:
        pre_pass = contact.aos - timedelta(seconds=contact.pre_pass_s)
        return contact.state == Contact.State.SCHEDULED and pre_pass > self.at


def _booked_about(plan: Plan) -> list[Contact]:
    """Return the contacts within a plan's horizon, and those that reach near it."""
    return list(
        Contact.objects.select_for_update(of=("self",))
        .exclude(state=Contact.State.CANCELLED)
        .filter(los__gt=plan.begins - 2 * NEARBY, aos__lt=plan.ends + 2 * NEARBY)
        .prefetch_related("spacecraft", "antenna__station__owner", "relay")
    )


def _key(planned: dict[str, Any]) -> _Key:
    begins, ends = (datetime.fromisoformat(planned[name]) for name in ("begins", "ends"))
    return planned["spacecraft"], tuple(planned["path"]), begins, ends


def _key_of(contact: Contact) -> _Key:
    return contact.spacecraft.name, path_of(contact), contact.aos, contact.los


def _replace_prices(prices: Iterable[dict[str, Any]]) -> None:
    antennas = dict(Antenna.objects.values_list("name", "pk"))
    CongestionPrice.objects.all().delete()
    CongestionPrice.objects.bulk_create(
        CongestionPrice(
            antenna_id=antennas[one["antenna"]],
            begins=datetime.fromisoformat(one["begins"]),
            ends=datetime.fromisoformat(one["ends"]),
            price=one["price"],
        )
        for one in prices
        if one["antenna"] in antennas
    )
