"""How the spacecraft's reports and the ground's windows move a telecommand's state.

Pure. Stages as in ECSS-E-ST-70-41C, service 1 (request verification):
acceptance, start and completion of execution, each with success or failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

STAGE_STATES: Final = {"ACCEPTANCE": "ACCEPTED", "START": "STARTED", "COMPLETION": "COMPLETED"}
STAGE_FIELDS: Final = {
    "ACCEPTANCE": "accepted_at",
    "START": "started_at",
    "COMPLETION": "completed_at",
}

# A report moves a telecommand forwards only. EXPIRED stands before them: what the
# spacecraft says late is worth more than that it did not say it in time.
_ORDER: Final = ("EXPIRED", "RELEASED", "RADIATED", "ACCEPTED", "STARTED", "COMPLETED")

# Request identifiers come back after 16,384 telecommands to one APID, or when an old
# report is dumped: a report made before the release is of another telecommand. The
# spacecraft's clock may be off by this much.
CLOCK_TOLERANCE: Final = timedelta(seconds=60)

# After a crash the pass executor learns from the evidence of the next contact (the
# station's journal, CLCW) whether a released telecommand went. This is as long as it
# may take: some orbits, with their contacts.
SETTLED_WITHIN: Final = timedelta(hours=12)

_HOUR: Final = timedelta(hours=1)
_MAY_HAVE_RUN: Final = "It may have run: look at the telemetry before sending it again."


class VerificationReport(Protocol):
    """One verification report as telemetry gives it."""

    @property
    def cursor(self) -> int: ...
    @property
    def request_id(self) -> int: ...
    @property
    def stage(self) -> str: ...
    @property
    def success(self) -> bool: ...
    @property
    def code(self) -> int: ...
    @property
    def at(self) -> datetime: ...


class VerificationPage(Protocol):
    """Reports in order of arrival, and the cursor to go on from."""

    @property
    def reports(self) -> Sequence[VerificationReport]: ...
    @property
    def cursor(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ReportEffect:
    """What one report does to a telecommand in a given state."""

    state: str  # the new one, or the old one
    failure: str = ""


def effect_of(state: str, report: VerificationReport) -> ReportEffect:
    """Return what *report* makes of a telecommand that is in *state*.

    A report that comes twice or after a later one changes nothing; COMPLETED
    and FAILED are final.
    """
    if state not in _ORDER or state == "COMPLETED":
        return ReportEffect(state)
    if not report.success:
        return ReportEffect(
            "FAILED",
            f"The spacecraft reports that the {report.stage.lower()} failed, code {report.code}.",
        )
    reached = STAGE_STATES[report.stage]
    return ReportEffect(max(state, reached, key=_ORDER.index))


def overdue(
    *,
    state: str,
    sent_at: datetime,
    accepted_at: datetime | None,
    accept_s: int,
    complete_s: int,
    at: datetime,
) -> str:
    """Return why a telecommand must be given up at *at*; empty while it may still report.

    Args:
        state: RELEASED, RADIATED, ACCEPTED or STARTED.
        sent_at: When it was radiated, or released where no radiation is known.
        accepted_at: When the spacecraft accepted or started it.
        accept_s: Window for the first report, from the radiation, mission seconds.
        complete_s: Window for the last report, from *accepted_at*, mission seconds.
        at: Mission time.
    """
    if state == "RELEASED":
        if at <= sent_at + SETTLED_WITHIN:
            return ""
        return (
            f"Neither station nor spacecraft showed within {SETTLED_WITHIN / _HOUR:g} h whether "
            f"it was radiated. {_MAY_HAVE_RUN}"
        )
    if state == "RADIATED":
        if at <= sent_at + timedelta(seconds=accept_s):
            return ""
        return f"The spacecraft did not report acceptance within {accept_s} s. {_MAY_HAVE_RUN}"
    if at <= (accepted_at or sent_at) + timedelta(seconds=complete_s):
        return ""
    return (
        f"The spacecraft accepted it but did not report completion within {complete_s} s. "
        "Look at the telemetry before sending it again."
    )
