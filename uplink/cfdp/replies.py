"""What the receiving end has to send: acknowledgements, NAKs and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uplink.cfdp.codes import (
    ConditionCode,
    DeliveryCode,
    Direction,
    DirectiveCode,
    FileStatus,
    TransactionId,
    TransactionStatus,
    TransmissionMode,
)
from uplink.cfdp.incoming import IncomingFile
from uplink.cfdp.pdu import Ack, Finished, KeepAlive, Pdu, PduBody, Prompt, PromptResponse
from uplink.cfdp.profile import CfdpProfile

COMPLETE = Finished(
    condition=ConditionCode.NO_ERROR,
    delivery_code=DeliveryCode.COMPLETE,
    file_status=FileStatus.RETAINED,
)


def incomplete(condition: ConditionCode, *, fault_location: int | None) -> Finished:
    """Return the verdict on a file that was not, or not rightly, received."""
    rejected = condition is ConditionCode.FILESTORE_REJECTION
    return Finished(
        condition=condition,
        delivery_code=DeliveryCode.INCOMPLETE,
        file_status=(
            FileStatus.DISCARDED_FILESTORE_REJECTION
            if rejected
            else FileStatus.DISCARDED_DELIBERATELY
        ),
        fault_location=fault_location,
    )


class Replies:
    """PDUs due towards the sending end, made when they are pulled.

    In class 1 nothing is ever due but the Finished PDU of a transaction whose
    Metadata asked for closure.
    """

    __slots__ = ("_ack_condition", "_large_file", "_mode", "_owed", "_profile", "_transaction_id")

    def __init__(
        self,
        *,
        transaction_id: TransactionId,
        profile: CfdpProfile,
        transmission_mode: TransmissionMode,
        large_file: bool,
    ) -> None:
        self._transaction_id = transaction_id
        self._profile = profile
        self._mode = transmission_mode
        self._large_file = large_file
        self._owed: set[DirectiveCode] = set()
        self._ack_condition = ConditionCode.NO_ERROR

    def owe_ack(self, condition: ConditionCode) -> None:
        """Have an EOF of this condition acknowledged."""
        self._ack_condition = condition
        self._owed.add(DirectiveCode.ACK)

    def take_prompt(self, prompt: Prompt, file: IncomingFile) -> None:
        """Owe what a Prompt asks for; class 1 has neither."""
        if self._mode is TransmissionMode.UNACKNOWLEDGED:
            return
        if prompt.response is PromptResponse.KEEP_ALIVE:
            self._owed.add(DirectiveCode.KEEP_ALIVE)
        elif file.whole() is None:
            file.missing.ask_for(0, file.scope_end)

    def owe_finished(self) -> None:
        self._owed.add(DirectiveCode.FINISHED)

    def forget_finished(self) -> None:
        self._owed.discard(DirectiveCode.FINISHED)

    def due(self, file: IncomingFile) -> bool:
        return bool(self._owed) or file.missing.nak_due

    def next_pdu(self, file: IncomingFile, outcome: Finished | None) -> Pdu:
        """Return the most urgent PDU; ask :meth:`due` before."""
        header = self._profile.header(
            self._transaction_id,
            direction=Direction.TOWARD_SENDER,
            transmission_mode=self._mode,
            large_file=self._large_file,
        )
        return Pdu(header, self._next_body(file, outcome))

    def note_sent(self, body: PduBody) -> None:
        match body:
            case Ack():
                self._owed.discard(DirectiveCode.ACK)
            case Finished():
                self._owed.discard(DirectiveCode.FINISHED)
            case KeepAlive():
                self._owed.discard(DirectiveCode.KEEP_ALIVE)

    def _next_body(self, file: IncomingFile, outcome: Finished | None) -> PduBody:
        if DirectiveCode.ACK in self._owed:
            return Ack(
                directive=DirectiveCode.EOF,
                condition=self._ack_condition,
                # An EOF after the end reopens the handshake of the verdict.
                status=TransactionStatus.ACTIVE,
            )
        if DirectiveCode.FINISHED in self._owed and outcome is not None:
            return outcome
        if file.missing.nak_due:
            return file.missing.next_nak(
                metadata_missing=file.metadata is None,
                large_file=self._large_file,
                max_octets=self._profile.segment_octets,
            )
        return KeepAlive(progress_octets=file.missing.end)

    def snapshot(self) -> dict[str, Any]:
        return {"owed": sorted(self._owed), "ack_condition": int(self._ack_condition)}

    def load(self, snapshot: Mapping[str, Any]) -> None:
        """Continue from a snapshot."""
        self._owed = {DirectiveCode(number) for number in snapshot["owed"]}
        self._ack_condition = ConditionCode(snapshot["ack_condition"])
