from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.db.models import Max, Q, QuerySet, Sum
from django.db.models.functions import Now

from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.pipelines.models import (
    Acceptance,
    FopState,
    PassReport,
    PassStep,
    RadiationIntent,
    StepKind,
    StepState,
)
from missioncontrol.scheduling.models import Contact
from telemetry.models import Alarm, LinkSession
from uplink.commanding.models import Telecommand
from uplink.jobs.models import Job
from uplink.transfers.models import Transfer

_LINK_COUNTS: Final = ("frames_good", "frames_bad", "frames_lost", "packets", "octets")


def pass_steps(contact: Contact) -> list[PassStep]:
    """Return the steps of a pass, in the order they began."""
    return list(PassStep.objects.filter(contact=contact))


def pass_report(contact: Contact) -> PassReport | None:
    """Return the report of a pass that is over, or None."""
    return PassReport.objects.filter(contact=contact).first()


def radiation_intents(contact: Contact) -> list[RadiationIntent]:
    """Return the telecommand frames of a pass, in the order they were meant."""
    return list(_intents().filter(contact=contact))


def open_intents(spacecraft: Spacecraft) -> list[RadiationIntent]:
    """Return the numbered frames whose acceptance on board is undecided, oldest first.

    They may be of an earlier pass: what was radiated just before LOS.
    """
    return list(
        _intents()
        .filter(
            contact__spacecraft=spacecraft,
            acceptance=Acceptance.OPEN,
            frame_sequence_number__isnull=False,
        )
        .order_by("pk")
    )


def next_intent_number(contact: Contact) -> int:
    """Return the number that the next intent of a contact gets; the first is 1."""
    last = RadiationIntent.objects.filter(contact=contact).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def released_without_frame(spacecraft: Spacecraft) -> list[Telecommand]:
    """Return the released telecommands whose last frame was never meant to go, or did not go.

    An intent precedes every radiation; without a live one the telecommand
    has not reached the spacecraft whole.
    """
    alive = RadiationIntent.objects.filter(
        is_last_frame=True,
        telecommand__isnull=False,
        acceptance__in=[Acceptance.OPEN, Acceptance.ACCEPTED, Acceptance.UNKNOWN],
    ).values("telecommand_id")
    return list(
        Telecommand.objects.filter(
            spacecraft=spacecraft, state=Telecommand.State.RELEASED
        ).exclude(pk__in=alive)
    )


def fop_state(spacecraft: Spacecraft, virtual_channel_id: int) -> FopState | None:
    """Return where FOP-1 stood when it was last saved, or None."""
    return FopState.objects.filter(
        spacecraft=spacecraft, virtual_channel_id=virtual_channel_id
    ).first()


def _intents() -> QuerySet[RadiationIntent]:
    return RadiationIntent.objects.select_related("telecommand", "contact", "contact__antenna")


def was_acquired(contact: Contact) -> bool:
    """Return whether an executor has had signal in this pass already."""
    return PassStep.objects.filter(
        contact=contact, kind=StepKind.ACQUIRE, state=StepState.DONE
    ).exists()


def link_counts(contact: Contact) -> dict[str, int]:
    """Return what telemetry received in a contact: frames, packets, octets."""
    sums = LinkSession.objects.filter(contact=contact).aggregate(
        **{name: Sum(name) for name in _LINK_COUNTS}
    )
    return {name: sums[name] or 0 for name in _LINK_COUNTS}


def link_sessions(contact: Contact) -> list[LinkSession]:
    """Return the connections to the return service in one contact, by time."""
    return list(LinkSession.objects.filter(contact=contact))


def last_frames(stations: Collection[GroundStation]) -> dict[int, datetime]:
    """Return when each station's last frame came, by the station's primary key."""
    rows = (
        LinkSession.objects.filter(contact__antenna__station__in=stations)
        .values("contact__antenna__station")
        .annotate(newest=Max("last_frame_at"))
    )
    return {row["contact__antenna__station"]: row["newest"] for row in rows if row["newest"]}


def open_session_stations() -> set[int]:
    """Return the primary keys of the stations that a return link is open to."""
    sessions = LinkSession.objects.filter(closed_at=None)
    return set(sessions.values_list("contact__antenna__station", flat=True))


def transfers_under_way(spacecraft: Spacecraft) -> list[dict[str, Any]]:
    """Return the file transfers that are not over, with what is shown of them."""
    transfers = Transfer.objects.filter(
        spacecraft=spacecraft, state__in=["WAITING", "ACTIVE", "SUSPENDED"]
    ).order_by("pk")
    return [_shown(transfer) for transfer in transfers]


def transfers_of_pass(contact: Contact) -> list[dict[str, Any]]:
    """Return the file transfers that are not over or ended since the pass began."""
    return [_shown(transfer) for transfer in transfers_of(contact).order_by("pk")]


def transfers_of(contact: Contact) -> QuerySet[Transfer]:
    """Return the rows of the transfers that are not over or ended since the pass began."""
    begun = contact.started_at or contact.aos
    return Transfer.objects.filter(spacecraft=contact.spacecraft).filter(
        Q(completed_at__gte=begun) | Q(state__in=["WAITING", "ACTIVE", "SUSPENDED"])
    )


def _shown(transfer: Transfer) -> dict[str, Any]:
    return {
        "id": transfer.pk,
        "direction": transfer.direction,
        "file_name": transfer.file_name,
        "state": transfer.state,
        "size_octets": transfer.size_octets,
        "progress_octets": transfer.progress_octets,
        "condition": transfer.condition,
    }


def jobs_of_pass(contact: Contact) -> list[dict[str, Any]]:
    """Return the jobs that were not over when the pass began, with their states."""
    begun = contact.started_at or contact.aos
    jobs = Job.objects.filter(spacecraft=contact.spacecraft).filter(
        Q(completed_at=None) | Q(completed_at__gte=begun)
    )
    return [
        {"number": job.number, "program": job.program, "state": job.state}
        for job in jobs.order_by("number")
    ]


def alarms_of_pass(contact: Contact, until: datetime) -> list[dict[str, Any]]:
    """Return the alarms raised since the pass began."""
    alarms = Alarm.objects.filter(
        spacecraft=contact.spacecraft,
        raised_at__gte=contact.started_at or contact.aos,
        raised_at__lte=until,
    )
    return [
        {
            "parameter": alarm.parameter,
            "severity": alarm.severity,
            "value": alarm.value,
            "raised_at": alarm.raised_at.isoformat(),
        }
        for alarm in alarms.order_by("pk")
    ]


def earlier_pass_runs(contact: Contact) -> bool:
    """Return whether an executor is still busy with an earlier pass of the same spacecraft."""
    return Contact.objects.filter(
        spacecraft=contact.spacecraft,
        aos__lt=contact.aos,
        state__in=[Contact.State.PASS, Contact.State.POSTPASS],
        lease_expires_at__gt=Now(),
    ).exists()


def next_aos(contact: Contact) -> datetime | None:
    """Return when the spacecraft's next contact begins, or None."""
    return (
        Contact.objects.filter(spacecraft=contact.spacecraft, aos__gte=contact.los)
        .exclude(state=Contact.State.CANCELLED)
        .order_by("aos")
        .values_list("aos", flat=True)
        .first()
    )
