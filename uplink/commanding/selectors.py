from __future__ import annotations

from collections.abc import Collection

from missioncontrol.fleet.models import Spacecraft
from uplink.commanding.models import Telecommand, TelecommandEvent

# States in which the spacecraft's next report is awaited.
AWAITING_REPORTS = (
    Telecommand.State.RELEASED,
    Telecommand.State.RADIATED,
    Telecommand.State.ACCEPTED,
    Telecommand.State.STARTED,
)


def get_telecommand(telecommand_id: int) -> Telecommand:
    """Return one telecommand.

    Raises:
        Telecommand.DoesNotExist: no such telecommand.
    """
    return Telecommand.objects.select_related(
        "spacecraft", "submitted_by", "approved_by", "rejected_by"
    ).get(pk=telecommand_id)


def releasable(spacecraft: Spacecraft) -> list[Telecommand]:
    """Return the approved telecommands in the order of their approval.

    An approval that the log has not numbered yet is left out; whether it is
    published is asked again at the release.
    """
    return list(
        Telecommand.objects.filter(
            spacecraft=spacecraft,
            state=Telecommand.State.APPROVED,
            approval_entry__log_index__isnull=False,
        )
        .select_related("spacecraft")
        .order_by("approved_at", "pk")
    )


def telecommand_list(
    *,
    spacecraft: Spacecraft | None = None,
    states: Collection[str] | None = None,
    origin: str | None = None,
    limit: int = 100,
) -> list[Telecommand]:
    """Return the newest telecommands first, *limit* at most."""
    telecommands = Telecommand.objects.select_related(
        "spacecraft", "submitted_by", "approved_by", "rejected_by"
    )
    if spacecraft is not None:
        telecommands = telecommands.filter(spacecraft=spacecraft)
    if states is not None:
        telecommands = telecommands.filter(state__in=states)
    if origin is not None:
        telecommands = telecommands.filter(origin=origin)
    return list(telecommands[:limit])


def awaiting_approval_count() -> int:
    """Return how many telecommands wait for a second person."""
    return Telecommand.objects.filter(state=Telecommand.State.SUBMITTED).count()


def telecommand_events(telecommand: Telecommand) -> list[TelecommandEvent]:
    """Return what happened to one telecommand, oldest first."""
    return list(telecommand.events.all())
