from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
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
    contacts_in_the_way,
    is_out,
    move_contact,
    put_contact,
)
from missioncontrol.scheduling.models import CongestionPrice, Contact, Plan
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
        bookings = _Bookings(plan, actor, at)
        bookings.make(document)
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
            "booked": bookings.booked,
            "kept": bookings.kept,
            "cancelled": bookings.cancelled,
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
    has_outages: bool

    @classmethod
    def read(cls, plan: Plan) -> _Fleet:
        profiles: dict[str, MissionProfile] = {}
        for profile in MissionProfile.objects.select_related("spacecraft"):
            profiles.setdefault(profile.spacecraft.name, profile)
        windows: defaultdict[tuple[str, int], list[ContactWindow]] = defaultdict(list)
        within = ContactWindow.objects.filter(los__gt=plan.begins, aos__lt=plan.ends)
        for window in within.select_related("spacecraft"):
            windows[window.spacecraft.name, window.station_id].append(window)
        antennas = Antenna.objects.select_related("station__owner")
        has_outages = bool(outages_within(plan.begins - _DAY, plan.ends + _DAY))
        relays = {one.name: one for one in relays_in_service().values()}
        return cls({one.name: one for one in antennas}, profiles, windows, relays, has_outages)

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


@dataclass(slots=True)
class _Bookings:
    """Makes the booked contacts those of a plan, and counts what it did."""

    plan: Plan
    actor: Operator
    at: datetime
    booked: int = 0
    kept: int = 0
    cancelled: int = 0
    left_out: list[dict[str, str]] = field(default_factory=list)
    carried: RelayLoad = field(default_factory=lambda: RelayLoad(()))

    def make(self, document: dict[str, Any]) -> None:
        wanted = {_key(one): one for one in document["plan"]["contacts"]}
        known = {_key(one) for one in document["problem"]["kept"]}
        booked = _booked_within(self.plan)
        self.carried = RelayLoad(booked)
        for contact in booked:
            key = _key_of(contact)
            if key in wanted:
                self._keep(contact, wanted.pop(key))
            elif key in known and self._has_not_begun(contact):
                self._cancel(contact, f"plan {self.plan.pk} needs it no longer")
        new = {key: one for key, one in wanted.items() if key not in known}
        for key in wanted.keys() - new.keys():
            self._leave_out(key, "it was cancelled since the plan was made")
        fleet = _Fleet.read(self.plan)
        for key, one in new.items():
            self._book(key, request_id_of(one["request"]), fleet)

    def _keep(self, contact: Contact, planned: dict[str, Any]) -> None:
        contact.plan_id, contact.request_id = self.plan.pk, request_id_of(planned["request"])
        contact.save(update_fields=["plan", "request"])
        self.kept += 1

    def _cancel(self, contact: Contact, why: str) -> None:
        move_contact(contact, Contact.State.CANCELLED, at=self.at, failure=why, actor=self.actor)
        self.carried.remove(contact)
        self.cancelled += 1

    def _book(self, key: _Key, request_id: int | None, fleet: _Fleet) -> None:
        spacecraft, path, aos, los = key
        antenna, relay = fleet.antennas[path[-1]], fleet.relays.get(relay_of(path) or "")
        profile = fleet.profiles.get(spacecraft)
        window = fleet.window(spacecraft, path, aos, los)
        if window is None or profile is None:
            return self._leave_out(key, "its window is gone")
        if aos - timedelta(seconds=profile.pre_pass_s) < self.at:
            return self._leave_out(key, "its pre-pass has begun")
        window.aos, window.los = aos, los  # as it was planned and approved
        if fleet.has_outages and is_out(antenna, profile, window, relay=relay):
            return self._leave_out(key, "an outage was declared since")
        if relay is not None and self.carried.is_full(relay, aos, los):
            return self._leave_out(key, f"{relay} carries as many contacts as it can")
        opposed = contacts_in_the_way(antenna, profile, window)
        if not all(self._gives_way(other) for other in opposed):
            return self._leave_out(key, "a contact that stays is in its way")
        for other in opposed:
            self._cancel(other, f"gives way to plan {self.plan.pk}")
        contact = put_contact(
            window,
            antenna,
            profile,
            actor=self.actor,
            at=self.at,
            plan_id=self.plan.pk,
            request_id=request_id,
            relay=relay,
        )
        self.carried.add(contact)
        self.booked += 1
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


def _booked_within(plan: Plan) -> list[Contact]:
    return list(
        Contact.objects.select_for_update(of=("self",))
        .exclude(state=Contact.State.CANCELLED)
        .filter(los__gt=plan.begins, aos__lt=plan.ends)
        .select_related("spacecraft", "antenna", "relay")
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
