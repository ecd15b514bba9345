"""FOP-1: the sending end of COP-1, on the ground.

Pure and sans-IO: requests, CLCWs and the passing of time in, effects out. The
state table is in ``fop1_table``, its variables and actions in ``fop1_machine``,
the effects in ``fop1_effects``; here is what the layers around it call, and
which event a CLCW or the timer is.

Source: CCSDS 232.1-B-2 sections 4.3 and 5.3.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from telemetry.ccsds.clcw import COP_1, Clcw
from uplink.tc.fop1_effects import Effect, FopParameters, RejectedResponse, TimeoutType
from uplink.tc.fop1_machine import SEQUENCE_MODULUS, FopMachine, Occasion, Request
from uplink.tc.fop1_table import Event, State
from uplink.tc.tc_frame import SegmentHeader

_RESUME_EVENTS: Final = (Event.E30, Event.E31, Event.E32, Event.E33, Event.E34)


class Fop1:
    """Sends the AD frames of one virtual channel until FARM-1 has accepted each.

    Every method takes ``at``, the mission time of the call, and returns the
    effects in the order to carry them out. The layer below is taken to accept
    each ``TransmitFrame`` at once; tell :meth:`on_link_failed` when it did not.
    Call :meth:`on_time` when :meth:`next_deadline` is reached. Between passes
    keep :meth:`snapshot`: V(S) must outlive the process.

    Request identifiers are the caller's own and come back in the effects;
    those of frames and of directives share one name space.
    """

    def __init__(
        self,
        *,
        spacecraft_id: int,
        virtual_channel_id: int,
        parameters: FopParameters | None = None,
    ) -> None:
        self._machine = FopMachine(
            spacecraft_id=spacecraft_id,
            virtual_channel_id=virtual_channel_id,
            parameters=parameters or FopParameters(),
        )

    def snapshot(self) -> dict[str, Any]:
        """Return everything to keep between passes, as JSON can hold it."""
        return self._machine.snapshot()

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Fop1:
        """Return FOP-1 as it was when *snapshot* was taken.

        Raises:
            ValueError: The snapshot is of another version of this program.
        """
        machine = FopMachine.restore(snapshot)
        fop = cls(
            spacecraft_id=machine.spacecraft_id, virtual_channel_id=machine.virtual_channel_id
        )
        fop._machine = machine
        return fop

    @property
    def state(self) -> State:
        return self._machine.state

    @property
    def is_suspended(self) -> bool:
        return self._machine.suspend_state != 0

    @property
    def next_frame_sequence_number(self) -> int:
        """V(S)."""
        return self._machine.next_number

    @property
    def unacknowledged_frames(self) -> int:
        return len(self._machine.sent)

    @property
    def can_accept_ad(self) -> bool:
        """Whether a request for an AD frame would be taken now."""
        return self.state <= State.RETRANSMIT_WITH_WAIT and self._machine.waiting is None

    @property
    def parameters(self) -> FopParameters:
        return self._machine.parameters

    def set_parameters(self, parameters: FopParameters) -> None:
        """Set the window, the timer, the limit and the timeout type (E36 to E39)."""
        self._machine.parameters = parameters

    # Requests to transfer.

    def transfer_ad(
        self,
        *,
        request_id: str,
        data: bytes,
        segment_header: SegmentHeader | None = None,
        at: datetime,
    ) -> list[Effect]:
        """Send *data* in one AD frame, in sequence, until it is acknowledged.

        Accepted when the window has room for it, confirmed when acknowledged;
        rejected while AD is not active or another request still waits.
        """
        request = Request(request_id, data, segment_header)
        if self.state > State.RETRANSMIT_WITH_WAIT:
            rejection = f"the AD service is not active (state {self.state.name})"
        else:
            rejection = "another AD request waits for room in the window"
        event = Event.E19 if self._machine.waiting is None else Event.E20
        return self._machine.happen(event, Occasion(at=at, request=request, rejection=rejection))

    def transfer_bd(
        self,
        *,
        request_id: str,
        data: bytes,
        segment_header: SegmentHeader | None = None,
        at: datetime,
    ) -> list[Effect]:
        """Send *data* once, in one BD frame; nothing will confirm it."""
        request = Request(request_id, data, segment_header)
        return self._machine.happen(Event.E21, Occasion(at=at, request=request))

    # Directives.

    def initiate_ad_without_clcw_check(self, *, request_id: str, at: datetime) -> list[Effect]:
        """Begin at V(S) as it is, without looking at the spacecraft."""
        return self._direct(Event.E23, request_id, at)

    def initiate_ad_with_clcw_check(self, *, request_id: str, at: datetime) -> list[Effect]:
        """Begin when a CLCW says that FARM-1 expects V(S)."""
        return self._direct(Event.E24, request_id, at)

    def initiate_ad_with_unlock(self, *, request_id: str, at: datetime) -> list[Effect]:
        """End FARM-1's lockout, then begin when a CLCW says that it expects V(S)."""
        return self._direct(Event.E25, request_id, at)

    def initiate_ad_with_set_vr(
        self, *, request_id: str, value: int, at: datetime
    ) -> list[Effect]:
        """Set FARM-1 and V(S) to *value*, 0 to 255, and begin when a CLCW says so."""
        return self._direct(Event.E27, request_id, at, number=_sequence_number(value))

    def terminate_ad(self, *, request_id: str, at: datetime) -> list[Effect]:
        """End the service, suspended or not, and give every frame back unconfirmed."""
        return self._direct(Event.E29, request_id, at)

    def resume_ad(self, *, request_id: str, at: datetime) -> list[Effect]:
        """Go on where the service was suspended; refused if it was not.

        A resumption waits one more timer for acknowledgements; it sends
        nothing again by itself, the limit having been reached.
        """
        return self._direct(_RESUME_EVENTS[self._machine.suspend_state], request_id, at)

    def set_vs(self, *, request_id: str, value: int, at: datetime) -> list[Effect]:
        """Set V(S), 0 to 255, before an initiation; refused while active or suspended."""
        number = _sequence_number(value)
        if self.is_suspended:
            return [RejectedResponse(request_id, "the AD service is suspended; terminate it")]
        return self._direct(Event.E35, request_id, at, number=number)

    # What comes from below, and time.

    def on_clcw(self, clcw: Clcw, *, at: datetime) -> list[Effect]:
        """Take a CLCW; another channel's, or one for another COP, is ignored."""
        channel = self._machine.virtual_channel_id
        if clcw.virtual_channel_id != channel or clcw.cop_in_effect != COP_1:
            return []
        return self._machine.happen(
            self._classify(clcw), Occasion(at=at, number=clcw.report_value)
        )

    def on_invalid_clcw(self, *, at: datetime) -> list[Effect]:
        """Take note that this channel's CLCW cannot be decoded (E15): AD ends."""
        return self._machine.happen(Event.E15, Occasion(at=at))

    def on_link_failed(self, *, at: datetime) -> list[Effect]:
        """Take note that the layer below did not take a frame (E42, E44, E46): AD ends."""
        return self._machine.happen(Event.E42, Occasion(at=at))

    def next_deadline(self) -> datetime | None:
        """Return when :meth:`on_time` is due, mission time; None while no timer runs."""
        return self._machine.deadline

    def on_time(self, at: datetime) -> list[Effect]:
        """Act on the timer if it has run out by *at*."""
        machine = self._machine
        if machine.deadline is None or at < machine.deadline:
            return []
        machine.deadline = None
        below_limit = machine.transmission_count < machine.parameters.transmission_limit
        if machine.parameters.timeout_type is TimeoutType.ALERT:
            event = Event.E16 if below_limit else Event.E17
        else:
            event = Event.E104 if below_limit else Event.E18
        return machine.happen(event, Occasion(at=at))

    def _direct(
        self, event: Event, request_id: str, at: datetime, *, number: int = 0
    ) -> list[Effect]:
        if event is Event.E30:
            rejection = "the AD service is not suspended"
        else:
            rejection = f"state {self.state.name}; terminate the AD service first"
        return self._machine.happen(
            event,
            Occasion(at=at, request=Request(request_id), number=number, rejection=rejection),
        )

    # Which event a CLCW is: the left columns of table 5-1.

    def _classify(self, clcw: Clcw) -> Event:
        if clcw.lockout:
            return Event.E14
        machine = self._machine
        newly = (clcw.report_value - machine.expected_acknowledgement) % SEQUENCE_MODULUS
        if newly > len(machine.sent):
            return Event.E13
        if newly == len(machine.sent):
            return _classify_all_acknowledged(clcw, newly)
        if clcw.retransmit:
            return self._classify_retransmit(clcw, newly)
        if clcw.wait:
            return Event.E7
        return Event.E6 if newly else Event.E5

    def _classify_retransmit(self, clcw: Clcw, newly: int) -> Event:
        limit = self._machine.parameters.transmission_limit
        if limit == 1:
            return Event.E101 if newly else Event.E102
        if newly:
            return Event.E9 if clcw.wait else Event.E8
        if self._machine.transmission_count < limit:
            return Event.E11 if clcw.wait else Event.E10
        return Event.E103 if clcw.wait else Event.E12


def _classify_all_acknowledged(clcw: Clcw, newly: int) -> Event:
    if clcw.retransmit:
        return Event.E4
    if clcw.wait:
        return Event.E3
    return Event.E2 if newly else Event.E1


def _sequence_number(value: int) -> int:
    if not 0 <= value < SEQUENCE_MODULUS:
        raise ValueError(f"frame sequence number {value} is outside 0 to 255")
    return value
