from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.uplink.cfdp.wire import T0, after, profile, reader
from uplink.cfdp.budget import PullBudget
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codes import (
    ChecksumType,
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
from uplink.cfdp.destination import DestinationTransaction
from uplink.cfdp.effects import (
    FaultDetected,
    FileComplete,
    FileDiscarded,
    MetadataReceived,
    PduRejected,
    TransactionAbandoned,
    TransactionFinished,
    TransactionSuspended,
    VerifyChecksum,
    WriteSegment,
)
from uplink.cfdp.pdu import (
    Ack,
    Eof,
    FileData,
    Finished,
    KeepAlive,
    Metadata,
    Nak,
    Pdu,
    Prompt,
    PromptResponse,
)
from uplink.cfdp.states import DestinationState

ONE = TransactionId(2, 7)  # entity 2 sends to us, entity 1
CONTENT = bytes(range(150))
CHECKSUM = file_checksum(ChecksumType.CRC_32, reader(CONTENT), 150)
METADATA = Metadata(
    source_file_name="../../etc/passwd",
    destination_file_name="job-7.out",
    size_octets=150,
    checksum_type=ChecksumType.CRC_32,
)
EOF = Eof(condition=ConditionCode.NO_ERROR, checksum=CHECKSUM, size_octets=150)
CANCEL = replace(EOF, condition=ConditionCode.CANCEL_REQUEST_RECEIVED, fault_location=2)
ACK_OF_FINISHED = Ack(
    directive=DirectiveCode.FINISHED,
    condition=ConditionCode.NO_ERROR,
    status=TransactionStatus.TERMINATED,
)
COMPLETE = Finished(
    condition=ConditionCode.NO_ERROR,
    delivery_code=DeliveryCode.COMPLETE,
    file_status=FileStatus.RETAINED,
)
FINISHED_WELL = TransactionFinished(
    ONE, ConditionCode.NO_ERROR, DeliveryCode.COMPLETE, FileStatus.RETAINED
)
CLASS_1 = TransmissionMode.UNACKNOWLEDGED


def destination_of(*, mode=TransmissionMode.ACKNOWLEDGED, large_file=False, **changes):
    return DestinationTransaction(
        transaction_id=ONE,
        profile=profile(**changes),
        transmission_mode=mode,
        large_file=large_file,
        at=T0,
    )


def give(destination, body, at=T0, **changes):
    header = profile().header(
        ONE,
        direction=Direction.TOWARD_RECEIVER,
        transmission_mode=destination.transmission_mode,
        large_file=destination.large_file,
    )
    return destination.receive(Pdu(replace(header, **changes), body), at)


def segment(start, end):
    return FileData(offset=start, data=CONTENT[start:end])


def pull(destination, at=T0, max_octets=10_000):
    budget = PullBudget(max_octets=max_octets)
    return [pdu.body for pdu in destination.next_pdus(at=at, budget=budget)]


def received_whole(destination, at=T0):
    """Give everything and the right checksum; return the effects of the latter."""
    for body in (METADATA, segment(0, 150), EOF):
        give(destination, body, at)
    return destination.checksum_computed(CHECKSUM, at)


def finished(destination):
    received_whole(destination)
    pull(destination)
    give(destination, ACK_OF_FINISHED)
    return destination


class TestReceive:
    def test_takes_a_file_in_order(self):
        destination = destination_of()
        assert give(destination, METADATA) == [MetadataReceived(ONE, METADATA)]
        assert give(destination, segment(0, 100)) == [WriteSegment(ONE, 0, CONTENT[:100])]
        assert give(destination, segment(100, 150)) == [WriteSegment(ONE, 100, CONTENT[100:])]
        assert give(destination, EOF) == [VerifyChecksum(ONE, ChecksumType.CRC_32, 150)]
        assert destination.state is DestinationState.VERIFYING
        complete = FileComplete(ONE, METADATA, 150, CHECKSUM)
        assert destination.checksum_computed(CHECKSUM, T0) == [complete]
        ack, verdict = pull(destination)
        assert ack == Ack(
            directive=DirectiveCode.EOF,
            condition=ConditionCode.NO_ERROR,
            status=TransactionStatus.ACTIVE,
        )
        assert verdict == COMPLETE
        assert give(destination, ACK_OF_FINISHED, after(1)) == [FINISHED_WELL]
        assert (destination.closed, destination.closed_at) == (True, after(1))
        assert destination.next_deadline() is None

    def test_takes_it_backwards_with_the_metadata_last(self):
        destination = destination_of()
        assert give(destination, EOF) == []
        assert give(destination, segment(100, 150)) == [WriteSegment(ONE, 100, CONTENT[100:])]
        assert give(destination, segment(0, 100)) == [WriteSegment(ONE, 0, CONTENT[:100])]
        assert give(destination, METADATA) == [
            MetadataReceived(ONE, METADATA),
            VerifyChecksum(ONE, ChecksumType.CRC_32, 150),
        ]

    def test_writes_every_octet_once(self):
        destination = destination_of()
        give(destination, segment(10, 20))
        assert give(destination, segment(10, 20)) == []
        assert give(destination, segment(5, 30)) == [
            WriteSegment(ONE, 5, CONTENT[5:10]),
            WriteSegment(ONE, 20, CONTENT[20:30]),
        ]
        assert destination.progress_octets == 25

    def test_takes_an_empty_file(self):
        destination = destination_of()
        give(destination, replace(METADATA, size_octets=0))
        empty = replace(EOF, checksum=0, size_octets=0)
        assert give(destination, empty) == [VerifyChecksum(ONE, ChecksumType.CRC_32, 0)]

    def test_asks_for_no_verification_of_a_null_checksum(self):
        destination = destination_of()
        null = replace(METADATA, checksum_type=ChecksumType.NULL, size_octets=10)
        give(destination, null)
        give(destination, segment(0, 10))
        end = replace(EOF, checksum=0, size_octets=10)
        assert give(destination, end) == [FileComplete(ONE, null, 10, 0)]

    def test_rejects_a_pdu_of_another_class(self):
        destination = destination_of()
        [rejected] = give(destination, EOF, transmission_mode=CLASS_1)
        assert isinstance(rejected, PduRejected)
        assert destination.state is DestinationState.RECEIVING

    def test_rejects_what_only_a_sender_can_use(self):
        [rejected] = give(destination_of(), ACK_OF_FINISHED)
        assert "Ack PDU is not for the receiving end now" in rejected.reason


class TestNak:
    def test_asks_after_the_eof_for_everything_that_is_missing(self):
        destination = destination_of()
        give(destination, segment(10, 20))
        give(destination, segment(50, 60))
        assert pull(destination) == []
        give(destination, EOF)
        ack, nak = pull(destination)
        assert isinstance(ack, Ack)
        assert nak == Nak(
            scope_start=0,
            scope_end=150,
            requests=((0, 0), (0, 10), (20, 50), (60, 150)),
        )
        assert pull(destination) == []

    def test_asks_at_once_for_a_gap_where_the_profile_says_so(self):
        destination = destination_of(immediate_nak=True)
        give(destination, METADATA)
        give(destination, segment(0, 10))
        give(destination, segment(30, 40))
        assert pull(destination) == [Nak(scope_start=10, scope_end=30, requests=((10, 30),))]
        give(destination, segment(40, 50))
        assert pull(destination) == []

    def test_splits_a_long_list_into_naks_whose_scopes_join(self):
        destination = destination_of(segment_octets=33)  # three requests in a NAK
        give(destination, METADATA)
        for start in range(0, 140, 20):
            give(destination, segment(start, start + 10))
        give(destination, EOF)
        _, *naks = pull(destination)
        assert [(nak.scope_start, nak.scope_end) for nak in naks] == [
            (0, 60),
            (60, 120),
            (120, 150),
        ]
        wanted = [request for nak in naks for request in nak.requests]
        assert wanted == [*((at, at + 10) for at in range(10, 130, 20)), (130, 150)]
        assert max(len(nak.requests) for nak in naks) == 3

    def test_continues_a_long_list_in_the_next_pull(self):
        destination = destination_of(segment_octets=33)
        give(destination, METADATA)
        for start in range(0, 140, 20):
            give(destination, segment(start, start + 10))
        give(destination, EOF)
        pulls = [pull(destination, max_octets=60) for _ in range(4)]
        scopes = [
            (body.scope_start, body.scope_end)
            for bodies in pulls
            for body in bodies
            if isinstance(body, Nak)
        ]
        assert scopes == [(0, 60), (60, 120), (120, 150)]

    def test_is_repeated_after_a_silence_and_not_while_something_arrives(self):
        destination = destination_of()
        give(destination, METADATA)
        give(destination, EOF)
        pull(destination)
        assert destination.next_deadline() == after(5)
        give(destination, segment(0, 50), after(4))
        assert destination.next_deadline() == after(9)
        assert destination.on_time(after(8)) == []
        assert pull(destination, after(8)) == []
        destination.on_time(after(9))
        [nak] = pull(destination, after(9))
        assert nak.requests == ((50, 150),)

    def test_answers_a_prompt(self):
        destination = destination_of()
        give(destination, segment(20, 30))
        give(destination, Prompt(response=PromptResponse.NAK))
        give(destination, Prompt(response=PromptResponse.KEEP_ALIVE))
        assert pull(destination) == [
            Nak(scope_start=0, scope_end=30, requests=((0, 0), (0, 20))),
            KeepAlive(progress_octets=30),
        ]

    def test_uses_offsets_of_8_octets_for_a_large_file(self):
        destination = destination_of(large_file=True, segment_octets=33)
        give(destination, EOF)
        _, *naks = destination.next_pdus(at=T0, budget=PullBudget(max_octets=1000))
        assert all(nak.header.large_file for nak in naks)
        assert naks[0].body.requests == ((0, 0), (0, 150))


class TestRepeats:
    def test_acknowledges_a_repeated_eof_while_receiving(self):
        destination = destination_of()
        give(destination, EOF)
        pull(destination)
        assert give(destination, EOF) == []
        assert [type(body) for body in pull(destination)] == [Ack]

    def test_answers_a_repeated_eof_after_the_end_and_delivers_nothing_again(self):
        destination = finished(destination_of())
        assert give(destination, EOF, after(100)) == []
        ack, verdict = pull(destination, after(100))
        assert ack.status is TransactionStatus.ACTIVE
        assert verdict == COMPLETE
        assert give(destination, ACK_OF_FINISHED, after(101)) == []
        assert destination.closed

    def test_ignores_late_segments_and_metadata_after_the_end(self):
        destination = finished(destination_of())
        assert give(destination, METADATA) == []
        assert give(destination, segment(0, 50)) == []
        assert pull(destination) == []

    def test_answers_a_cancellation_that_comes_too_late_with_the_verdict(self):
        destination = finished(destination_of())
        assert give(destination, CANCEL) == []
        ack, verdict = pull(destination)
        assert ack.condition is ConditionCode.CANCEL_REQUEST_RECEIVED
        assert verdict == COMPLETE

    def test_stays_finished_when_the_repeated_verdict_is_not_acknowledged(self):
        destination = finished(destination_of(ack_limit=2))
        give(destination, EOF)
        pull(destination)
        effects = run_dry(destination)
        assert [type(effect) for effect in effects] == [FaultDetected]
        assert destination.state is DestinationState.FINISHED


def run_dry(destination):
    """Let every timer run out, pulling after each; return all effects."""
    effects = []
    while (deadline := destination.next_deadline()) is not None:
        effects += destination.on_time(deadline)
        pull(destination, deadline)
    return effects


def conditions(effects):
    return [(type(effect), effect.condition) for effect in effects]


class TestFaults:
    def test_a_wrong_checksum_discards_the_file_and_tells_the_sender(self):
        destination = destination_of()
        for body in (METADATA, segment(0, 150), EOF):
            give(destination, body)
        failure = ConditionCode.FILE_CHECKSUM_FAILURE
        effects = destination.checksum_computed(CHECKSUM ^ 1, T0)
        assert conditions(effects) == [(FaultDetected, failure), (FileDiscarded, failure)]
        _, verdict = pull(destination)
        assert verdict == Finished(
            condition=failure,
            delivery_code=DeliveryCode.INCOMPLETE,
            file_status=FileStatus.DISCARDED_DELIBERATELY,
            fault_location=1,
        )
        [told] = give(destination, replace(ACK_OF_FINISHED, condition=failure))
        assert told.condition is failure

    def test_takes_no_checksum_that_was_not_asked_for(self):
        destination = destination_of()
        give(destination, METADATA)
        assert destination.checksum_computed(CHECKSUM, T0) == []
        assert destination.state is DestinationState.RECEIVING

    @pytest.mark.parametrize(
        "bodies",
        [
            (METADATA, FileData(offset=150, data=b"x")),
            (FileData(offset=150, data=b"x"), METADATA),
            (EOF, FileData(offset=150, data=b"x")),
            (FileData(offset=150, data=b"x"), EOF),
            (METADATA, FileData(offset=120, data=b"x"), replace(EOF, size_octets=120)),
        ],
    )
    def test_an_octet_beyond_the_end_of_the_file(self, bodies):
        destination = destination_of()
        effects = [effect for body in bodies for effect in give(destination, body)]
        error = ConditionCode.FILE_SIZE_ERROR
        assert conditions(effects[-2:]) == [(FaultDetected, error), (FileDiscarded, error)]

    @pytest.mark.parametrize(
        "body",
        [METADATA, EOF, FileData(offset=99, data=b"xx"), FileData(offset=1 << 31, data=b"x")],
    )
    def test_a_file_beyond_the_limit_of_the_profile_is_refused(self, body):
        destination = destination_of(largest_file_octets=100)
        effects = give(destination, body)
        rejection = ConditionCode.FILESTORE_REJECTION
        assert conditions(effects[-2:]) == [(FaultDetected, rejection), (FileDiscarded, rejection)]
        assert not [effect for effect in effects if isinstance(effect, WriteSegment)]
        verdict = pull(destination)[-1]
        assert verdict.file_status is FileStatus.DISCARDED_FILESTORE_REJECTION

    def test_a_checksum_type_that_is_not_computed_here(self):
        destination = destination_of()
        _, fault, _ = give(destination, replace(METADATA, checksum_type=2))
        assert fault.condition is ConditionCode.UNSUPPORTED_CHECKSUM_TYPE
        assert fault.detail == "checksum type 2 is not computed here"

    def test_inactivity_while_receiving(self):
        destination = destination_of()
        give(destination, METADATA, after(100))
        assert destination.next_deadline() == after(400)
        effects = destination.on_time(after(400))
        inactivity = ConditionCode.INACTIVITY_DETECTED
        assert conditions(effects) == [(FaultDetected, inactivity), (FileDiscarded, inactivity)]

    def test_naks_that_bring_nothing_reach_their_limit(self):
        destination = destination_of(nak_limit=3)
        give(destination, METADATA)
        give(destination, EOF)
        pull(destination)
        effects = run_dry(destination)
        limit = ConditionCode.NAK_LIMIT_REACHED
        assert conditions(effects)[:2] == [(FaultDetected, limit), (FileDiscarded, limit)]
        assert effects[0].detail == "3 times nothing came of what is missing"

    def test_progress_gives_a_full_set_of_naks_again(self):
        destination = destination_of(nak_limit=3)
        give(destination, METADATA)
        give(destination, EOF)
        pull(destination)
        for second in (5, 10):
            assert destination.on_time(after(second)) == []
            pull(destination, after(second))
        give(destination, segment(0, 10), after(11))
        for second in (16, 21, 26):
            assert destination.on_time(after(second)) == []
            pull(destination, after(second))
        assert destination.on_time(after(31)) != []

    def test_a_finished_that_is_never_acknowledged_is_abandoned_with_the_file_delivered(self):
        destination = destination_of(ack_limit=3)
        [complete] = received_whole(destination)
        assert isinstance(complete, FileComplete)
        pull(destination)
        limit = ConditionCode.POSITIVE_ACK_LIMIT_REACHED
        effects = run_dry(destination)
        assert conditions(effects) == [(FaultDetected, limit), (TransactionAbandoned, limit)]
        assert effects[0].detail == "Finished sent 3 times without an ACK"
        assert destination.state is DestinationState.ABANDONED
        give(destination, EOF)  # the sender is back
        assert pull(destination)[-1] == COMPLETE
        assert give(destination, ACK_OF_FINISHED) == []
        assert destination.state is DestinationState.FINISHED

    def test_abandoning_discards_the_file_and_sends_nothing(self):
        destination = destination_of(limit_fault_handler=FaultHandler.ABANDON)
        effects = destination.on_time(after(300))
        kinds = [type(effect) for effect in effects]
        assert kinds == [FaultDetected, FileDiscarded, TransactionAbandoned]
        assert pull(destination) == []

    @pytest.mark.parametrize("reached", ["inactivity", "naks", "acks"])
    def test_suspending_at_a_limit_gives_a_full_set_of_tries_later(self, reached):
        destination = destination_of(
            limit_fault_handler=FaultHandler.SUSPEND, nak_limit=2, ack_limit=2
        )
        if reached == "naks":
            give(destination, EOF)
        if reached == "acks":
            received_whole(destination)
        pull(destination)
        fault, suspended = run_dry(destination)
        assert suspended == TransactionSuspended(ONE, fault.condition)
        destination.resume(after(9000))
        pull(destination, after(9000))
        if reached != "acks":
            received_whole(destination, after(9001))
            pull(destination, after(9001))
        assert destination.on_time(after(9006)) == []  # a second try, no fault yet
        assert give(destination, ACK_OF_FINISHED, after(9007)) == [FINISHED_WELL]


class TestCancel:
    def test_by_the_sender_discards_the_file_and_acknowledges(self):
        destination = destination_of()
        give(destination, segment(0, 50))
        cancelled = ConditionCode.CANCEL_REQUEST_RECEIVED
        assert give(destination, CANCEL) == [FileDiscarded(ONE, cancelled)]
        ack, verdict = pull(destination)
        assert (ack.directive, ack.condition) == (DirectiveCode.EOF, cancelled)
        assert (verdict.condition, verdict.delivery_code) == (cancelled, DeliveryCode.INCOMPLETE)
        assert verdict.fault_location == 2

    def test_by_the_sender_wins_over_a_verification_that_is_under_way(self):
        destination = destination_of()
        for body in (METADATA, segment(0, 150), EOF, CANCEL):
            give(destination, body)
        assert destination.checksum_computed(CHECKSUM, T0) == []
        assert destination.outcome.condition is ConditionCode.CANCEL_REQUEST_RECEIVED

    def test_from_this_end_tells_the_sender(self):
        destination = destination_of()
        give(destination, METADATA)
        rejection = ConditionCode.FILESTORE_REJECTION
        assert destination.cancel(T0, rejection) == [FileDiscarded(ONE, rejection)]
        [verdict] = pull(destination)
        assert verdict.file_status is FileStatus.DISCARDED_FILESTORE_REJECTION
        assert verdict.fault_location == 1

    def test_after_the_verdict_changes_nothing(self):
        destination = finished(destination_of())
        assert destination.cancel(T0) == []
        assert destination.outcome == COMPLETE


class TestClass1:
    def test_ends_without_sending_anything(self):
        destination = destination_of(mode=CLASS_1)
        complete = FileComplete(ONE, METADATA, 150, CHECKSUM)
        assert received_whole(destination) == [complete, FINISHED_WELL]
        assert pull(destination) == []
        assert give(destination, EOF) == []
        assert pull(destination) == []

    def test_reports_where_closure_is_requested(self):
        destination = destination_of(mode=CLASS_1)
        closing = replace(METADATA, closure_requested=True)
        for body in (closing, segment(0, 150), EOF):
            give(destination, body)
        destination.checksum_computed(CHECKSUM, T0)
        assert pull(destination) == [COMPLETE]
        assert destination.next_deadline() is None

    def test_waits_for_late_segments_up_to_the_check_limit(self):
        destination = destination_of(mode=CLASS_1, nak_limit=3)
        give(destination, METADATA)
        give(destination, EOF)
        assert pull(destination) == []
        effects = run_dry(destination)
        limit = ConditionCode.CHECK_LIMIT_REACHED
        assert conditions(effects) == [
            (FaultDetected, limit),
            (FileDiscarded, limit),
            (TransactionFinished, limit),
        ]

    def test_completes_with_a_segment_that_overtook_nothing(self):
        destination = destination_of(mode=CLASS_1)
        give(destination, METADATA)
        give(destination, EOF)
        give(destination, segment(0, 150), after(3))
        assert destination.checksum_computed(CHECKSUM, after(3))[-1] == FINISHED_WELL

    def test_answers_no_prompt(self):
        destination = destination_of(mode=CLASS_1)
        give(destination, Prompt(response=PromptResponse.NAK))
        give(destination, Prompt(response=PromptResponse.KEEP_ALIVE))
        assert pull(destination) == []


class TestSuspend:
    def test_sends_nothing_and_lets_no_timer_run(self):
        destination = destination_of()
        destination.suspend(after(1))
        give(destination, EOF, after(2))
        assert destination.on_time(after(90_000)) == []
        assert pull(destination, after(90_000)) == []
        destination.resume(after(90_000))
        assert [type(body) for body in pull(destination, after(90_000))] == [Ack, Nak]
        assert destination.next_deadline() == after(90_005)

    def test_gives_the_peer_a_full_wait_in_a_new_pass(self):
        destination = destination_of()
        destination.suspend(after(299))
        destination.resume(after(9000))
        assert destination.next_deadline() == after(9300)

    def test_still_writes_and_verifies_what_arrives(self):
        destination = destination_of()
        destination.suspend(T0)
        assert [type(effect) for effect in received_whole(destination)] == [FileComplete]


def restored(destination, at, **changes):
    snapshot = json.loads(json.dumps(destination.snapshot(at)))
    return DestinationTransaction.restore(snapshot, profile=profile(**changes), at=at)


class TestRestore:
    def test_continues_with_what_is_missing(self):
        destination = destination_of()
        give(destination, METADATA)
        give(destination, segment(40, 60))
        give(destination, EOF)
        again = restored(destination, after(500))
        _, nak = pull(again, after(500))
        assert nak.requests == ((0, 40), (60, 150))

    def test_asks_for_the_verification_again(self):
        destination = destination_of()
        for body in (METADATA, segment(0, 150), EOF):
            give(destination, body)
        again = restored(destination, after(500))
        assert again.next_deadline() == after(500)
        verify = VerifyChecksum(ONE, ChecksumType.CRC_32, 150)
        assert again.on_time(after(500)) == [verify]
        assert again.on_time(after(501)) == []
        [complete] = again.checksum_computed(CHECKSUM, after(501))
        assert isinstance(complete, FileComplete)

    def test_takes_a_checksum_before_it_is_asked_for_again(self):
        destination = destination_of()
        for body in (METADATA, segment(0, 150), EOF):
            give(destination, body)
        again = restored(destination, T0)
        assert [type(effect) for effect in again.checksum_computed(CHECKSUM, T0)] == [FileComplete]
        assert again.on_time(T0) == []
        assert again.outcome == COMPLETE

    def test_remembers_that_it_delivered(self):
        again = restored(finished(destination_of()), after(500))
        assert again.closed
        assert give(again, METADATA) == []
        assert give(again, EOF) == []
        assert pull(again)[-1] == COMPLETE

    def test_sends_what_was_due_when_the_process_died(self):
        destination = destination_of()
        received_whole(destination)
        again = restored(destination, after(500))
        assert pull(again, after(500))[-1] == COMPLETE

    @pytest.mark.parametrize("bodies", [(), (METADATA,), (segment(3, 9), EOF), (CANCEL,)])
    def test_gives_the_same_snapshot_again(self, bodies):
        destination = destination_of()
        for body in bodies:
            give(destination, body)
        snapshot = destination.snapshot(after(2))
        assert restored(destination, after(2)).snapshot(after(2)) == snapshot
