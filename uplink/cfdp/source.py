"""The sending end of one transaction (CCSDS 727.0-B-5 sections 4.6 and 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from uplink.cfdp.budget import PullBudget
from uplink.cfdp.checksum import Read
from uplink.cfdp.codes import (
    ConditionCode,
    DeliveryCode,
    Direction,
    DirectiveCode,
    FaultHandler,
    FileStatus,
    TransactionId,
    TransactionStatus,
    TransmissionMode,
)
from uplink.cfdp.effects import (
    Effect,
    FaultDetected,
    PduRejected,
    TransactionAbandoned,
    TransactionFinished,
    TransactionSuspended,
)
from uplink.cfdp.intervals import Interval
from uplink.cfdp.outgoing import OutgoingFile, read_segment
from uplink.cfdp.pdu import Ack, Eof, FileData, Finished, KeepAlive, Metadata, Nak, Pdu, PduBody
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.request import PutRequest
from uplink.cfdp.snapshots import Snapshot, check_stamp, stamp, time_from_json, time_to_json
from uplink.cfdp.states import SourceState
from uplink.cfdp.timers import Timers

_LARGE_FILE_OCTETS: Final = 1 << 32  # from here on offsets need 8 octets

_ACK_TIMER: Final = "ack"
_INACTIVITY: Final = "inactivity"
_CLOSE: Final = "close"  # nothing more is expected of the peer


_CLOSED: Final = frozenset({SourceState.FINISHED, SourceState.ABANDONED})
_CANCELLED: Final = frozenset({SourceState.CANCELLING, SourceState.CANCEL_ACKNOWLEDGED})
_SERVES_NAKS: Final = frozenset(
    {SourceState.SENDING, SourceState.AWAITING_EOF_ACK, SourceState.AWAITING_FINISHED}
)


class SourceTransaction:
    """Sends one file. Sans-IO: PDUs and times in, effects out, PDUs by pull.

    The file is read as it is sent, through the ``read`` given to
    :meth:`next_pdus`; its checksum is summed up on the way, so it need not be
    read twice. Times never go backwards.
    """

    def __init__(
        self, *, transaction_id: TransactionId, profile: CfdpProfile, request: PutRequest
    ) -> None:
        """Start a transaction; nothing is sent before the first pull.

        Raises:
            ValueError: The file is larger than the profile allows.
        """
        if not 0 <= request.size_octets <= profile.largest_file_octets:
            raise ValueError(
                f"{request.source_file_name} has {request.size_octets} octets; the limit of the "
                f"CFDP profile is {profile.largest_file_octets}. Send it in parts."
            )
        self.transaction_id = transaction_id
        self.request = request
        self.state = SourceState.SENDING
        self.condition = ConditionCode.NO_ERROR
        self.closed_at: datetime | None = None
        self._profile = profile
        self._timers = Timers()
        self._owed = {DirectiveCode.METADATA, DirectiveCode.EOF}
        self._file = OutgoingFile(
            size_octets=request.size_octets, checksum_type=profile.checksum_type
        )
        self._eof_count = 0  # transmissions since the peer last made progress
        self._ack_condition = ConditionCode.NO_ERROR  # of the Finished PDU to acknowledge

    @property
    def closed(self) -> bool:
        return self.state in _CLOSED

    @property
    def suspended(self) -> bool:
        return self._timers.suspended

    @property
    def progress_octets(self) -> int:
        """How much of the file was sent at least once."""
        return self._file.cursor

    @property
    def has_pdus(self) -> bool:
        """Whether a pull would give something, given room."""
        return self._step_now() is not None

    # What goes out

    def next_pdus(self, read: Read, *, at: datetime, budget: PullBudget) -> list[Pdu]:
        """Return the PDUs to transmit now, as many as *budget* has room for.

        Args:
            read: Gives exactly ``length`` octets of the file at ``offset``.
            at: Moment of transmission; timers of what is sent start here.
            budget: Room; what is returned was taken from it.

        Raises:
            FileReadError: *read* gave another number of octets.
        """
        pdus = []
        while not budget.spent and (step := self._step_now()) is not None:
            pdu = self._pdu(self._body(step, read))
            if not budget.take(pdu):
                break
            self._note_sent(step, pdu.body, at)
            pdus.append(pdu)
        return pdus

    def _step_now(self) -> DirectiveCode | Interval | None:
        return None if self.suspended else self._next_step()

    def _next_step(self) -> DirectiveCode | Interval | None:
        if DirectiveCode.ACK in self._owed:
            return DirectiveCode.ACK
        if self.state not in _SERVES_NAKS:
            return self._owed_or_none(DirectiveCode.EOF)
        if DirectiveCode.METADATA in self._owed:
            return DirectiveCode.METADATA
        segment = self._file.next_segment(self._profile.segment_octets)
        return segment or self._owed_or_none(DirectiveCode.EOF)

    def _owed_or_none(self, directive: DirectiveCode) -> DirectiveCode | None:
        return directive if directive in self._owed else None

    def _body(self, step: DirectiveCode | Interval, read: Read) -> PduBody:
        match step:
            case DirectiveCode.ACK:
                return Ack(
                    directive=DirectiveCode.FINISHED,
                    condition=self._ack_condition,
                    status=TransactionStatus.TERMINATED,
                )
            case DirectiveCode.METADATA:
                return self._metadata()
            case DirectiveCode():
                return self._eof()
            case segment:
                return read_segment(read, segment)

    def _metadata(self) -> Metadata:
        return Metadata(
            source_file_name=self.request.source_file_name,
            destination_file_name=self.request.destination_file_name,
            size_octets=self.request.size_octets,
            checksum_type=self._file.checksum_type,
            options=self.request.options,
        )

    def _eof(self) -> Eof:
        cancelled = self.condition is not ConditionCode.NO_ERROR
        return Eof(
            condition=self.condition,
            checksum=self._file.checksum,
            size_octets=self._file.cursor,
            fault_location=self._profile.local_entity_id if cancelled else None,
        )

    def _pdu(self, body: PduBody) -> Pdu:
        header = self._profile.header(
            self.transaction_id,
            direction=Direction.TOWARD_RECEIVER,
            transmission_mode=self.request.transmission_mode,
            large_file=self.request.size_octets >= _LARGE_FILE_OCTETS,
        )
        return Pdu(header, body)

    def _note_sent(self, step: DirectiveCode | Interval, body: PduBody, at: datetime) -> None:
        match body:
            case FileData():
                self._file.note_sent(body)
            case Eof():
                self._note_eof(at)
        if isinstance(step, DirectiveCode):
            self._owed.discard(step)
        if self.state is SourceState.AWAITING_FINISHED:
            self._timers.start(_INACTIVITY, at, self._profile.inactivity_s)

    def _note_eof(self, at: datetime) -> None:
        if self.request.transmission_mode is TransmissionMode.UNACKNOWLEDGED:
            self.state = SourceState.EOF_SENT
            self._timers.start(_CLOSE, at, 0)
            return
        if self.state is SourceState.SENDING:
            self.state = SourceState.AWAITING_EOF_ACK
        self._eof_count += 1
        self._timers.start(_ACK_TIMER, at, self._profile.ack_timer_s)

    # What comes in

    def receive(self, pdu: Pdu, at: datetime) -> list[Effect]:
        """Take one PDU of this transaction; never raises on what the sky sends."""
        if self._timers.is_set(_INACTIVITY):
            self._timers.start(_INACTIVITY, at, self._profile.inactivity_s)
        match pdu.body:
            case Ack(directive=DirectiveCode.EOF) as ack:
                self._take_eof_ack(ack, at)
            case Nak() as nak:
                self._take_nak(nak)
            case Finished() as finished:
                return self._take_finished(finished, at)
            case KeepAlive():
                pass  # a sign of life, which the inactivity timer has seen
            case body:
                reason = f"{type(body).__name__} PDU is not for the sending end"
                return [PduRejected(self.transaction_id, reason)]
        return []

    def _take_eof_ack(self, ack: Ack, at: datetime) -> None:
        if ack.condition is not self.condition:
            return  # of the EOF before the cancellation
        if self.state is SourceState.AWAITING_EOF_ACK:
            self.state = SourceState.AWAITING_FINISHED
            self._timers.start(_INACTIVITY, at, self._profile.inactivity_s)
        elif self.state is SourceState.CANCELLING:
            # Some peers report with a Finished PDU now and some fall silent.
            self.state = SourceState.CANCEL_ACKNOWLEDGED
            self._timers.start(_CLOSE, at, self._profile.ack_timer_s)
        else:
            return
        self._eof_count = 0
        self._owed.discard(DirectiveCode.EOF)
        self._timers.stop(_ACK_TIMER)

    def _take_nak(self, nak: Nak) -> None:
        if self.state not in _SERVES_NAKS:
            return
        for start, end in nak.requests:
            if start == end == 0:
                self._owed.add(DirectiveCode.METADATA)
            else:
                self._file.send_again(start, end)

    def _take_finished(self, finished: Finished, at: datetime) -> list[Effect]:
        if self.request.transmission_mode is TransmissionMode.ACKNOWLEDGED:
            self._owed.add(DirectiveCode.ACK)
            self._ack_condition = finished.condition
        if self.closed:
            return []
        self.condition = finished.condition
        return self._finish(finished.delivery_code, finished.file_status, at)

    # Time

    def next_deadline(self) -> datetime | None:
        """When :meth:`on_time` has something to do; None while nothing is awaited."""
        return self._timers.next_deadline()

    def on_time(self, at: datetime) -> list[Effect]:
        """Act on the timers that have run out by *at*."""
        effects: list[Effect] = []
        for name in self._timers.take_expired(at):
            effects += self._expire(name, at)
        return effects

    def _expire(self, name: str, at: datetime) -> list[Effect]:
        if name == _CLOSE:
            complete = self.condition is ConditionCode.NO_ERROR
            code = DeliveryCode.COMPLETE if complete else DeliveryCode.INCOMPLETE
            return self._finish(code, FileStatus.UNREPORTED, at)
        if name == _INACTIVITY:
            silence = f"nothing from the peer for {self._profile.inactivity_s} s"
            return self._fault(ConditionCode.INACTIVITY_DETECTED, silence, at)
        if self._eof_count < self._profile.ack_limit:
            self._owed.add(DirectiveCode.EOF)
            return []
        detail = f"EOF sent {self._eof_count} times without an ACK"
        return self._fault(ConditionCode.POSITIVE_ACK_LIMIT_REACHED, detail, at)

    def suspend(self, at: datetime) -> None:
        """Freeze: no timer runs and a pull gives nothing, until :meth:`resume`."""
        self._timers.suspend(at)

    def resume(self, at: datetime) -> None:
        """Continue with the time each timer had left, and a full wait for the peer."""
        self._timers.resume(at)
        if self.state is SourceState.AWAITING_FINISHED:
            if self._timers.is_set(_INACTIVITY):
                self._timers.start(_INACTIVITY, at, self._profile.inactivity_s)
            else:  # it ran out and suspended the transaction
                self._ask_for_verdict()
        awaiting = self.state in (SourceState.AWAITING_EOF_ACK, SourceState.CANCELLING)
        if awaiting and not self._timers.is_set(_ACK_TIMER):
            self._owed.add(DirectiveCode.EOF)

    def _ask_for_verdict(self) -> None:
        """Repeat the EOF, which a receiver that has finished answers with its Finished PDU."""
        self.state = SourceState.AWAITING_EOF_ACK
        self._owed.add(DirectiveCode.EOF)
        self._timers.stop(_INACTIVITY)

    # Ends

    def cancel(
        self,
        at: datetime,
        condition: ConditionCode = ConditionCode.CANCEL_REQUEST_RECEIVED,
    ) -> list[Effect]:
        """Stop sending and tell the peer (Cancel.request); no effect on a closed transaction."""
        if self.closed or self.state in _CANCELLED:
            return []
        self.state = SourceState.CANCELLING
        self.condition = condition
        self._eof_count = 0
        self._file.send_nothing_again()
        self._owed = {DirectiveCode.EOF}
        self._timers.stop_all()
        return []

    def _fault(self, condition: ConditionCode, detail: str, at: datetime) -> list[Effect]:
        effects: list[Effect] = [FaultDetected(self.transaction_id, condition, detail)]
        handler = self._profile.fault_handler(condition)
        if handler is FaultHandler.SUSPEND:
            self._eof_count = 0
            self.suspend(at)
            return [*effects, TransactionSuspended(self.transaction_id, condition)]
        if handler is FaultHandler.ABANDON or self.state in _CANCELLED:
            self._close(SourceState.ABANDONED, at)
            return [*effects, TransactionAbandoned(self.transaction_id, condition)]
        return effects + self.cancel(at, condition)

    def _finish(
        self, delivery_code: DeliveryCode, file_status: FileStatus, at: datetime
    ) -> list[Effect]:
        self._close(SourceState.FINISHED, at)
        return [
            TransactionFinished(self.transaction_id, self.condition, delivery_code, file_status)
        ]

    def _close(self, state: SourceState, at: datetime) -> None:
        self.state = state
        self.closed_at = at
        self._owed &= {DirectiveCode.ACK}
        self._file.send_nothing_again()
        self._timers.stop_all()

    # Durability

    def snapshot(self, at: datetime) -> Snapshot:
        """Return everything needed to continue, as a JSON object."""
        return {
            **stamp("source", self.transaction_id),
            "request": self.request.to_json(),
            "state": str(self.state),
            "condition": int(self.condition),
            "closed_at": time_to_json(self.closed_at),
            "timers": self._timers.snapshot(at),
            "owed": sorted(self._owed),
            "file": self._file.snapshot(),
            "eof_count": self._eof_count,
            "ack_condition": int(self._ack_condition),
        }

    @classmethod
    def restore(
        cls, snapshot: Mapping[str, Any], *, profile: CfdpProfile, at: datetime
    ) -> SourceTransaction:
        """Continue from a snapshot, as if no time had passed since it was taken.

        Raises:
            SnapshotError: It is not a source transaction's snapshot of this format.
        """
        transaction_id = check_stamp(snapshot, "source")
        transaction = cls(
            transaction_id=transaction_id,
            profile=profile,
            request=PutRequest.from_json(snapshot["request"]),
        )
        transaction.state = SourceState(snapshot["state"])
        transaction.condition = ConditionCode(snapshot["condition"])
        transaction.closed_at = time_from_json(snapshot["closed_at"])
        transaction._timers = Timers.restore(snapshot["timers"], at)
        transaction._owed = {DirectiveCode(number) for number in snapshot["owed"]}
        transaction._file = OutgoingFile.restore(snapshot["file"])
        transaction._eof_count = snapshot["eof_count"]
        transaction._ack_condition = ConditionCode(snapshot["ack_condition"])
        if transaction.state is SourceState.AWAITING_FINISHED:
            # The verdict may have been received after the snapshot and be lost.
            transaction._ask_for_verdict()
        return transaction
