"""Telecommands of one pass: released, framed by FOP-1, written down, sent, acknowledged.

A frame's intent row stands before its octets leave. FOP-1 repeats a frame
under the same sequence number, which FARM-1 accepts once; so a repetition
needs no new row, and a loss anywhere ends in one execution.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from missioncontrol.pipelines import selectors, services
from missioncontrol.pipelines.executor.recovery import settle_open_frames
from missioncontrol.pipelines.executor.station import StationService
from missioncontrol.pipelines.executor.surroundings import PassSubject
from missioncontrol.pipelines.models import Acceptance, IntentState, RadiationIntent
from missioncontrol.stationlink.messages import CltuReport, CltuState
from telemetry.ccsds.clcw import Clcw, ClcwError, decode_clcw
from uplink.commanding import selectors as commanding
from uplink.links.items import Item, ItemKind
from uplink.links.uplink_channel import UplinkChannel
from uplink.tc.fop1_effects import (
    Alert,
    Effect,
    PositiveConfirm,
    RejectedResponse,
    TransmitFrame,
)
from uplink.tc.fop1_table import State
from uplink.tc.segmentation import Segment

# A CLCW proves something about a frame only when it was made after the frame
# could have arrived: the way up, the receiver, the frame it came down in.
SETTLE_S: Final = 5.0  # mission seconds
# A station that has not reported on a CLTU after this long is connected to anew,
# which makes it drop what it has not radiated.
_REPORT_OVERDUE_S: Final = 60.0  # mission seconds
# Nothing is begun that could not be acknowledged before LOS.
_LAST_RELEASE_S: Final = 10.0

logger = logging.getLogger(__name__)


class LinkPhase(Enum):
    """Where the set-up of COP-1 is."""

    AWAITING_CLCW = "waits for a CLCW"
    INITIATING = "initiating"
    ACTIVE = "active"


@dataclass(slots=True)
class _Sending:
    """A frame on its way: its intent and how often it was handed over."""

    intent: RadiationIntent
    attempts: int = 0


@dataclass(slots=True)
class CommandCounts:
    """What a pass's report tells of the command link."""

    frames: int = 0  # AD frames begun
    transmissions: int = 0  # CLTUs with AD or BC frames
    accepted: int = 0
    refused: int = 0  # by the station
    alerts: list[str] = field(default_factory=list)
    bad_clcws: int = 0


class CommandLink:
    """COP-1 of one pass, from the approved row to the acknowledgement."""

    def __init__(
        self,
        *,
        subject: PassSubject,
        channel: UplinkChannel,
        station: StationService,
        factor: float,
        at: datetime,
    ) -> None:
        self.phase = LinkPhase.AWAITING_CLCW
        self.counts = CommandCounts()
        self.last_clcw: Clcw | None = None
        self.beginning = ""  # how the last initiation found FARM-1
        self._subject = subject
        self._channel = channel
        self._station = station
        self._fop = channel.make_fop(factor=factor)
        self._virtual_channel_id = subject.profile.tc.vc_commands
        self._next_intent = selectors.next_intent_number(subject.contact)
        self._trusted_from = at + timedelta(seconds=SETTLE_S)
        self._sending: dict[str, _Sending] = {}  # by FOP-1's request identifier
        self._intents: dict[int, int] = {}  # primary key by number, all of this run
        self._outgoing: deque[tuple[int, bytes]] = deque()
        self._unreported: set[int] = set()  # items that the station may still radiate
        self._segments: deque[tuple[Segment, int, str, bool]] = deque()
        self._directives = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for the link or for an acknowledgement."""
        return not (self._outgoing or self._segments or self._fop.unacknowledged_frames)

    def begin(self, at: datetime) -> None:
        """Start over: the station has just granted its service anew.

        What an earlier connection left unradiated is dropped by the station.
        """
        self._outgoing.clear()
        self._unreported.clear()
        self._carry_out(self._fop.on_link_failed(at=at), at)
        self._await_clcw(at)

    # What comes in.

    def on_clcw(self, word: bytes, received_at: datetime, at: datetime) -> None:
        """Take a CLCW as telemetry received it."""
        try:
            clcw = decode_clcw(word)
        except ClcwError as error:
            self.counts.bad_clcws += 1
            logger.warning("contact %s: %s", self._subject.contact.pk, error)
            return
        if clcw.virtual_channel_id != self._virtual_channel_id:
            return
        self.last_clcw = clcw
        if self.phase is not LinkPhase.AWAITING_CLCW:
            self._carry_out(self._fop.on_clcw(clcw, at=at), at)
        elif self._is_evidence(received_at):
            self._initiate(clcw, at)

    def on_report(self, report: CltuReport, item: Item, at: datetime) -> None:
        """Keep what the station did with a telecommand frame."""
        is_radiated = report.state is CltuState.RADIATED
        self._unreported.discard(report.item)
        if self.phase is LinkPhase.AWAITING_CLCW:
            self._trust_from(at)
        self.counts.refused += not is_radiated
        intent_id = self._intents.get(item.number)
        if intent_id is not None:
            services.note_radiation(
                intent_id=intent_id,
                state=IntentState.RADIATED if is_radiated else IntentState.REFUSED,
                reason=report.reason,
                at=at,
            )

    def on_time(self, at: datetime) -> None:
        """Act on FOP-1's timer, and on a station that does not report."""
        overdue = at - self._trusted_from > timedelta(seconds=_REPORT_OVERDUE_S)
        if self.phase is LinkPhase.AWAITING_CLCW and self._unreported and overdue:
            logger.warning("contact %s: no report on CLTUs", self._subject.contact.pk)
            self._station.close()
        deadline = self._fop.next_deadline()
        if deadline is not None and deadline <= at:
            self._carry_out(self._fop.on_time(at), at)

    # What goes out.

    def release(self, at: datetime) -> None:
        """Release approved telecommands while the window and the link have room."""
        if at > self._subject.contact.los - timedelta(seconds=_LAST_RELEASE_S):
            return
        self._go_on_with_segments(at)
        if self._segments or not self._has_room:
            return
        for telecommand in commanding.releasable(self._subject.spacecraft):
            self._release_one(telecommand.pk, str(telecommand), at)
            if self._segments or not self._has_room:
                return

    def send(self, budget_octets: int) -> None:
        """Hand CLTUs to the station while there is budget; what is left waits."""
        while self._outgoing and budget_octets > 0 and self._station.is_connected:
            item, cltu = self._outgoing.popleft()
            if not self._station.send(item, cltu):
                return
            self._unreported.add(item)
            self.counts.transmissions += 1
            budget_octets -= len(cltu)

    def suspend(self, at: datetime) -> None:
        """Keep V(S) for the next pass; frames not acknowledged stay open."""
        if self._directives == 0:
            return  # never initiated: what an earlier pass kept still holds
        services.save_fop_state(
            spacecraft=self._subject.spacecraft,
            virtual_channel_id=self._virtual_channel_id,
            next_number=self._fop.next_frame_sequence_number,
            at=at,
        )

    # Setting COP-1 up.

    def _await_clcw(self, at: datetime) -> None:
        self.phase = LinkPhase.AWAITING_CLCW
        self._trust_from(at)
        self._segments.clear()
        self._sending.clear()

    def _trust_from(self, at: datetime) -> None:
        self._trusted_from = at + timedelta(seconds=SETTLE_S)

    def _is_evidence(self, received_at: datetime) -> bool:
        """Whether a CLCW was made after everything sent so far could have arrived.

        A CLTU that still waits at the station would be accepted after it was
        judged lost, and its telecommand be executed twice.
        """
        return (
            self._station.is_connected
            and not self._unreported
            and received_at >= self._trusted_from
        )

    def _initiate(self, clcw: Clcw, at: datetime) -> None:
        """Decide what became of open frames, then begin at the number FARM-1 expects.

        V(S) follows the spacecraft, not the other way round: a Set V(R) would
        wipe out the evidence.
        """
        self.beginning = self._describe_beginning(clcw)
        settle_open_frames(
            subject=self._subject,
            station=self._station,
            report_value=clcw.report_value,
            at=at,
        )
        self.phase = LinkPhase.INITIATING
        self._directives += 1
        name = f"directive-{self._directives}"
        self._carry_out(
            self._fop.set_vs(request_id=f"{name}-vs", value=clcw.report_value, at=at), at
        )
        if clcw.lockout or clcw.retransmit or clcw.wait:
            effects = self._fop.initiate_ad_with_unlock(request_id=name, at=at)
        else:
            effects = self._fop.initiate_ad_with_clcw_check(request_id=name, at=at)
        self._carry_out(effects, at)

    def _describe_beginning(self, clcw: Clcw) -> str:
        saved = selectors.fop_state(self._subject.spacecraft, self._virtual_channel_id)
        expected = f"FARM-1 expects {clcw.report_value}"
        if clcw.lockout:
            expected += ", in lockout"
        if saved is None:
            return f"{expected}; first use of the channel"
        kept = saved.state["next_number"]
        if kept == clcw.report_value:
            return f"{expected}, as V(S) was kept"
        return f"{expected}, V(S) was {kept}: frames were lost or the receiver was reset"

    # Frames.

    @property
    def _has_room(self) -> bool:
        # Only in this state does FOP-1 send a request's frame at once, so that
        # the number written into the intent is the number it goes out with.
        return (
            self.phase is LinkPhase.ACTIVE
            and self._fop.state is State.ACTIVE
            and self._fop.unacknowledged_frames < self._fop.parameters.window_width
            and not self._outgoing
        )

    def _release_one(self, telecommand_id: int, what: str, at: datetime) -> None:
        intended = services.intend_telecommand(
            contact_id=self._subject.contact.pk,
            epoch=self._subject.epoch,
            number=self._next_intent,
            telecommand_id=telecommand_id,
            what=what,
            frame_sequence_number=self._fop.next_frame_sequence_number,
            virtual_channel_id=self._virtual_channel_id,
            at=at,
            cut=self._channel.segments,
        )
        if intended is None:
            return
        intent, packet = intended
        first, *others = self._channel.segments(packet)
        self._segments.extend(
            (segment, telecommand_id, what, segment is others[-1]) for segment in others
        )
        self._transfer(intent, first, at)
        self._go_on_with_segments(at)

    def _go_on_with_segments(self, at: datetime) -> None:
        while self._segments and self._has_room:
            segment, telecommand_id, what, is_last = self._segments.popleft()
            intent = services.intend_frame(
                contact_id=self._subject.contact.pk,
                epoch=self._subject.epoch,
                number=self._next_intent,
                what=what,
                telecommand_id=telecommand_id,
                frame_sequence_number=self._fop.next_frame_sequence_number,
                is_last_frame=is_last,
                virtual_channel_id=self._virtual_channel_id,
                at=at,
            )
            self._transfer(intent, segment, at)

    def _transfer(self, intent: RadiationIntent, segment: Segment, at: datetime) -> None:
        request_id = f"intent-{intent.number}"
        self._next_intent = intent.number + 1
        self._sending[request_id] = _Sending(intent)
        self._intents[intent.number] = intent.pk
        self.counts.frames += 1
        effects = self._fop.transfer_ad(
            request_id=request_id, data=segment.data, segment_header=segment.header, at=at
        )
        self._carry_out(effects, at)

    # FOP-1's effects.

    def _carry_out(self, effects: Sequence[Effect], at: datetime) -> None:
        for effect in effects:
            if isinstance(effect, TransmitFrame):
                self._transmit(effect, at)
            elif isinstance(effect, PositiveConfirm):
                self._confirm(effect.request_id, at)
            elif isinstance(effect, RejectedResponse):
                logger.error("FOP-1 rejects %s: %s", effect.request_id, effect.reason)
            elif isinstance(effect, Alert):
                self._alert(effect, at)

    def _transmit(self, effect: TransmitFrame, at: datetime) -> None:
        sending = self._sending.get(effect.request_id)
        if sending is None:  # a control command: FOP-1's own
            sending = self._sending[effect.request_id] = _Sending(self._intend_control(at))
        intent, frame = sending.intent, effect.frame
        if not frame.bypass and frame.frame_sequence_number != intent.frame_sequence_number:
            raise AssertionError(f"{intent} would go out as N(S) {frame.frame_sequence_number}")
        item = Item(
            kind=ItemKind.TELECOMMAND,
            number=intent.number,
            epoch=self._subject.epoch,
            attempt=sending.attempts,
        )
        sending.attempts += 1
        self._outgoing.append((item.encode(), self._channel.cltu(frame)))

    def _intend_control(self, at: datetime) -> RadiationIntent:
        intent = services.intend_frame(
            contact_id=self._subject.contact.pk,
            epoch=self._subject.epoch,
            number=self._next_intent,
            what="Unlock of FARM-1",
            virtual_channel_id=self._virtual_channel_id,
            at=at,
        )
        self._next_intent += 1
        self._intents[intent.number] = intent.pk
        return intent

    def _confirm(self, request_id: str, at: datetime) -> None:
        if request_id == f"directive-{self._directives}":
            self.phase = LinkPhase.ACTIVE
        sending = self._sending.pop(request_id, None)
        if sending is None:
            return
        self.counts.accepted += sending.intent.frame_sequence_number is not None
        report_value = self.last_clcw.report_value if self.last_clcw is not None else None
        services.settle_acceptance(
            intent_id=sending.intent.pk,
            epoch=self._subject.epoch,
            contact_id=self._subject.contact.pk,
            acceptance=Acceptance.ACCEPTED,
            evidence=f"N(R) {report_value} of the CLCW",
            at=at,
        )

    def _alert(self, alert: Alert, at: datetime) -> None:
        """AD has ended; begin again, by what the next CLCWs say."""
        if self.phase is LinkPhase.AWAITING_CLCW:
            return
        logger.warning("contact %s: FOP-1 alert: %s", self._subject.contact.pk, alert.kind.value)
        self.counts.alerts.append(alert.kind.value)
        self._outgoing.clear()
        self._await_clcw(at)
