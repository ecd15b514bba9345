"""How the receiving end closes a transaction: verdict, Finished PDU, its ACK.

Source: CCSDS 727.0-B-5 sections 4.6.6, 4.7 and 4.11.2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from uplink.cfdp.codes import ConditionCode, DirectiveCode, TransactionId
from uplink.cfdp.effects import Effect, TransactionAbandoned, TransactionFinished
from uplink.cfdp.pdu import Ack, Eof, Finished, PduBody
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.replies import Replies
from uplink.cfdp.snapshots import (
    finished_from_json,
    finished_to_json,
    time_from_json,
    time_to_json,
)
from uplink.cfdp.states import DestinationState
from uplink.cfdp.timers import Timers

_ACK_TIMER: Final = "ack"


class Closing:
    """Holds the verdict, and repeats it until the sending end acknowledges.

    Attributes:
        outcome: The verdict; None while the file is still being received.
        state: FINISHING, FINISHED or ABANDONED; None while there is no verdict.
        closed_at: When the handshake ended.
    """

    def __init__(
        self,
        *,
        transaction_id: TransactionId,
        profile: CfdpProfile,
        acknowledged: bool,
        replies: Replies,
    ) -> None:
        self.outcome: Finished | None = None
        self.state: DestinationState | None = None
        self.closed_at: datetime | None = None
        self._transaction_id = transaction_id
        self._profile = profile
        self._acknowledged = acknowledged
        self._replies = replies
        self._count = 0  # of Finished PDUs sent since one was called for
        self._announced = False  # how it ended was told to the user

    def decide(
        self, outcome: Finished, timers: Timers, at: datetime, *, closure_requested: bool
    ) -> list[Effect]:
        """Give the verdict. In class 1 that is the end of it."""
        self.outcome = outcome
        self.state = DestinationState.FINISHING
        timers.stop_all()
        if self._acknowledged or closure_requested:
            self._replies.owe_finished()
        return [] if self._acknowledged else self._finish(timers, at)

    def note_sent(self, body: PduBody, timers: Timers, at: datetime) -> None:
        if isinstance(body, Finished) and self._acknowledged:
            self._count += 1
            timers.start(_ACK_TIMER, at, self._profile.ack_timer_s)

    def answer(self, body: PduBody, timers: Timers, at: datetime) -> list[Effect]:
        """Answer what comes after the verdict; nothing is delivered again."""
        if not self._acknowledged:
            return []
        match body:
            case Eof(condition=condition):
                self._replies.owe_ack(condition)
                if self.state is not DestinationState.FINISHING:
                    # The sending end has not got the verdict, or has lost it.
                    self.state = DestinationState.FINISHING
                    self.repeat()
            case Ack(directive=DirectiveCode.FINISHED):
                if self.state is DestinationState.FINISHING:
                    self._replies.forget_finished()
                    return self._finish(timers, at)
        return []

    def repeat(self) -> None:
        """Send the Finished PDU again, with a full set of tries."""
        self._count = 0
        self._replies.owe_finished()

    def expire(self, timer: str) -> str | None:
        """Repeat the Finished PDU whose ACK did not come in time.

        Returns:
            What went wrong, once it was repeated too often; else None.
        """
        if timer != _ACK_TIMER:
            return None  # ran out in the instant of the verdict
        if self._count >= self._profile.ack_limit:
            return f"Finished sent {self._count} times without an ACK"
        self._replies.owe_finished()
        return None

    def resume(self, timers: Timers) -> None:
        if self.state is DestinationState.FINISHING and not timers.is_set(_ACK_TIMER):
            self.repeat()

    def abandon(self, condition: ConditionCode, timers: Timers, at: datetime) -> list[Effect]:
        """Close without the peer's word; what was announced before stays as it is."""
        self._replies.forget_finished()
        if self._announced:
            self._close(DestinationState.FINISHED, timers, at)
            return []
        self._close(DestinationState.ABANDONED, timers, at)
        return [TransactionAbandoned(self._transaction_id, condition)]

    def _finish(self, timers: Timers, at: datetime) -> list[Effect]:
        told, verdict = self._announced, self.outcome
        self._close(DestinationState.FINISHED, timers, at)
        if told or verdict is None:
            return []
        return [
            TransactionFinished(
                self._transaction_id, verdict.condition, verdict.delivery_code, verdict.file_status
            )
        ]

    def _close(self, state: DestinationState, timers: Timers, at: datetime) -> None:
        self.state = state
        self.closed_at = at
        self._announced = True
        timers.stop_all()

    def snapshot(self) -> dict[str, Any]:
        return {
            "outcome": finished_to_json(self.outcome),
            "state": None if self.state is None else str(self.state),
            "closed_at": time_to_json(self.closed_at),
            "count": self._count,
            "announced": self._announced,
        }

    def load(self, snapshot: Mapping[str, Any]) -> None:
        """Continue from a snapshot."""
        self.outcome = finished_from_json(snapshot["outcome"])
        state = snapshot["state"]
        self.state = None if state is None else DestinationState(state)
        self.closed_at = time_from_json(snapshot["closed_at"])
        self._count = snapshot["count"]
        self._announced = snapshot["announced"]
