from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.telecommands import TelecommandDefinition
from telemetry import selectors as telemetry_selectors
from uplink.commanding.models import ReadCursor, Telecommand, TelecommandEvent
from uplink.commanding.selectors import AWAITING_REPORTS
from uplink.commanding.services.changes import advance, note
from uplink.commanding.verification import (
    CLOCK_TOLERANCE,
    STAGE_FIELDS,
    STAGE_STATES,
    VerificationPage,
    VerificationReport,
    effect_of,
    overdue,
)

_ACTOR: Final = "process:verification"
_CURSOR_NAME: Final = "verification"
_STATE = Telecommand.State

# Returns the reports of one spacecraft that stand after a cursor, oldest first.
ReadReports = Callable[[Spacecraft, int], VerificationPage]

logger = logging.getLogger(__name__)


@transaction.atomic
def process_verification(
    *, spacecraft: Spacecraft, at: datetime, read_reports: ReadReports | None = None
) -> int:
    """Bring the telecommands to what the spacecraft has reported since the last call.

    The place reached in the reports is kept in the same transaction, so that a
    crash repeats nothing and skips nothing; a report read twice changes nothing.

    Args:
        spacecraft: Whose reports.
        at: Mission time, UTC.
        read_reports: Where the reports come from; telemetry's selector by default.

    Returns:
        How many reports changed a telecommand.
    """
    read = read_reports or telemetry_selectors.verification_reports_since
    cursor, _ = ReadCursor.objects.select_for_update().get_or_create(
        spacecraft=spacecraft, name=_CURSOR_NAME
    )
    page = read(spacecraft, cursor.position)
    changed = sum(_apply(spacecraft, report, at) for report in page.reports)
    if page.cursor > cursor.position:
        cursor.position = page.cursor
        cursor.save(update_fields=["position"])
    return changed


@transaction.atomic
def expire_overdue(*, spacecraft: Spacecraft, at: datetime) -> int:
    """Give up the telecommands whose window for a report is over.

    They become EXPIRED with the reason. A report that comes later is still
    believed: it moves the telecommand on.

    Returns:
        How many were given up.
    """
    expired = 0
    waiting = Telecommand.objects.filter(
        spacecraft=spacecraft, state__in=AWAITING_REPORTS
    ).select_related("spacecraft__organisation")
    for telecommand in waiting:
        reason = _overdue_reason(telecommand, at)
        if reason and advance(
            telecommand,
            states=[telecommand.state],
            kind=_STATE.EXPIRED,
            at=at,
            detail=reason,
            state=_STATE.EXPIRED,
            failure=reason,
        ):
            _log("telecommand.expire", telecommand, at=at, details={"reason": reason})
            expired += 1
    return expired


def _overdue_reason(telecommand: Telecommand, at: datetime) -> str:
    windows = TelecommandDefinition.model_validate(telecommand.definition).verification
    sent_at = telecommand.radiated_at or telecommand.released_at
    if sent_at is None:
        return ""
    return overdue(
        state=telecommand.state,
        sent_at=sent_at,
        accepted_at=telecommand.accepted_at or telecommand.started_at,
        accept_s=windows.accept_s,
        complete_s=windows.complete_s,
        at=at,
    )


def _apply(spacecraft: Spacecraft, report: VerificationReport, at: datetime) -> bool:
    telecommand = (
        Telecommand.objects.select_for_update(of=("self",))
        .select_related("spacecraft__organisation")
        .filter(spacecraft=spacecraft, request_id=report.request_id)
        .order_by("-released_at", "-pk")
        .first()
    )
    if telecommand is None or report.stage not in STAGE_STATES:
        logger.warning(
            "%s reports %s of request 0x%08X, which is no telecommand of ours",
            spacecraft,
            report.stage,
            report.request_id,
        )
        return False
    if telecommand.released_at is None or report.at < telecommand.released_at - CLOCK_TOLERANCE:
        logger.warning(
            "%s was released after the report of %s about its request: not counted",
            telecommand,
            report.at.isoformat(),
        )
        return False
    return _follow(telecommand, report, at)


def _follow(telecommand: Telecommand, report: VerificationReport, at: datetime) -> bool:
    kind = STAGE_STATES[report.stage] if report.success else _STATE.FAILED
    if TelecommandEvent.objects.filter(telecommand=telecommand, kind=kind, at=report.at).exists():
        return False  # the same report, received a second time
    effect = effect_of(telecommand.state, report)
    changes: dict[str, Any] = {}
    if report.success and getattr(telecommand, STAGE_FIELDS[report.stage]) is None:
        changes[STAGE_FIELDS[report.stage]] = report.at
    if effect.state != telecommand.state:
        changes |= {"state": effect.state, "failure": effect.failure}
    if not changes:
        note(telecommand, kind=kind, at=report.at, detail="reported again; nothing changed")
        return False
    advance(
        telecommand,
        states=[telecommand.state],
        kind=kind,
        at=report.at,
        detail=effect.failure,
        **changes,
    )
    if "state" in changes and effect.state in (_STATE.COMPLETED, _STATE.FAILED):
        action = "complete" if effect.state == _STATE.COMPLETED else "fail"
        details = {"stage": report.stage, "code": report.code}
        _log(f"telecommand.{action}", telecommand, at=at, details=details)
    return True


def _log(action: str, telecommand: Telecommand, *, at: datetime, details: dict[str, Any]) -> None:
    append_entry(
        action=action,
        subject=f"telecommand:{telecommand.pk}",
        actor=_ACTOR,
        at=at,
        organisation=telecommand.spacecraft.organisation.slug,
        details=details,
    )
