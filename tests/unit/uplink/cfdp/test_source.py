from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.uplink.cfdp.wire import T0, after, profile, reader, request
from uplink.cfdp.budget import PullBudget
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codes import (
    ChecksumType,
    ConditionCode,
    DeliveryCode,
    DirectiveCode,
    FaultHandler,
    FileStatus,
    TransactionId,
    TransactionStatus,
    TransmissionMode,
)
from uplink.cfdp.effects import (
    FaultDetected,
    PduRejected,
    TransactionAbandoned,
    TransactionFinished,
    TransactionSuspended,
)
from uplink.cfdp.errors import FileReadError, SnapshotError
from uplink.cfdp.pdu import Ack, Eof, FileData, Finished, KeepAlive, Metadata, Nak, Pdu
from uplink.cfdp.source import SourceTransaction
from uplink.cfdp.states import SourceState
from uplink.cfdp.tlv import Tlv, TlvType

ONE = TransactionId(1, 7)
CONTENT = bytes(range(150))  # segments of 64, 64 and 22 octets
CANCELLED = ConditionCode.CANCEL_REQUEST_RECEIVED


def source_of(content=CONTENT, *, mode=TransmissionMode.ACKNOWLEDGED, **changes):
    return SourceTransaction(
        transaction_id=ONE,
        profile=profile(**changes),
        request=request(content, transmission_mode=mode),
    )


def pull(source, at=T0, *, max_octets=10_000, max_count=None, content=CONTENT):
    budget = PullBudget(max_octets=max_octets, max_count=max_count)
    return [pdu.body for pdu in source.next_pdus(reader(content), at=at, budget=budget)]


def give(source, body, at=T0):
    header = source._pdu(body).header
    return source.receive(Pdu(header, body), at)


def ack_of_eof(condition=ConditionCode.NO_ERROR):
    return Ack(directive=DirectiveCode.EOF, condition=condition, status=TransactionStatus.ACTIVE)


def nak(*requests):
    return Nak(scope_start=0, scope_end=150, requests=requests)


VERDICT = Finished(
    condition=ConditionCode.NO_ERROR,
    delivery_code=DeliveryCode.COMPLETE,
    file_status=FileStatus.RETAINED,
)


def ranges(bodies):
    return [(body.offset, len(body.data)) for body in bodies if isinstance(body, FileData)]


def eofs(bodies):
    return [body for body in bodies if isinstance(body, Eof)]


class TestNextPdus:
    def test_gives_metadata_segments_and_eof_in_this_order(self):
        metadata, *segments, eof = pull(source_of())
        assert metadata == Metadata(
            source_file_name="result.bin",
            destination_file_name="stored-result.bin",
            size_octets=150,
            checksum_type=ChecksumType.CRC_32,
        )
        assert segments == [
            FileData(offset=0, data=CONTENT[:64]),
            FileData(offset=64, data=CONTENT[64:128]),
            FileData(offset=128, data=CONTENT[128:]),
        ]
        checksum = file_checksum(ChecksumType.CRC_32, reader(CONTENT), 150)
        assert eof == Eof(condition=ConditionCode.NO_ERROR, checksum=checksum, size_octets=150)

    def test_stops_where_the_room_ends_and_continues_there(self):
        source = source_of()
        got = [pull(source, max_octets=90) for _ in range(6)]
        assert [len(bodies) for bodies in got] == [1, 1, 1, 2, 0, 0]
        assert ranges(body for bodies in got for body in bodies) == [(0, 64), (64, 64), (128, 22)]

    def test_keeps_to_the_count(self):
        source = source_of()
        assert len(pull(source, max_count=2)) == 2
        assert pull(source, max_count=0) == []
        assert len(pull(source, max_count=9)) == 3
        assert not source.has_pdus

    def test_gives_retransmissions_out_of_the_same_pull_before_new_segments(self):
        source = source_of()
        pull(source, max_count=3)
        give(source, nak((0, 64)))
        assert ranges(pull(source)) == [(0, 64), (128, 22)]

    def test_sends_again_what_is_asked_for_once_however_often_it_is_asked(self):
        source = source_of()
        pull(source)
        give(source, nak((0, 0), (10, 20)))
        give(source, nak((0, 0), (15, 90)))
        metadata, *segments = pull(source)
        assert isinstance(metadata, Metadata)
        assert ranges(segments) == [(10, 64), (74, 16)]
        assert pull(source) == []

    def test_does_not_send_ahead_what_is_asked_for_before_its_first_time(self):
        source = source_of()
        pull(source, max_count=2)
        give(source, nak((0, 150), (900, 1000)))
        assert ranges(pull(source)) == [(0, 64), (64, 64), (128, 22)]

    def test_raises_when_the_file_is_shorter_than_it_was(self):
        source = source_of()
        budget = PullBudget(max_octets=10_000)
        with pytest.raises(FileReadError, match=r"64 octets at offset 64 .* gave 36"):
            source.next_pdus(reader(CONTENT[:100]), at=T0, budget=budget)

    def test_refuses_a_file_beyond_the_limit_of_the_profile(self):
        with pytest.raises(ValueError, match=r"has 150 octets; the limit .* is 149"):
            source_of(largest_file_octets=149)

    def test_uses_wide_offsets_for_a_large_file(self):
        given = replace(request(b""), size_octets=1 << 32)
        source = SourceTransaction(
            transaction_id=ONE, profile=profile(largest_file_octets=1 << 40), request=given
        )
        [pdu] = source.next_pdus(
            reader(b""), at=T0, budget=PullBudget(max_octets=1000, max_count=1)
        )
        assert pdu.header.large_file

    def test_refuses_a_name_that_metadata_cannot_hold(self):
        with pytest.raises(ValueError, match="has 260 octets; the limit is 255"):
            request(b"", name="é" * 130)


class TestClosing:
    def test_ends_with_the_verdict_and_acknowledges_it(self):
        source = source_of()
        pull(source)
        assert give(source, ack_of_eof()) == []
        assert source.state is SourceState.AWAITING_FINISHED
        finished = TransactionFinished(
            ONE, ConditionCode.NO_ERROR, DeliveryCode.COMPLETE, FileStatus.RETAINED
        )
        assert give(source, VERDICT, after(3)) == [finished]
        assert source.closed
        assert source.closed_at == after(3)
        [ack] = pull(source)
        assert ack == Ack(
            directive=DirectiveCode.FINISHED,
            condition=ConditionCode.NO_ERROR,
            status=TransactionStatus.TERMINATED,
        )
        assert source.next_deadline() is None

    def test_acknowledges_a_repeated_verdict_without_telling_it_again(self):
        source = source_of()
        pull(source)
        give(source, VERDICT)
        pull(source)
        assert give(source, VERDICT) == []
        assert [type(body) for body in pull(source)] == [Ack]
        assert pull(source) == []

    def test_stops_sending_when_the_receiver_gives_up(self):
        source = source_of()
        pull(source, max_count=2)
        refusal = replace(
            VERDICT,
            condition=ConditionCode.FILESTORE_REJECTION,
            delivery_code=DeliveryCode.INCOMPLETE,
            file_status=FileStatus.DISCARDED_FILESTORE_REJECTION,
        )
        [finished] = give(source, refusal)
        assert finished.condition is ConditionCode.FILESTORE_REJECTION
        assert [type(body) for body in pull(source)] == [Ack]

    def test_in_class_1_ends_when_all_is_sent(self):
        source = source_of(mode=TransmissionMode.UNACKNOWLEDGED)
        pull(source)
        assert source.state is SourceState.EOF_SENT
        assert source.next_deadline() == T0
        assert source.on_time(T0) == [
            TransactionFinished(
                ONE, ConditionCode.NO_ERROR, DeliveryCode.COMPLETE, FileStatus.UNREPORTED
            )
        ]

    def test_rejects_what_only_a_receiver_can_use(self):
        source = source_of()
        [rejected] = give(source, FileData(offset=0, data=b"x"))
        assert rejected == PduRejected(ONE, "FileData PDU is not for the sending end")


class TestTimers:
    def test_repeats_the_eof_until_it_is_acknowledged(self):
        source = source_of()
        pull(source)
        assert source.next_deadline() == after(5)
        assert source.on_time(after(4)) == []
        assert pull(source, after(4)) == []
        source.on_time(after(5))
        assert len(eofs(pull(source, after(5)))) == 1
        give(source, ack_of_eof(), after(6))
        assert source.on_time(after(11)) == []
        assert pull(source, after(11)) == []

    def test_does_not_repeat_an_eof_acknowledged_before_the_pull(self):
        source = source_of()
        pull(source)
        source.on_time(after(5))
        give(source, ack_of_eof(), after(5))
        assert pull(source, after(5)) == []

    def test_cancels_when_the_eof_is_never_acknowledged_and_then_abandons(self):
        source = source_of(ack_limit=3)
        pull(source)
        effects = run_dry(source)
        assert [(type(effect), effect.condition) for effect in effects] == [
            (FaultDetected, ConditionCode.POSITIVE_ACK_LIMIT_REACHED),
            (FaultDetected, ConditionCode.POSITIVE_ACK_LIMIT_REACHED),
            (TransactionAbandoned, ConditionCode.POSITIVE_ACK_LIMIT_REACHED),
        ]
        assert effects[0].detail == "EOF sent 3 times without an ACK"
        assert source.state is SourceState.ABANDONED

    def test_abandons_at_once_where_the_profile_says_so(self):
        source = source_of(ack_limit=3, limit_fault_handler=FaultHandler.ABANDON)
        pull(source)
        fault, abandoned = run_dry(source)
        assert isinstance(fault, FaultDetected)
        assert isinstance(abandoned, TransactionAbandoned)

    def test_suspends_at_a_limit_where_the_profile_says_so_and_tries_again(self):
        source = source_of(ack_limit=3, limit_fault_handler=FaultHandler.SUSPEND)
        pull(source)
        _, suspended = run_dry(source)
        condition = ConditionCode.POSITIVE_ACK_LIMIT_REACHED
        assert suspended == TransactionSuspended(ONE, condition)
        assert source.next_deadline() is None
        source.resume(after(9000))
        assert len(eofs(pull(source, after(9000)))) == 1
        give(source, ack_of_eof(), after(9001))
        [finished] = give(source, VERDICT, after(9002))
        assert finished.condition is ConditionCode.NO_ERROR

    def test_declares_inactivity_when_no_verdict_comes(self):
        source = source_of()
        pull(source)
        give(source, ack_of_eof(), after(1))
        give(source, KeepAlive(progress_octets=150), after(100))
        assert source.next_deadline() == after(400)
        [fault] = source.on_time(after(400))
        assert fault.condition is ConditionCode.INACTIVITY_DETECTED
        [eof] = pull(source, after(400))
        assert eof.condition is ConditionCode.INACTIVITY_DETECTED

    def test_asks_for_the_verdict_again_after_an_inactivity_that_suspended(self):
        source = source_of(limit_fault_handler=FaultHandler.SUSPEND)
        pull(source)
        give(source, ack_of_eof())
        source.on_time(after(300))
        assert source.suspended
        source.resume(after(9000))
        assert len(eofs(pull(source, after(9000)))) == 1


def run_dry(source):
    """Let every timer run out, pulling after each; return all effects."""
    effects = []
    while (deadline := source.next_deadline()) is not None:
        effects += source.on_time(deadline)
        pull(source, deadline)
    return effects


class TestSuspend:
    def test_gives_nothing_and_lets_no_timer_run(self):
        source = source_of()
        pull(source)
        source.suspend(after(3))
        assert source.next_deadline() is None
        assert source.on_time(after(90_000)) == []
        assert pull(source, after(90_000)) == []
        source.resume(after(90_000))
        assert source.next_deadline() == after(90_002)

    def test_keeps_what_arrives_for_the_next_pass(self):
        source = source_of()
        pull(source)
        source.suspend(after(3))
        give(source, nak((0, 64)), after(4))
        assert not source.has_pdus
        source.resume(after(9000))
        assert ranges(pull(source, after(9000))) == [(0, 64)]

    def test_gives_the_peer_a_full_wait_in_a_new_pass(self):
        source = source_of()
        pull(source)
        give(source, ack_of_eof())
        source.suspend(after(299))
        source.resume(after(9000))
        assert source.next_deadline() == after(9300)


class TestCancel:
    def test_tells_the_peer_how_far_it_had_come(self):
        source = source_of()
        pull(source, max_count=2)
        assert source.cancel(after(1)) == []
        [eof] = pull(source, after(1))
        assert eof == Eof(
            condition=CANCELLED,
            checksum=file_checksum(ChecksumType.CRC_32, reader(CONTENT), 64),
            size_octets=64,
            fault_location=1,
        )

    def test_ends_with_what_the_peer_did(self):
        source = source_of()
        pull(source)
        source.cancel(T0)
        pull(source)
        give(source, ack_of_eof())  # of the first EOF
        assert source.state is SourceState.CANCELLING
        give(source, ack_of_eof(CANCELLED))
        [finished] = give(source, VERDICT)
        assert finished.condition is ConditionCode.NO_ERROR  # it was too late to cancel
        assert [type(body) for body in pull(source)] == [Ack]

    def test_ends_without_a_verdict_where_the_peer_gives_none(self):
        source = source_of()
        source.cancel(T0)
        pull(source)
        give(source, ack_of_eof(CANCELLED))
        assert source.on_time(after(5)) == [
            TransactionFinished(ONE, CANCELLED, DeliveryCode.INCOMPLETE, FileStatus.UNREPORTED)
        ]

    def test_serves_no_nak_any_more(self):
        source = source_of()
        pull(source)
        source.cancel(T0)
        pull(source)
        give(source, nak((0, 64)))
        assert pull(source) == []

    def test_of_a_closed_or_cancelled_transaction_changes_nothing(self):
        source = source_of()
        source.cancel(T0)
        source.cancel(T0, ConditionCode.FILESTORE_REJECTION)
        [eof] = pull(source)
        assert eof.condition is CANCELLED
        give(source, VERDICT)
        pull(source)
        source.cancel(T0)
        assert pull(source) == []

    def test_in_class_1_sends_one_eof_and_ends(self):
        source = source_of(mode=TransmissionMode.UNACKNOWLEDGED)
        pull(source, max_count=2)
        source.cancel(T0)
        assert len(eofs(pull(source))) == 1
        [finished] = source.on_time(T0)
        assert finished.condition is CANCELLED
        assert finished.delivery_code is DeliveryCode.INCOMPLETE


def restored(source, at, **changes):
    snapshot = json.loads(json.dumps(source.snapshot(at)))
    return SourceTransaction.restore(snapshot, profile=profile(**changes), at=at)


class TestRestore:
    def test_continues_in_the_middle_of_the_file(self):
        source = source_of()
        pull(source, max_count=3)
        give(source, nak((0, 10)))
        again = restored(source, after(50))
        rest = pull(again, after(50))
        assert ranges(rest) == [(0, 10), (128, 22)]
        assert rest[-1] == pull(source_of())[-1]

    def test_keeps_names_and_options(self):
        given = replace(request(CONTENT), options=(Tlv(TlvType.MESSAGE_TO_USER, b"\x01\xff"),))
        source = SourceTransaction(transaction_id=ONE, profile=profile(), request=given)
        assert restored(source, T0).request == given

    def test_keeps_the_checksum_type_it_began_with(self):
        source = source_of(checksum_type=ChecksumType.MODULAR)
        pull(source, max_count=2)
        again = restored(source, T0, checksum_type=ChecksumType.CRC_32)
        eof = pull(again)[-1]
        assert eof.checksum == file_checksum(ChecksumType.MODULAR, reader(CONTENT), 150)

    def test_asks_for_a_verdict_that_may_have_been_lost_with_the_process(self):
        source = source_of()
        pull(source)
        give(source, ack_of_eof())
        again = restored(source, T0)
        assert len(eofs(pull(again))) == 1

    def test_gives_the_same_snapshot_again(self):
        source = source_of()
        pull(source, max_count=3)
        source.suspend(T0)
        snapshot = source.snapshot(T0)
        assert restored(source, T0).snapshot(after(9)) == snapshot

    def test_refuses_what_is_not_its_snapshot(self):
        with pytest.raises(SnapshotError, match="kind 'destination', format 1"):
            SourceTransaction.restore(
                {"kind": "destination", "format": 1}, profile=profile(), at=T0
            )
