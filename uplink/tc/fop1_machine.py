"""The variables and actions of FOP-1, driven by its state table.

Pure: an event in, effects out. ``fop1`` says which event something is; this
module only does what the table's cell says. The snapshot is JSON-able, so that
V(S) and the frames not yet acknowledged survive the process.

Source: CCSDS 232.1-B-2 sections 5.1 (variables) and 5.2 (actions).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from uplink.tc.fop1_effects import (
    AcceptedResponse,
    Alert,
    AlertKind,
    Effect,
    FopParameters,
    NegativeConfirm,
    PositiveConfirm,
    RejectedResponse,
    Suspend,
    TimeoutType,
    TransmitFrame,
)
from uplink.tc.fop1_table import TABLE, Action, Event, State
from uplink.tc.tc_frame import (
    ControlCommand,
    SegmentFlags,
    SegmentHeader,
    SetVr,
    TcFrame,
    Unlock,
    control_frame,
)

SEQUENCE_MODULUS: Final = 256
SNAPSHOT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Request:
    """A frame asked for, or a directive, which has no data."""

    request_id: str
    data: bytes = b""
    segment_header: SegmentHeader | None = None


@dataclass(slots=True)
class _SentFrame:
    request: Request
    to_be_retransmitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What the event is about; the actions read what they need of it."""

    at: datetime
    request: Request = Request("")
    number: int = 0  # N(R) of a CLCW, or the value of a directive
    rejection: str = ""  # why, where the cell says to reject


class FopMachine:
    """The state of FOP-1 for one virtual channel."""

    def __init__(
        self, *, spacecraft_id: int, virtual_channel_id: int, parameters: FopParameters
    ) -> None:
        self.spacecraft_id = spacecraft_id
        self.virtual_channel_id = virtual_channel_id
        self.parameters = parameters
        self.state = State.INITIAL
        self.suspend_state = 0  # SS
        self.next_number = 0  # V(S)
        self.sent: list[_SentFrame] = []
        self.waiting: Request | None = None
        self.transmission_count = 1
        self.deadline: datetime | None = None
        self._initiation_id: str | None = None  # of the initiation under way
        self._control_command: ControlCommand | None = None
        self._effects: list[Effect] = []

    @property
    def expected_acknowledgement(self) -> int:
        """NN(R): the number of the oldest frame not acknowledged, or V(S) if there is none.

        It follows from V(S) and the queue, so that purging the queue sets it,
        too; kept apart, the two could disagree at the next initiation.
        """
        return (self.next_number - len(self.sent)) % SEQUENCE_MODULUS

    def happen(self, event: Event, occasion: Occasion) -> list[Effect]:
        """Carry out the table's cell for *event* in the present state."""
        cell = TABLE[event][self.state - 1]
        if cell is None:
            raise AssertionError(f"FOP-1 event {event.name} cannot occur in {self.state.name}")
        actions, next_state = cell
        self._effects = []
        for action in actions:
            _ACTIONS[action](self, occasion)
        self.state = next_state
        return self._effects

    # Responses to the layer above.

    def accept(self, occasion: Occasion) -> None:
        self._effects.append(AcceptedResponse(occasion.request.request_id))

    def reject(self, occasion: Occasion) -> None:
        self._effects.append(RejectedResponse(occasion.request.request_id, occasion.rejection))

    def confirm(self, occasion: Occasion) -> None:
        request_id = occasion.request.request_id
        if self._initiation_id == request_id:
            self._initiation_id = None
        self._effects.append(PositiveConfirm(request_id))

    def confirm_initiation(self, _: Occasion) -> None:
        if self._initiation_id is not None:
            self._effects.append(PositiveConfirm(self._initiation_id))
            self._initiation_id = None

    # Beginning and ending the AD service.

    def initialise(self, occasion: Occasion) -> None:
        self._purge("the AD service is initiated anew")
        self._initiation_id = occasion.request.request_id
        self.transmission_count = 1
        self.suspend_state = 0

    def resume(self, occasion: Occasion) -> None:
        self.start_timer(occasion)
        self.suspend_state = 0

    def suspend(self, _: Occasion) -> None:
        self.suspend_state = int(self.state)
        self._effects.append(Suspend(self.state))

    def set_vs(self, occasion: Occasion) -> None:
        self.next_number = occasion.number

    def alert(self, _: Occasion, *, kind: AlertKind) -> None:
        """End the service; a suspended one, too, since its frames are given back."""
        self.deadline = None
        self._control_command = None
        self.suspend_state = 0
        self._purge(kind.value)
        if self._initiation_id is not None:
            self._effects.append(NegativeConfirm(self._initiation_id, kind.value))
            self._initiation_id = None
        self._effects.append(Alert(kind))

    def _purge(self, reason: str) -> None:
        for frame in self.sent:
            self._effects.append(NegativeConfirm(frame.request.request_id, reason))
        self.sent.clear()
        if self.waiting is not None:
            self._effects.append(RejectedResponse(self.waiting.request_id, reason))
            self.waiting = None

    # AD frames.

    def add_to_wait_queue(self, occasion: Occasion) -> None:
        self.waiting = occasion.request

    def look_for_fdu(self, occasion: Occasion) -> None:
        """Send what is to be sent again, then what waits while the window has room."""
        for place, frame in enumerate(self.sent):
            if frame.to_be_retransmitted:
                frame.to_be_retransmitted = False
                number = (self.expected_acknowledgement + place) % SEQUENCE_MODULUS
                self._transmit_ad(frame.request, number, occasion)
        if self.waiting is None or len(self.sent) >= self.parameters.window_width:
            return
        request, self.waiting = self.waiting, None
        if not self.sent:
            self.transmission_count = 1
        self._effects.append(AcceptedResponse(request.request_id))
        self._transmit_ad(request, self.next_number, occasion)
        self.sent.append(_SentFrame(request))
        self.next_number = (self.next_number + 1) % SEQUENCE_MODULUS

    def _transmit_ad(self, request: Request, number: int, occasion: Occasion) -> None:
        frame = self._data_frame(request, bypass=False, number=number)
        self._effects.append(TransmitFrame(frame, request.request_id))
        self.start_timer(occasion)

    def remove_acknowledged(self, occasion: Occasion) -> None:
        newly = (occasion.number - self.expected_acknowledgement) % SEQUENCE_MODULUS
        for frame in self.sent[:newly]:
            self._effects.append(PositiveConfirm(frame.request.request_id))
        del self.sent[:newly]
        self.transmission_count = 1

    def initiate_ad_retransmission(self, occasion: Occasion) -> None:
        self.transmission_count += 1
        for frame in self.sent:
            frame.to_be_retransmitted = True
        self.start_timer(occasion)

    # BD and BC frames.

    def transmit_bd(self, occasion: Occasion) -> None:
        frame = self._data_frame(occasion.request, bypass=True, number=0)
        self._effects.append(TransmitFrame(frame, occasion.request.request_id))

    def transmit_unlock(self, occasion: Occasion) -> None:
        self._transmit_bc(Unlock(), occasion)

    def transmit_set_vr(self, occasion: Occasion) -> None:
        self.next_number = occasion.number
        self._transmit_bc(SetVr(occasion.number), occasion)

    def retransmit_bc(self, occasion: Occasion) -> None:
        self.transmission_count += 1
        if self._control_command is not None:
            self._transmit_bc(self._control_command, occasion)

    def release_bc(self, _: Occasion) -> None:
        self._control_command = None

    def _transmit_bc(self, command: ControlCommand, occasion: Occasion) -> None:
        self._control_command = command
        frame = control_frame(
            spacecraft_id=self.spacecraft_id,
            virtual_channel_id=self.virtual_channel_id,
            command=command,
        )
        self._effects.append(TransmitFrame(frame, self._initiation_id or ""))
        self.start_timer(occasion)

    def _data_frame(self, request: Request, *, bypass: bool, number: int) -> TcFrame:
        return TcFrame(
            spacecraft_id=self.spacecraft_id,
            virtual_channel_id=self.virtual_channel_id,
            bypass=bypass,
            frame_sequence_number=number,
            segment_header=request.segment_header,
            data=request.data,
        )

    # The timer.

    def start_timer(self, occasion: Occasion) -> None:
        self.deadline = occasion.at + self.parameters.t1_initial

    def cancel_timer(self, _: Occasion) -> None:
        self.deadline = None

    # Across passes and restarts.

    def snapshot(self) -> dict[str, Any]:
        parameters = self.parameters
        return {
            "version": SNAPSHOT_VERSION,
            "spacecraft_id": self.spacecraft_id,
            "virtual_channel_id": self.virtual_channel_id,
            "state": int(self.state),
            "suspend_state": self.suspend_state,
            "next_number": self.next_number,
            "sent": [
                _write_request(frame.request) | {"again": frame.to_be_retransmitted}
                for frame in self.sent
            ],
            "waiting": None if self.waiting is None else _write_request(self.waiting),
            "transmission_count": self.transmission_count,
            "deadline": None if self.deadline is None else self.deadline.isoformat(),
            "initiation_id": self._initiation_id,
            "control_command": _write_command(self._control_command),
            "window_width": parameters.window_width,
            "t1_initial_us": parameters.t1_initial // timedelta(microseconds=1),
            "transmission_limit": parameters.transmission_limit,
            "timeout_type": int(parameters.timeout_type),
        }

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> FopMachine:
        """Return the machine as it was; ValueError where the snapshot has another version."""
        if snapshot.get("version") != SNAPSHOT_VERSION:
            raise ValueError(
                f"FOP-1 snapshot of version {snapshot.get('version')}, "
                f"this program reads version {SNAPSHOT_VERSION}"
            )
        machine = cls(
            spacecraft_id=snapshot["spacecraft_id"],
            virtual_channel_id=snapshot["virtual_channel_id"],
            parameters=FopParameters(
                window_width=snapshot["window_width"],
                t1_initial=timedelta(microseconds=snapshot["t1_initial_us"]),
                transmission_limit=snapshot["transmission_limit"],
                timeout_type=TimeoutType(snapshot["timeout_type"]),
            ),
        )
        deadline, waiting = snapshot["deadline"], snapshot["waiting"]
        machine.state = State(snapshot["state"])
        machine.suspend_state = snapshot["suspend_state"]
        machine.next_number = snapshot["next_number"]
        machine.sent = [_SentFrame(_read_request(one), one["again"]) for one in snapshot["sent"]]
        machine.waiting = None if waiting is None else _read_request(waiting)
        machine.transmission_count = snapshot["transmission_count"]
        machine.deadline = None if deadline is None else datetime.fromisoformat(deadline)
        machine._initiation_id = snapshot["initiation_id"]
        machine._control_command = _read_command(snapshot["control_command"])
        return machine


def _write_request(request: Request) -> dict[str, Any]:
    header = request.segment_header
    return {
        "request_id": request.request_id,
        "data": request.data.hex(),
        "segment": None if header is None else [int(header.flags), header.map_id],
    }


def _read_request(written: dict[str, Any]) -> Request:
    segment = written["segment"]
    header = None if segment is None else SegmentHeader(SegmentFlags(segment[0]), segment[1])
    return Request(written["request_id"], bytes.fromhex(written["data"]), header)


def _write_command(command: ControlCommand | None) -> str | int | None:
    """Return V*(R) of a Set V(R), "unlock", or None."""
    if isinstance(command, SetVr):
        return command.value
    return None if command is None else "unlock"


def _read_command(written: str | int | None) -> ControlCommand | None:
    if isinstance(written, int):
        return SetVr(written)
    return None if written is None else Unlock()


_ACTIONS: Final[dict[Action, Callable[[FopMachine, Occasion], None]]] = {
    Action.ACCEPT: FopMachine.accept,
    Action.REJECT: FopMachine.reject,
    Action.CONFIRM: FopMachine.confirm,
    Action.CONFIRM_INITIATION: FopMachine.confirm_initiation,
    Action.INITIALISE: FopMachine.initialise,
    Action.RESUME: FopMachine.resume,
    Action.SUSPEND: FopMachine.suspend,
    Action.SET_VS: FopMachine.set_vs,
    Action.TRANSMIT_UNLOCK: FopMachine.transmit_unlock,
    Action.TRANSMIT_SET_VR: FopMachine.transmit_set_vr,
    Action.TRANSMIT_BD: FopMachine.transmit_bd,
    Action.RETRANSMIT_BC: FopMachine.retransmit_bc,
    Action.RELEASE_BC: FopMachine.release_bc,
    Action.ADD_TO_WAIT_QUEUE: FopMachine.add_to_wait_queue,
    Action.LOOK_FOR_FDU: FopMachine.look_for_fdu,
    Action.REMOVE_ACKNOWLEDGED: FopMachine.remove_acknowledged,
    Action.INITIATE_AD_RETRANSMISSION: FopMachine.initiate_ad_retransmission,
    Action.START_TIMER: FopMachine.start_timer,
    Action.CANCEL_TIMER: FopMachine.cancel_timer,
    **{Action[f"ALERT_{kind.name}"]: partial(FopMachine.alert, kind=kind) for kind in AlertKind},
}
