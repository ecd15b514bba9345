"""The CFDP entity towards one peer: every PDU to its transaction, every pull shared.

Source: CCSDS 727.0-B-5. See the package's docstring for the order in which
a runtime applies effects, commits the snapshots and pulls PDUs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from uplink.cfdp.budget import PullBudget
from uplink.cfdp.codec import decode_pdu
from uplink.cfdp.codes import (
    ConditionCode,
    Direction,
    DirectiveCode,
    TransactionId,
    TransactionStatus,
    TransmissionMode,
)
from uplink.cfdp.destination import DestinationTransaction
from uplink.cfdp.effects import Effect, PduRejected, TransactionForgotten
from uplink.cfdp.errors import PduError
from uplink.cfdp.header import PduHeader
from uplink.cfdp.pdu import Ack, Eof, FileData, Finished, Metadata, Pdu, Prompt
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.request import PutRequest
from uplink.cfdp.snapshots import Snapshot
from uplink.cfdp.source import SourceTransaction

ReadFile = Callable[[TransactionId, int, int], bytes]  # (transaction, offset, length)

_OPENS_RECEPTION: Final = (Metadata, FileData, Eof, Prompt)
_STRAY_ACKS_LIMIT: Final = 64  # answers to Finished PDUs of forgotten transactions


class CfdpEntity:
    """All transactions with one peer, in both directions.

    Sequence numbers come from the caller, who keeps them durable: a number
    that was used once must never come again. Times never go backwards.

    Attributes:
        sources: Files that go out, oldest first.
        destinations: Files that come in, oldest first.
    """

    def __init__(self, profile: CfdpProfile, *, suspended: bool = False) -> None:
        self.profile = profile
        self.sources: dict[TransactionId, SourceTransaction] = {}
        self.destinations: dict[TransactionId, DestinationTransaction] = {}
        self.suspended = suspended
        self._stray_acks: list[Pdu] = []

    @property
    def transactions(self) -> Iterable[SourceTransaction | DestinationTransaction]:
        return (*self.sources.values(), *self.destinations.values())

    @property
    def has_pdus(self) -> bool:
        """Whether a pull would give something, given room."""
        if self.suspended:
            return False
        return bool(self._stray_acks) or any(one.has_pdus for one in self.transactions)

    # What goes out

    def put(self, request: PutRequest, *, sequence_number: int, at: datetime) -> SourceTransaction:
        """Start to send a file (Put.request).

        Raises:
            ValueError: The sequence number is in use or does not fit its field,
                or the file is larger than the profile allows.
        """
        transaction_id = TransactionId(self.profile.local_entity_id, sequence_number)
        width = self.profile.sequence_number_octets
        if not 0 <= sequence_number < 1 << 8 * width:
            raise ValueError(f"sequence number {sequence_number} does not fit {width} octets")
        if transaction_id in self.sources:
            raise ValueError(
                f"transaction {transaction_id} exists already. Take the next sequence number."
            )
        source = SourceTransaction(
            transaction_id=transaction_id, profile=self.profile, request=request
        )
        if self.suspended:
            source.suspend(at)
        self.sources[transaction_id] = source
        return source

    def next_pdus(
        self, read: ReadFile, *, at: datetime, max_octets: int, max_count: int | None = None
    ) -> list[Pdu]:
        """Return the PDUs to transmit now: answers first, then files, oldest first.

        Args:
            read: Gives ``length`` octets at ``offset`` of the file that a
                transaction sends.
            at: Moment of transmission.
            max_octets: Room on the link for encoded PDUs, without what carries
                them; let it grow to ``profile.largest_pdu_octets``.
            max_count: How many PDUs at most.

        Raises:
            FileReadError: A file to send is not what it was. Cancel its transaction.
        """
        if self.suspended:
            return []
        budget = PullBudget(max_octets=max_octets, max_count=max_count)
        pdus = []
        while self._stray_acks and budget.take(self._stray_acks[0]):
            pdus.append(self._stray_acks.pop(0))
        for destination in self.destinations.values():
            pdus += destination.next_pdus(at=at, budget=budget)
        # A closed source only owes an acknowledgement: before the long files.
        for source in sorted(self.sources.values(), key=lambda source: not source.closed):
            read_source = partial(read, source.transaction_id)
            pdus += source.next_pdus(read_source, at=at, budget=budget)
        return pdus

    # What comes in

    def receive(self, octets: bytes, at: datetime) -> list[Effect]:
        """Take one PDU as it came from the link; never raises on what the sky sends."""
        try:
            pdu = decode_pdu(octets)
        except PduError as error:
            return [PduRejected(None, str(error))]
        return self.receive_pdu(pdu, at)

    def receive_pdu(self, pdu: Pdu, at: datetime) -> list[Effect]:
        """Take one decoded PDU."""
        header = pdu.header
        ends = (header.source_entity_id, header.destination_entity_id)
        ours = (self.profile.local_entity_id, self.profile.remote_entity_id)
        if header.direction is Direction.TOWARD_SENDER and ends == ours:
            return self._to_source(pdu, at)
        if header.direction is Direction.TOWARD_RECEIVER and ends == ours[::-1]:
            return self._to_destination(pdu, at)
        reason = (
            f"PDU from entity {ends[0]} to {ends[1]}, {header.direction.name.lower()}; "
            f"this is entity {ours[0]} with peer {ours[1]}"
        )
        return [PduRejected(header.transaction_id, reason)]

    def _to_source(self, pdu: Pdu, at: datetime) -> list[Effect]:
        source = self.sources.get(pdu.header.transaction_id)
        if source is not None:
            return source.receive(pdu, at)
        if isinstance(pdu.body, Finished):
            self._acknowledge_stray(pdu.header, pdu.body)
        reason = f"{type(pdu.body).__name__} PDU of a transaction that is not known here"
        return [PduRejected(pdu.header.transaction_id, reason)]

    def _acknowledge_stray(self, header: PduHeader, finished: Finished) -> None:
        """Let a receiver close that waits for a transaction which we have forgotten."""
        acknowledged = header.transmission_mode is TransmissionMode.ACKNOWLEDGED
        if not acknowledged or len(self._stray_acks) >= _STRAY_ACKS_LIMIT:
            return
        reply = self.profile.header(
            header.transaction_id,
            direction=Direction.TOWARD_RECEIVER,
            transmission_mode=header.transmission_mode,
            large_file=header.large_file,
        )
        ack = Ack(
            directive=DirectiveCode.FINISHED,
            condition=finished.condition,
            status=TransactionStatus.UNRECOGNIZED,
        )
        if Pdu(reply, ack) not in self._stray_acks:
            self._stray_acks.append(Pdu(reply, ack))

    def _to_destination(self, pdu: Pdu, at: datetime) -> list[Effect]:
        transaction_id = pdu.header.transaction_id
        destination = self.destinations.get(transaction_id)
        if destination is None:
            refusal = self._refuse_reception(pdu)
            if refusal is not None:
                return [PduRejected(transaction_id, refusal)]
            destination = self._open_reception(pdu.header, at)
        return destination.receive(pdu, at)

    def _refuse_reception(self, pdu: Pdu) -> str | None:
        if not isinstance(pdu.body, _OPENS_RECEPTION):
            return f"{type(pdu.body).__name__} PDU of a transaction that is not known here"
        open_now = sum(not one.closed for one in self.destinations.values())
        if open_now >= self.profile.reception_limit:
            return f"{open_now} receptions are open; the limit is {self.profile.reception_limit}"
        return None

    def _open_reception(self, header: PduHeader, at: datetime) -> DestinationTransaction:
        destination = DestinationTransaction(
            transaction_id=header.transaction_id,
            profile=self.profile,
            transmission_mode=header.transmission_mode,
            large_file=header.large_file,
            at=at,
        )
        if self.suspended:
            destination.suspend(at)
        self.destinations[header.transaction_id] = destination
        return destination

    def checksum_computed(
        self, transaction_id: TransactionId, checksum: int, at: datetime
    ) -> list[Effect]:
        """Answer ``VerifyChecksum``; raises KeyError for a transaction that is not known."""
        return self.destinations[transaction_id].checksum_computed(checksum, at)

    def cancel(
        self,
        transaction_id: TransactionId,
        at: datetime,
        condition: ConditionCode = ConditionCode.CANCEL_REQUEST_RECEIVED,
    ) -> list[Effect]:
        """Cancel from this end (Cancel.request); raises KeyError for an unknown transaction."""
        source = self.sources.get(transaction_id)
        if source is not None:
            return source.cancel(at, condition)
        return self.destinations[transaction_id].cancel(at, condition)

    # Time

    def next_deadline(self) -> datetime | None:
        """When :meth:`on_time` has something to do; None while nothing is awaited."""
        deadlines = [one.next_deadline() for one in self.transactions]
        return min((at for at in deadlines if at is not None), default=None)

    def on_time(self, at: datetime) -> list[Effect]:
        """Act on all timers that have run out, and forget what was closed long ago."""
        effects: list[Effect] = []
        for transaction in self.transactions:
            effects += transaction.on_time(at)
        return effects + self._forget(at)

    def _forget(self, at: datetime) -> list[Effect]:
        latest = at - timedelta(seconds=self.profile.retention_s)
        forgotten = [
            one.transaction_id
            for one in self.transactions
            if one.closed and one.closed_at is not None and one.closed_at <= latest
        ]
        for transaction_id in forgotten:
            self.sources.pop(transaction_id, None)
            self.destinations.pop(transaction_id, None)
        return [TransactionForgotten(transaction_id) for transaction_id in forgotten]

    def suspend(self, at: datetime) -> None:
        """The link is gone: freeze every transaction until :meth:`resume`."""
        self.suspended = True
        for transaction in self.transactions:
            transaction.suspend(at)

    def resume(self, at: datetime) -> None:
        """The link is back: continue every transaction, also those that a fault suspended."""
        self.suspended = False
        for transaction in self.transactions:
            transaction.resume(at)

    # Durability

    def snapshot(self, at: datetime) -> list[Snapshot]:
        """Return a JSON object for each transaction; each may also be stored by itself."""
        return [transaction.snapshot(at) for transaction in self.transactions]

    @classmethod
    def restore(
        cls,
        snapshots: Iterable[Mapping[str, Any]],
        *,
        profile: CfdpProfile,
        at: datetime,
        suspended: bool = False,
    ) -> CfdpEntity:
        """Continue from the snapshots of all transactions.

        Args:
            snapshots: In the order the transactions began.
            profile: Towards the peer; may differ in its timers and limits.
            at: Now; the time since the snapshots were taken does not count.
            suspended: Whether the link is closed now.

        Raises:
            SnapshotError: A snapshot is of another format.
        """
        entity = cls(profile, suspended=suspended)
        for snapshot in snapshots:
            entity._adopt(snapshot, at)
        return entity

    def _adopt(self, snapshot: Mapping[str, Any], at: datetime) -> None:
        transaction: SourceTransaction | DestinationTransaction
        if snapshot.get("kind") == "source":
            transaction = SourceTransaction.restore(snapshot, profile=self.profile, at=at)
            self.sources[transaction.transaction_id] = transaction
        else:
            transaction = DestinationTransaction.restore(snapshot, profile=self.profile, at=at)
            self.destinations[transaction.transaction_id] = transaction
        if self.suspended:
            transaction.suspend(at)
        else:
            transaction.resume(at)
