"""The receiving end of one transaction (CCSDS 727.0-B-5 sections 4.6 and 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from uplink.cfdp.budget import PullBudget
from uplink.cfdp.closing import Closing
from uplink.cfdp.codes import (
    ChecksumType,
    ConditionCode,
    FaultHandler,
    TransactionId,
    TransmissionMode,
)
from uplink.cfdp.effects import (
    Effect,
    FaultDetected,
    FileComplete,
    FileDiscarded,
    MetadataReceived,
    PduRejected,
    TransactionSuspended,
    VerifyChecksum,
    WriteSegment,
)
from uplink.cfdp.incoming import IncomingFile
from uplink.cfdp.pdu import Eof, FileData, Finished, Metadata, Nak, Pdu, PduBody, Prompt
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.replies import COMPLETE, Replies, incomplete
from uplink.cfdp.snapshots import Snapshot, check_stamp, stamp
from uplink.cfdp.states import DestinationState
from uplink.cfdp.timers import Timers

_NAK_TIMER: Final = "nak"  # in class 1 the check timer, section 4.6.3.3
_INACTIVITY: Final = "inactivity"

_CLOSED: Final = frozenset({DestinationState.FINISHED, DestinationState.ABANDONED})
_OPEN: Final = frozenset({DestinationState.RECEIVING, DestinationState.AWAITING_MISSING})


class DestinationTransaction:
    """Receives one file. Sans-IO: PDUs and times in, effects out, PDUs by pull.

    The octets leave as :class:`WriteSegment` effects, each position once. When
    all have, :class:`VerifyChecksum` asks the runtime to read them back,
    because only the runtime knows what is really stored; it answers with
    :meth:`checksum_computed`. Times never go backwards.
    """

    def __init__(
        self,
        *,
        transaction_id: TransactionId,
        profile: CfdpProfile,
        transmission_mode: TransmissionMode,
        large_file: bool,
        at: datetime,
    ) -> None:
        self.transaction_id = transaction_id
        self.transmission_mode = transmission_mode
        self.large_file = large_file
        self._receiving = DestinationState.RECEIVING  # where it stood before the verdict
        self._profile = profile
        self._timers = Timers()
        self._timers.start(_INACTIVITY, at, profile.inactivity_s)
        self._file = IncomingFile(largest_octets=profile.largest_file_octets)
        self._replies = Replies(
            transaction_id=transaction_id,
            profile=profile,
            transmission_mode=transmission_mode,
            large_file=large_file,
        )
        self._closing = Closing(
            transaction_id=transaction_id,
            profile=profile,
            acknowledged=self._acknowledged,
            replies=self._replies,
        )
        self._nak_count = 0  # since the last octets that were missing
        self._verify_from: datetime | None = None  # restored while verifying: ask again

    @property
    def state(self) -> DestinationState:
        return self._closing.state or self._receiving

    @property
    def outcome(self) -> Finished | None:
        """The verdict, once there is one."""
        return self._closing.outcome

    @property
    def closed_at(self) -> datetime | None:
        return self._closing.closed_at

    @property
    def closed(self) -> bool:
        return self.state in _CLOSED

    @property
    def suspended(self) -> bool:
        return self._timers.suspended

    @property
    def metadata(self) -> Metadata | None:
        """Names and size as the sending end gave them, once they are here."""
        return self._file.metadata

    @property
    def progress_octets(self) -> int:
        """How many octets of the file have been received."""
        return self._file.missing.received_octets

    @property
    def size_octets(self) -> int | None:
        """Size of the file, as far as the sending end has told it."""
        return min(self._file.announced_octets, default=None)

    @property
    def has_pdus(self) -> bool:
        """Whether a pull would give something, given room."""
        return not self.suspended and self._replies.due(self._file)

    @property
    def _acknowledged(self) -> bool:
        return self.transmission_mode is TransmissionMode.ACKNOWLEDGED

    # What goes out

    def next_pdus(self, *, at: datetime, budget: PullBudget) -> list[Pdu]:
        """Return the PDUs to transmit now, as many as *budget* has room for."""
        pdus = []
        while self.has_pdus:
            pdu = self._replies.next_pdu(self._file, self.outcome)
            if not budget.take(pdu):
                break
            self._note_sent(pdu.body, at)
            pdus.append(pdu)
        return pdus

    def _note_sent(self, body: PduBody, at: datetime) -> None:
        self._replies.note_sent(body)
        self._closing.note_sent(body, self._timers, at)
        if isinstance(body, Nak):
            missing = self._file.missing
            missing.note_nak_sent(body)
            if not missing.nak_due and self.state is DestinationState.AWAITING_MISSING:
                self._start_nak_timer(at)

    def _start_nak_timer(self, at: datetime) -> None:
        self._nak_count += 1
        self._timers.start(_NAK_TIMER, at, self._profile.nak_timer_s)

    # What comes in

    def receive(self, pdu: Pdu, at: datetime) -> list[Effect]:
        """Take one PDU of this transaction; never raises on what the sky sends."""
        ours = (self.transmission_mode, self.large_file)
        if (pdu.header.transmission_mode, pdu.header.large_file) != ours:
            reason = "transmission mode or large file flag differs from the transaction's"
            return [PduRejected(self.transaction_id, reason)]
        if self.outcome is not None:
            return self._closing.answer(pdu.body, self._timers, at)
        if self.state in _OPEN:
            self._timers.start(_INACTIVITY, at, self._profile.inactivity_s)
        effects = self._take(pdu.body, at)
        return effects + self._advance(at)

    def _take(self, body: PduBody, at: datetime) -> list[Effect]:
        match body:
            case FileData():
                return self._take_file_data(body, at)
            case Metadata():
                return self._take_metadata(body, at)
            case Eof():
                return self._take_eof(body, at)
            case Prompt():
                self._replies.take_prompt(body, self._file)
                return []
        reason = f"{type(body).__name__} PDU is not for the receiving end now"
        return [PduRejected(self.transaction_id, reason)]

    def _take_metadata(self, metadata: Metadata, at: datetime) -> list[Effect]:
        if not self._file.take_metadata(metadata):
            return []
        return [MetadataReceived(self.transaction_id, metadata), *self._check(at)]

    def _take_file_data(self, segment: FileData, at: datetime) -> list[Effect]:
        if self.state is DestinationState.VERIFYING:
            return []
        start, known_end = segment.offset, self._file.missing.end
        pieces = self._file.take_file_data(segment)
        if faults := self._check(at):
            return faults
        if pieces:
            self._note_progress(at)
        if self._profile.immediate_nak and self._acknowledged and start > known_end:
            self._file.missing.ask_for(known_end, start)
        return [
            WriteSegment(self.transaction_id, low, segment.data[low - start : high - start])
            for low, high in pieces
        ]

    def _note_progress(self, at: datetime) -> None:
        if self._timers.is_set(_NAK_TIMER):
            # What was asked for is arriving: the silence begins anew.
            self._nak_count = 0
            self._timers.start(_NAK_TIMER, at, self._profile.nak_timer_s)

    def _take_eof(self, eof: Eof, at: datetime) -> list[Effect]:
        if self._acknowledged:
            self._replies.owe_ack(eof.condition)
        if eof.condition is not ConditionCode.NO_ERROR:
            return self._end(eof.condition, eof.fault_location, at)
        if not self._file.take_eof(eof):
            return []
        self._receiving = DestinationState.AWAITING_MISSING
        return self._check(at)

    def _check(self, at: datetime) -> list[Effect]:
        violation = self._file.violation
        return self._fault(violation.condition, violation.detail, at) if violation else []

    def _advance(self, at: datetime) -> list[Effect]:
        """After the EOF: verify when everything is here, else ask for the rest."""
        if self.state is not DestinationState.AWAITING_MISSING:
            return []
        if (whole := self._file.whole()) is not None:
            return self._verify(*whole, at)
        self._ask_for_missing(at)
        return []

    def _ask_for_missing(self, at: datetime) -> None:
        if self._timers.is_set(_NAK_TIMER) or self._file.missing.nak_due:
            return
        if self._acknowledged:
            self._file.missing.ask_for(0, self._file.scope_end)
        else:
            self._start_nak_timer(at)

    # The verdict

    def _verify(self, metadata: Metadata, eof: Eof, at: datetime) -> list[Effect]:
        self._receiving = DestinationState.VERIFYING
        self._file.missing.ask_no_more()
        self._timers.stop_all()
        checksum_type = ChecksumType(metadata.checksum_type)
        if checksum_type is ChecksumType.NULL:
            return self.checksum_computed(eof.checksum, at)
        return [VerifyChecksum(self.transaction_id, checksum_type, eof.size_octets)]

    def checksum_computed(self, checksum: int, at: datetime) -> list[Effect]:
        """Answer :class:`VerifyChecksum`; no effect when nothing was asked (any more)."""
        whole = self._file.whole()
        if self.state is not DestinationState.VERIFYING or whole is None:
            return []
        metadata, eof = whole
        if checksum != eof.checksum:
            detail = f"the file's checksum is {checksum:08x}, the EOF says {eof.checksum:08x}"
            return self._fault(ConditionCode.FILE_CHECKSUM_FAILURE, detail, at)
        complete = FileComplete(self.transaction_id, metadata, eof.size_octets, checksum)
        return [complete, *self._decide(COMPLETE, at)]

    def cancel(
        self,
        at: datetime,
        condition: ConditionCode = ConditionCode.CANCEL_REQUEST_RECEIVED,
    ) -> list[Effect]:
        """Stop receiving and tell the peer (Cancel.request); no effect once there is a verdict.

        A runtime that will not take the file says so with ``FILESTORE_REJECTION``.
        """
        if self.outcome is not None:
            return []
        return self._end(condition, self._profile.local_entity_id, at)

    def _fault(self, condition: ConditionCode, detail: str, at: datetime) -> list[Effect]:
        effects: list[Effect] = [FaultDetected(self.transaction_id, condition, detail)]
        handler = self._profile.fault_handler(condition)
        if handler is FaultHandler.SUSPEND:
            self._nak_count = 0
            self.suspend(at)
            return [*effects, TransactionSuspended(self.transaction_id, condition)]
        decided = self.outcome is not None
        if not decided:
            effects += self._end(condition, self._profile.local_entity_id, at)
        if decided or handler is FaultHandler.ABANDON:
            effects += self._closing.abandon(condition, self._timers, at)
        return effects

    def _end(self, condition: ConditionCode, location: int | None, at: datetime) -> list[Effect]:
        outcome = incomplete(condition, fault_location=location)
        return [FileDiscarded(self.transaction_id, condition), *self._decide(outcome, at)]

    def _decide(self, outcome: Finished, at: datetime) -> list[Effect]:
        self._file.missing.ask_no_more()
        closure_requested = self.metadata is not None and self.metadata.closure_requested
        return self._closing.decide(outcome, self._timers, at, closure_requested=closure_requested)

    # Time

    def next_deadline(self) -> datetime | None:
        """When :meth:`on_time` has something to do; None while nothing is awaited."""
        return self._verify_from or self._timers.next_deadline()

    def on_time(self, at: datetime) -> list[Effect]:
        """Act on the timers that have run out by *at*."""
        effects: list[Effect] = []
        if self._verify_from is not None:
            self._verify_from = None
            self._receiving = DestinationState.AWAITING_MISSING
            effects += self._advance(at)  # no effect where a verdict was given since
        for name in self._timers.take_expired(at):
            effects += self._expire(name, at)
        return effects

    def _expire(self, name: str, at: datetime) -> list[Effect]:
        if self.outcome is not None:
            detail = self._closing.expire(name)
            limit = ConditionCode.POSITIVE_ACK_LIMIT_REACHED
            return [] if detail is None else self._fault(limit, detail, at)
        if self.suspended:
            return []  # by a timer that ran out in the same instant
        if name == _INACTIVITY:
            silence = f"nothing from the peer for {self._profile.inactivity_s} s"
            return self._fault(ConditionCode.INACTIVITY_DETECTED, silence, at)
        if self._nak_count < self._profile.nak_limit:
            return self._advance(at)
        detail = f"{self._nak_count} times nothing came of what is missing"
        if self._acknowledged:
            return self._fault(ConditionCode.NAK_LIMIT_REACHED, detail, at)
        return self._fault(ConditionCode.CHECK_LIMIT_REACHED, detail, at)

    def suspend(self, at: datetime) -> None:
        """Freeze: no timer runs and a pull gives nothing, until :meth:`resume`."""
        self._timers.suspend(at)

    def resume(self, at: datetime) -> None:
        """Continue with the time each timer had left, and a full wait for the peer."""
        self._timers.resume(at)
        self._closing.resume(self._timers)
        if self.state in _OPEN:
            self._timers.start(_INACTIVITY, at, self._profile.inactivity_s)
        if self.state is DestinationState.AWAITING_MISSING:
            self._ask_for_missing(at)

    # Durability

    def snapshot(self, at: datetime) -> Snapshot:
        """Return everything needed to continue, as a JSON object."""
        return {
            **stamp("destination", self.transaction_id),
            "transmission_mode": int(self.transmission_mode),
            "large_file": self.large_file,
            "state": str(self._receiving),
            "closing": self._closing.snapshot(),
            "timers": self._timers.snapshot(at),
            "file": self._file.snapshot(),
            "replies": self._replies.snapshot(),
            "nak_count": self._nak_count,
        }

    @classmethod
    def restore(
        cls, snapshot: Mapping[str, Any], *, profile: CfdpProfile, at: datetime
    ) -> DestinationTransaction:
        """Continue from a snapshot, as if no time had passed since it was taken.

        Raises:
            SnapshotError: It is not a destination transaction's snapshot of this format.
        """
        transaction = cls(
            transaction_id=check_stamp(snapshot, "destination"),
            profile=profile,
            transmission_mode=TransmissionMode(snapshot["transmission_mode"]),
            large_file=snapshot["large_file"],
            at=at,
        )
        transaction._receiving = DestinationState(snapshot["state"])
        transaction._closing.load(snapshot["closing"])
        transaction._timers = Timers.restore(snapshot["timers"], at)
        transaction._file = IncomingFile.restore(
            snapshot["file"], largest_octets=profile.largest_file_octets
        )
        transaction._replies.load(snapshot["replies"])
        transaction._nak_count = snapshot["nak_count"]
        if transaction.state is DestinationState.VERIFYING:
            transaction._verify_from = at
        return transaction
