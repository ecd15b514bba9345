"""Contacts put into rows and moved from state to state: what services share.

Called inside a service's transaction. An antenna is occupied from set-up to
tear-down; the longer of set-up and pre-pass counts, and of tear-down and
post-pass, as in ``solver/problem.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from missioncontrol.accounts.models import Operator
from missioncontrol.audit.services import PublicFact, append_entries, append_entry
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.scheduling.models import TRANSITIONS, Contact, Outage

# The mission file allows no longer set-up, tear-down, pre-pass or post-pass.
NEARBY: Final = timedelta(hours=1)
_ROWS_AT_ONCE: Final = 500  # databases take no more values in one statement than some hundreds


def put_contact(
    window: ContactWindow,
    antenna: Antenna,
    profile: MissionProfile,
    *,
    actor: Operator | str,
    at: datetime,
    plan_id: int | None = None,
    request_id: int | None = None,
) -> Contact:
    """Book a window on an antenna that is free."""
    contact = contact_of(window, antenna, profile, at=at, plan_id=plan_id, request_id=request_id)
    return put_contacts([contact], actor=actor, at=at)[0]


def contact_of(
    window: ContactWindow,
    antenna: Antenna,
    profile: MissionProfile,
    *,
    at: datetime,
    plan_id: int | None,
    request_id: int | None,
    relay: Spacecraft | None = None,
) -> Contact:
    """Return a window on an antenna as a contact, which is in no row yet; maybe over a relay."""
    return Contact(
        spacecraft=window.spacecraft,
        antenna=antenna,
        relay=relay,
        profile=profile,
        aos=window.aos,
        tca=window.tca,
        los=window.los,
        max_elevation_deg=window.max_elevation_deg,
        aos_azimuth_deg=window.aos_azimuth_deg,
        los_azimuth_deg=window.los_azimuth_deg,
        pre_pass_s=profile.pre_pass_s,
        post_pass_s=profile.post_pass_s,
        booked_at=at,
        plan_id=plan_id,
        request_id=request_id,
    )


def put_contacts(
    contacts: Iterable[Contact], *, actor: Operator | str, at: datetime
) -> list[Contact]:
    """Book contacts on antennas that are free for them, all at once."""
    booked = Contact.objects.bulk_create(contacts)
    append_entries(map(_booking, booked), actor=actor, at=at)
    publish_after_commit({"type": "refresh", "part": "passes"})
    return booked


def _booking(contact: Contact) -> PublicFact:
    return PublicFact(
        action="contact.book",
        subject=f"contact:{contact.pk}",
        organisation=contact.antenna.station.owner.slug,
        details={
            "spacecraft": contact.spacecraft.name,
            "antenna": contact.antenna.name,
            **({"relay": contact.relay.name} if contact.relay is not None else {}),
            "aos": contact.aos.isoformat(),
            "los": contact.los.isoformat(),
        },
    )


def cancel_contacts(
    contacts: Iterable[Contact], *, why: str, actor: Operator | str, at: datetime
) -> None:
    """Cancel scheduled contacts for one reason, all at once."""
    cancelled = [*contacts]
    set_in_rows(cancelled, state=Contact.State.CANCELLED, failure=why, ended_at=at)
    append_entries(
        (
            PublicFact(
                action="contact.cancelled",
                subject=f"contact:{one.pk}",
                details={
                    "was": one.state,
                    "spacecraft": one.spacecraft.name,
                    "failure": why,
                },
            )
            for one in cancelled
        ),
        actor=actor,
        at=at,
    )
    for part in ("passes", "now"):
        publish_after_commit({"type": "refresh", "part": part})


def set_in_rows(contacts: Iterable[Contact], **values: Any) -> None:
    """Give many contacts the same values in some columns."""
    keys = [one.pk for one in contacts]
    for begin in range(0, len(keys), _ROWS_AT_ONCE):
        Contact.objects.filter(pk__in=keys[begin : begin + _ROWS_AT_ONCE]).update(**values)


def is_free(antenna: Antenna, profile: MissionProfile, window: ContactWindow) -> bool:
    """Return whether a window can be booked: no contact in the way, and no outage."""
    return not (contacts_in_the_way(antenna, profile, window) or is_out(antenna, profile, window))


def contacts_in_the_way(
    antenna: Antenna, profile: MissionProfile, window: ContactWindow
) -> list[Contact]:
    """Return the booked contacts that a window cannot be booked beside."""
    wanted = occupied(antenna, profile, window.aos, window.los)
    nearby = (
        Contact.objects.exclude(state=Contact.State.CANCELLED)
        .filter(
            Q(antenna=antenna) | Q(spacecraft=window.spacecraft_id),
            aos__lte=wanted[1] + NEARBY,
            los__gte=wanted[0] - NEARBY,
        )
        .select_related("antenna", "spacecraft")
    )
    return [
        one
        for one in nearby
        if (one.antenna_id == antenna.pk and _overlap(occupied_by(one), wanted))
        or (
            one.spacecraft_id == window.spacecraft_id
            and _overlap((one.aos, one.los), (window.aos, window.los))
        )
    ]


def is_out(antenna: Antenna, profile: MissionProfile, window: ContactWindow) -> bool:
    """Return whether an outage of the antenna or the spacecraft touches a window."""
    begins, ends = occupied(antenna, profile, window.aos, window.los)
    of_antenna = Q(antenna=antenna, begins__lt=ends, ends__gt=begins)
    of_spacecraft = Q(spacecraft=window.spacecraft_id, begins__lt=window.los, ends__gt=window.aos)
    return Outage.objects.filter(of_antenna | of_spacecraft, lifted_at=None).exists()


def move_contact(
    contact: Contact, to: Contact.State, *, at: datetime, failure: str, actor: Operator | str
) -> None:
    """Move a contact to a state that may follow; the caller has checked ``TRANSITIONS``."""
    was, contact.state = contact.state, to
    contact.failure = failure or contact.failure
    if to == Contact.State.PREPASS:
        contact.started_at = at
    if not TRANSITIONS[to]:
        contact.ended_at = at
    contact.save(update_fields=["state", "failure", "started_at", "ended_at"])
    append_entry(
        action=f"contact.{to.value.lower()}",
        subject=f"contact:{contact.pk}",
        actor=actor,
        at=at,
        details={"was": was, "spacecraft": contact.spacecraft.name, "failure": failure},
    )
    publish_after_commit({"type": "pass", "contact": contact.pk, "state": to.value})
    publish_after_commit({"type": "refresh", "part": "now"})


def occupied_by(contact: Contact) -> tuple[datetime, datetime]:
    """Return from when to when a booked contact occupies its antenna."""
    return _with_margins(
        contact.antenna, contact.pre_pass_s, contact.post_pass_s, contact.aos, contact.los
    )


def occupied(
    antenna: Antenna, profile: MissionProfile, aos: datetime, los: datetime
) -> tuple[datetime, datetime]:
    """Return from when to when a contact would occupy an antenna."""
    return _with_margins(antenna, profile.pre_pass_s, profile.post_pass_s, aos, los)


def _with_margins(
    antenna: Antenna, pre_pass_s: int, post_pass_s: int, aos: datetime, los: datetime
) -> tuple[datetime, datetime]:
    before = timedelta(seconds=max(antenna.setup_s, pre_pass_s))
    return aos - before, los + timedelta(seconds=max(antenna.teardown_s, post_pass_s))


def _overlap(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> bool:
    return one[0] < other[1] and one[1] > other[0]
