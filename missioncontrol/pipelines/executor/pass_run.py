"""One pass, step by step, from the pre-pass checks to its report.

Every step is a row. An executor that takes over from a dead one begins where
the contact's state says, under a higher epoch; what was sent and never
acknowledged is settled by evidence before anything new goes up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.kernel import clock
from missioncontrol.pipelines import selectors, services
from missioncontrol.pipelines.executor.command_link import LinkPhase
from missioncontrol.pipelines.executor.prepass import check_readiness
from missioncontrol.pipelines.executor.report import pass_report
from missioncontrol.pipelines.executor.service_loop import ServiceLoop
from missioncontrol.pipelines.executor.surroundings import PassSubject, Surroundings
from missioncontrol.pipelines.executor.watch import LEASE_S, Watch
from missioncontrol.pipelines.models import PassStep, StepKind, StepState
from missioncontrol.scheduling.leases import Lease
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.services import advance_contact

_STATE = Contact.State
# The file entity of a spacecraft is one; the next pass of it gets it this early.
_HANDOVER: Final = timedelta(seconds=10)

logger = logging.getLogger(__name__)


class PassRun:
    """Carries one claimed contact to its end. One thread runs it."""

    def __init__(
        self,
        *,
        contact: Contact,
        lease: Lease,
        stop: threading.Event,
        surroundings: Surroundings | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        self._contact = contact
        self._surroundings = surroundings or Surroundings()
        self._subject = PassSubject.of(contact, lease, self._surroundings)
        self._watch = Watch(lease, stop, lease_s=lease_s)
        self._lost_at = contact.los  # earlier, where the station says so
        self._max_elevation_deg: float | None = None
        self._loop: ServiceLoop | None = None
        # Taken over after LOS: only the report is left. What came down since is
        # in the packet log, and the next pass settles the open frames.
        self._came_late = contact.state in (_STATE.PASS, _STATE.POSTPASS) and (
            clock.now() >= contact.los
        )

    def run(self) -> str:
        """Run the pass from the state it is in; return the state it ends in.

        Raises:
            LeaseLostError: another executor has it; nothing more was touched.
            StopRequestedError: the process ends; another executor may go on.
        """
        try:
            if self._contact.state == _STATE.SCHEDULED:
                self._advance(_STATE.PREPASS)
            if self._contact.state == _STATE.PREPASS:
                self._prepass()
                self._advance(_STATE.PASS)
            failure = ""
            if self._contact.state == _STATE.PASS:
                failure = self._pass()
                if not failure:
                    self._advance(_STATE.POSTPASS)
            if self._contact.state == _STATE.POSTPASS and not self._came_late:
                self._step(StepKind.POSTPASS, self._drain)
            return self._report(failure)
        finally:
            if self._loop is not None:
                self._loop.station.close()

    # The steps. Each returns its outcome and a detail for people.

    def _prepass(self) -> None:
        self._step(StepKind.PREPASS, self._check_and_wait)

    def _pass(self) -> str:
        """Serve the pass; return why it failed, or nothing."""
        had_signal = selectors.was_acquired(self._contact)
        if self._came_late:
            return "" if had_signal else "No executor was running during the pass."
        acquired = self._step(StepKind.ACQUIRE, self._acquire)
        if acquired.state == StepState.DONE:
            begun = self._step(StepKind.COP1, self._initiate)
            if begun.state == StepState.DONE:
                self._step(StepKind.SERVE, self._serve)
        elif not had_signal:
            return acquired.detail
        self._step(StepKind.LOS, self._lose_signal)
        return ""

    def _check_and_wait(self) -> tuple[StepState, str]:
        findings = check_readiness(self._subject, clock.now())
        while (at := clock.now()) < self._contact.aos:
            self._watch.keep()
            self._watch.nap((self._contact.aos - at).total_seconds())
        return StepState.DONE, findings

    def _acquire(self) -> tuple[StepState, str]:
        loop = self._service()
        while (at := clock.now()) < self._contact.los and not loop.station.ended:
            self._turn(at, connect=True)
            if loop.station.is_connected and loop.clcws_seen:
                return StepState.DONE, f"Forward service granted, first CLCW at {at:%H:%M:%S}Z."
        if loop.station.connections == 0:
            refusal = loop.station.refusal or "no answer"
            return StepState.FAILED, f"The station never gave the forward service: {refusal}"
        return StepState.FAILED, (
            "The station gave the forward service, but no telemetry with a CLCW came: "
            "the spacecraft is silent, or the telemetry links do not run."
        )

    def _initiate(self) -> tuple[StepState, str]:
        commands = self._service().commands
        while (at := clock.now()) < self._contact.los and not self._service().station.ended:
            self._turn(at, connect=True)
            if commands.phase is LinkPhase.ACTIVE:
                return StepState.DONE, f"COP-1 active: {commands.beginning}."
        alerts = "; ".join(commands.counts.alerts) or "no CLCW answered"
        return StepState.FAILED, f"COP-1 was not active before LOS: {alerts}."

    def _serve(self) -> tuple[StepState, str]:
        loop = self._service()
        while (at := clock.now()) < self._contact.los and not loop.station.ended:
            self._turn(at, connect=True, serve=True)
        commands, files = loop.commands.counts, loop.files.counts
        return StepState.DONE, (
            f"{commands.frames} telecommand frames begun, {commands.accepted} accepted; "
            f"{files.cltus} file CLTUs."
        )

    def _lose_signal(self) -> tuple[StepState, str]:
        loop, at = self._service(), clock.now()
        self._lost_at = min(at, self._lost_at)
        reason = loop.station.refusal if loop.station.ended else "time of LOS reached"
        loop.commands.suspend(at)
        loop.transfers.suspend(at)
        loop.station.close()
        return StepState.DONE, f"Service closed: {reason}."

    def _drain(self) -> tuple[StepState, str]:
        """Take in what the telemetry still brings."""
        end = self._lost_at + timedelta(seconds=self._contact.post_pass_s)
        following = selectors.next_aos(self._contact)
        if following is not None:
            end = min(end, following - _HANDOVER)
        while (at := clock.now()) < end:
            self._turn(at, connect=False)
        self._service().transfers.suspend(at)
        return StepState.DONE, ""

    def _report(self, failure: str) -> str:
        at = clock.now()
        step = services.begin_step(
            contact_id=self._contact.pk, epoch=self._subject.epoch, kind=StepKind.REPORT, at=at
        )
        services.end_step(step=step, state=StepState.DONE, detail="", at=at)
        to = _STATE.FAILED if failure else _STATE.COMPLETED
        services.finish_pass(
            contact_id=self._contact.pk,
            epoch=self._subject.epoch,
            to=to,
            report=pass_report(
                self._subject,
                self._loop,
                failure=failure,
                max_elevation_deg=self._max_elevation_deg,
                at=at,
            ),
            failure=failure,
            at=at,
        )
        return to.value

    # What the steps stand on.

    def _step(self, kind: StepKind, body: Callable[[], tuple[StepState, str]]) -> PassStep:
        step = services.begin_step(
            contact_id=self._contact.pk, epoch=self._subject.epoch, kind=kind, at=clock.now()
        )
        state, detail = body()
        services.end_step(step=step, state=state, detail=detail, at=clock.now())
        logger.info("contact %s: %s %s: %s", self._contact.pk, kind.value, state.value, detail)
        return step

    def _turn(self, at: datetime, *, connect: bool, serve: bool = False) -> None:
        loop = self._service()
        loop.turn(at, connect=connect, serve=serve)
        status = loop.station.status
        if status is not None:
            self._max_elevation_deg = max(self._max_elevation_deg or -90.0, status.elevation_deg)

    def _service(self) -> ServiceLoop:
        """Return the loop of this pass, made when it is first needed.

        Not before AOS: until then the file entity and COP-1 may belong to the
        spacecraft's pass before, which is waited for.
        """
        if self._loop is None:
            while selectors.earlier_pass_runs(self._contact):
                self._watch.keep()
                self._watch.nap(1.0)
            self._loop = ServiceLoop(
                subject=self._subject,
                surroundings=self._surroundings,
                watch=self._watch,
                at=clock.now(),
            )
        return self._loop

    def _advance(self, to: Contact.State) -> None:
        # The lease's epoch guards the row: with a later one this is refused.
        advanced = advance_contact(
            contact_id=self._contact.pk, epoch=self._subject.epoch, to=to, at=clock.now()
        )
        self._contact.state = advanced.state
        self._contact.started_at = advanced.started_at
