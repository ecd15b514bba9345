from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, may, require
from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import Antenna, Spacecraft
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.scheduling.interchange.simple_schedule import (
    ActivityStatus,
    SimpleSchedule,
)
from missioncontrol.scheduling.models import Outage
from missioncontrol.scheduling.outage_entries import log_outage
from missioncontrol.scheduling.services.errors import OutageRefusedError, ScheduleRefusedError

_LONGEST: Final = timedelta(days=366)
_SHOWN: Final = 10


@transaction.atomic
def declare_outage(
    *,
    of: Antenna | Spacecraft,
    begins: datetime,
    ends: datetime,
    planned: bool,
    reason: str,
    actor: Operator,
    at: datetime,
) -> Outage:
    """Say that an antenna or a spacecraft serves nobody for a while.

    Nothing is cancelled by it: a plan that repairs the running one says what
    becomes of the contacts that it hits.

    Raises:
        NotPermittedError: no role of *actor* grants it; who plans for the mission may too.
        OutageRefusedError: the interval is over, empty or too long, or there is no reason.
    """
    outage = Outage(
        antenna=of if isinstance(of, Antenna) else None,
        spacecraft=of if isinstance(of, Spacecraft) else None,
        begins=begins,
        ends=ends,
        planned=planned,
        reason=reason.strip(),
        declared_by=actor,
        declared_at=at,
    )
    require_declaring(actor, outage.owner)
    _check(outage, at)
    outage.save()
    log_outage("outage.declare", outage, actor, at, planned=planned, reason=outage.reason)
    return outage


@transaction.atomic
def lift_outage(*, outage_id: int, actor: Operator, at: datetime) -> Outage:
    """Say that it serves again, or that the outage will not be; the next plan may use it.

    Raises:
        Outage.DoesNotExist: no such outage.
        NotPermittedError: no role of *actor* grants it.
        OutageRefusedError: it was lifted before, or is over.
    """
    outage = Outage.objects.select_for_update().get(pk=outage_id)
    require_declaring(actor, outage.owner)
    if outage.lifted_at is not None or outage.ends <= at:
        over = outage.lifted_at or outage.ends
        raise OutageRefusedError(
            f"Outage {outage.pk} of {outage.resource} is over since {over:%Y-%m-%d %H:%MZ}; only "
            "one that is still to end can be lifted."
        )
    outage.lifted_at = at
    outage.save(update_fields=["lifted_at"])
    log_outage("outage.lift", outage, actor, at)
    return outage


@transaction.atomic
def import_schedule(
    *, schedule: SimpleSchedule, actor: Operator, at: datetime
) -> tuple[list[Outage], int]:
    """Take over when a provider's antennas are not ours, as planned outages.

    An activity that is UNAVAILABLE, or COMMITTED to a user that is none of our
    spacecraft, keeps its antenna from us. What is ours, tentative or available
    changes nothing, nor does what was taken over before.

    Returns:
        The new outages, and how many activities changed nothing.

    Raises:
        NotPermittedError: no role of *actor* grants it for an antenna's owner.
        ScheduleRefusedError: it names antennas that nobody knows, or has nothing to come.
    """
    ours = set(Spacecraft.objects.values_list("name", flat=True))
    activities = [
        (package.user, one) for package in schedule.packages for one in package.activities
    ]
    taken = [
        one
        for user, one in activities
        if one.ends_activity > at
        and (
            one.status is ActivityStatus.UNAVAILABLE
            or (one.status is ActivityStatus.COMMITTED and user not in ours)
        )
    ]
    antennas = {
        one.name: one
        for one in Antenna.objects.filter(name__in={one.aperture for one in taken}).select_related(
            "station__owner"
        )
    }
    unknown = sorted({one.aperture for one in taken} - antennas.keys())
    if unknown:
        raise ScheduleRefusedError(
            f"The schedule has the apertures {', '.join(unknown[:_SHOWN])}, which are no antennas "
            "of the mission. apertureRef is an antenna's name; GET /stations lists them."
        )
    made = []
    for one in taken:
        antenna = antennas[one.aperture]
        require_declaring(actor, antenna.station.owner)
        outage = Outage(
            antenna=antenna,
            begins=one.begins_activity,
            ends=one.ends_activity,
            planned=True,
            reason=f"{one.activity_id} of {schedule.originator}: {one.status.value}"[:300],
            declared_by=actor,
            declared_at=at,
        )
        if not _is_known(outage):
            outage.save()
            made.append(outage)
    append_entry(
        action="schedule.import",
        subject=f"schedule:{schedule.originator}"[:120],
        actor=actor,
        at=at,
        details={
            "version": schedule.version,
            "status": schedule.status.value,
            "activities": len(activities),
            "outages": [one.pk for one in made[:100]],
            "outages_made": len(made),
        },
    )
    publish_after_commit({"type": "refresh", "part": "passes"})
    return made, len(activities) - len(made)


def require_declaring(actor: Operator, owner: Organisation) -> None:
    """Refuse who neither acts for the owner of what is out, nor plans for the mission.

    Raises:
        NotPermittedError: no role of *actor* grants it.
    """
    if not may(actor, Action.PLAN_PROPOSE):
        require(actor, Action.OUTAGE_DECLARE, owner)


def _keeps_from_us(status: ActivityStatus, *, ours: bool) -> bool:
    return status is ActivityStatus.UNAVAILABLE or (
        status is ActivityStatus.COMMITTED and not ours
    )


def _is_known(outage: Outage) -> bool:
    return Outage.objects.filter(
        antenna=outage.antenna, begins=outage.begins, ends=outage.ends, lifted_at=None
    ).exists()


def _check(outage: Outage, at: datetime) -> None:
    length = outage.ends - outage.begins
    if outage.ends <= at or not timedelta(0) < length <= _LONGEST:
        raise OutageRefusedError(
            f"The outage of {outage.resource} goes from {outage.begins:%Y-%m-%dT%H:%M:%SZ} to "
            f"{outage.ends:%Y-%m-%dT%H:%M:%SZ}; it must end after it begins, after mission time "
            f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}, and last {_LONGEST.days} days at most."
        )
    if not outage.reason:
        raise OutageRefusedError("Give the reason; it is shown beside each contact that moves.")
