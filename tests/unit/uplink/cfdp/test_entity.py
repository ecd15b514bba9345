from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.uplink.cfdp.wire import T0, Node, after, bodies, profile, request
from uplink.cfdp.codec import encode_pdu
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
from uplink.cfdp.effects import (
    FileDiscarded,
    PduRejected,
    TransactionFinished,
    TransactionForgotten,
    WriteSegment,
)
from uplink.cfdp.entity import CfdpEntity
from uplink.cfdp.errors import SnapshotError
from uplink.cfdp.pdu import Ack, Eof, FileData, Finished, KeepAlive, Pdu

VERDICT = Finished(
    condition=ConditionCode.NO_ERROR,
    delivery_code=DeliveryCode.COMPLETE,
    file_status=FileStatus.RETAINED,
)


def entity_of(**changes):
    return CfdpEntity(profile(1, 2, **changes))


def pdu_from_peer(body, *, source=2, number=9, mode=TransmissionMode.ACKNOWLEDGED, **changes):
    """A PDU of entity 2: of a file it sends (source 2), or an answer to ours (source 1)."""
    direction = Direction.TOWARD_RECEIVER if source == 2 else Direction.TOWARD_SENDER
    header = profile(2, 1).header(
        TransactionId(source, number),
        direction=direction,
        transmission_mode=mode,
        large_file=False,
    )
    return encode_pdu(Pdu(replace(header, **changes), body))


def read_nothing(_one, _offset, _length):
    raise AssertionError("nothing is to be read")


def pull(entity, at=T0, max_octets=10_000):
    pdus = entity.next_pdus(read_nothing, at=at, max_octets=max_octets)
    return [pdu.body for pdu in pdus]


class TestReceive:
    def test_opens_a_reception_with_whatever_comes_first(self):
        entity = entity_of()
        [write] = entity.receive(pdu_from_peer(FileData(offset=5, data=b"abc")), T0)
        assert write == WriteSegment(TransactionId(2, 9), 5, b"abc")
        end = Eof(condition=ConditionCode.NO_ERROR, checksum=0, size_octets=8)
        assert entity.receive(pdu_from_peer(end, number=10), T0) == []
        assert list(entity.destinations) == [TransactionId(2, 9), TransactionId(2, 10)]

    def test_keeps_transactions_of_the_same_number_in_both_directions_apart(self):
        entity = entity_of()
        entity.put(request(b""), sequence_number=9, at=T0)
        entity.receive(pdu_from_peer(FileData(offset=0, data=b"a")), T0)
        assert list(entity.sources) == [TransactionId(1, 9)]
        assert list(entity.destinations) == [TransactionId(2, 9)]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            (
                {"destination_entity_id": 3},
                "from entity 2 to 3, toward_receiver; this is entity 1",
            ),
            ({"source_entity_id": 3}, "from entity 3 to 1"),
            ({"direction": Direction.TOWARD_SENDER}, "from entity 2 to 1, toward_sender"),
        ],
    )
    def test_rejects_what_is_not_for_it(self, changes, reason):
        entity = entity_of()
        octets = pdu_from_peer(FileData(offset=0, data=b""), **changes)
        [rejected] = entity.receive(octets, T0)
        assert reason in rejected.reason
        assert not entity.destinations

    @given(octets=st.binary(max_size=60))
    def test_never_raises_on_noise(self, octets):
        [effect] = entity_of().receive(octets, T0)[:1] or [None]
        assert (
            effect is None
            or effect.transaction_id is None
            or effect.transaction_id.sequence_number >= 0
        )

    @given(
        data=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 255)), max_size=6),
        kind=st.sampled_from(["data", "eof", "verdict", "progress"]),
    )
    def test_never_raises_on_a_spoiled_pdu(self, data, kind):
        entity = entity_of()
        entity.put(request(b""), sequence_number=9, at=T0)
        body = {
            "data": FileData(offset=0, data=b"abcdef"),
            "eof": Eof(condition=ConditionCode.NO_ERROR, checksum=0, size_octets=8),
            "verdict": VERDICT,
            "progress": KeepAlive(progress_octets=3),
        }[kind]
        octets = bytearray(pdu_from_peer(body, source=2 if kind in ("data", "eof") else 1))
        for position, value in data:
            octets[position % len(octets)] = value
        effects = entity.receive(bytes(octets), T0)
        assert all(hasattr(effect, "transaction_id") for effect in effects)
        pull(entity)

    def test_says_why_octets_are_no_pdu(self):
        assert entity_of().receive(b"\x20\x00", T0) == [
            PduRejected(None, "PDU data field length needs 2 octets, 1 are left in the PDU")
        ]

    def test_refuses_more_receptions_than_the_profile_allows(self):
        entity = entity_of(reception_limit=2)
        for number in (1, 2):
            entity.receive(pdu_from_peer(FileData(offset=0, data=b"a"), number=number), T0)
        [rejected] = entity.receive(pdu_from_peer(FileData(offset=0, data=b"a"), number=3), T0)
        assert rejected.reason == "2 receptions are open; the limit is 2"

    def test_opens_nothing_for_an_acknowledgement(self):
        entity = entity_of()
        ack = Ack(
            directive=DirectiveCode.FINISHED,
            condition=ConditionCode.NO_ERROR,
            status=TransactionStatus.ACTIVE,
        )
        [rejected] = entity.receive(pdu_from_peer(ack), T0)
        assert "not known here" in rejected.reason
        assert not entity.destinations


class TestStrayFinished:
    def test_is_acknowledged_so_that_the_receiver_can_close(self):
        entity = entity_of()
        octets = pdu_from_peer(VERDICT, source=1)
        [rejected] = entity.receive(octets, T0)
        assert isinstance(rejected, PduRejected)
        entity.receive(octets, T0)
        assert entity.has_pdus
        assert pull(entity) == [
            Ack(
                directive=DirectiveCode.FINISHED,
                condition=ConditionCode.NO_ERROR,
                status=TransactionStatus.UNRECOGNIZED,
            )
        ]
        assert not entity.has_pdus

    def test_of_class_1_is_not(self):
        entity = entity_of()
        octets = pdu_from_peer(VERDICT, source=1, mode=TransmissionMode.UNACKNOWLEDGED)
        entity.receive(octets, T0)
        assert pull(entity) == []

    def test_waits_for_the_link(self):
        entity = entity_of()
        entity.suspend(T0)
        entity.receive(pdu_from_peer(VERDICT, source=1), T0)
        assert pull(entity) == []
        entity.resume(T0)
        assert len(pull(entity)) == 1


class TestPut:
    def test_refuses_a_number_that_is_in_use(self):
        entity = entity_of()
        entity.put(request(b""), sequence_number=9, at=T0)
        with pytest.raises(ValueError, match="transaction 1:9 exists already"):
            entity.put(request(b""), sequence_number=9, at=T0)

    def test_refuses_a_number_that_its_field_cannot_hold(self):
        with pytest.raises(ValueError, match="sequence number 256 does not fit 1 octets"):
            entity_of(sequence_number_octets=1).put(request(b""), sequence_number=256, at=T0)

    def test_waits_for_the_next_pass_while_suspended(self):
        entity = entity_of()
        entity.suspend(T0)
        entity.put(request(b""), sequence_number=9, at=T0)
        assert pull(entity) == []
        assert not entity.has_pdus
        entity.resume(after(9000))
        assert len(pull(entity, after(9000))) == 2


class TestNextPdus:
    def test_gives_an_acknowledgement_before_a_long_file(self):
        node = Node(profile(1, 2))
        node.put(bytes(5000), 1, T0)
        node.put(b"", 2, T0, name="late.bin")
        node.pull(T0, 200)
        node.receive(pdu_from_peer(VERDICT, source=1, number=2), T0)
        [first, *_] = bodies(node.pull(T0, 200))
        assert isinstance(first, Ack)

    def test_gives_the_oldest_file_first(self):
        node = Node(profile(1, 2))
        node.put(b"a" * 64, 1, T0)
        node.put(b"b" * 64, 2, T0)
        data = [body.data for body in bodies(node.pull(T0)) if isinstance(body, FileData)]
        assert data == [b"a" * 64, b"b" * 64]


class TestCancel:
    def test_of_a_file_that_goes_out(self):
        entity = entity_of()
        one = entity.put(request(b"abc"), sequence_number=9, at=T0).transaction_id
        assert entity.cancel(one, T0) == []
        [eof] = pull(entity)
        assert eof.condition is ConditionCode.CANCEL_REQUEST_RECEIVED

    def test_of_a_file_that_comes_in(self):
        entity = entity_of()
        entity.receive(pdu_from_peer(FileData(offset=0, data=b"a")), T0)
        rejection = ConditionCode.FILESTORE_REJECTION
        [discarded] = entity.cancel(TransactionId(2, 9), T0, rejection)
        assert discarded == FileDiscarded(TransactionId(2, 9), rejection)

    def test_of_an_unknown_transaction_raises(self):
        with pytest.raises(KeyError):
            entity_of().cancel(TransactionId(2, 9), T0)


class TestTime:
    def test_tells_the_earliest_deadline_of_all(self):
        entity = entity_of()
        assert entity.next_deadline() is None
        entity.receive(pdu_from_peer(FileData(offset=0, data=b"a")), T0)
        entity.put(request(b""), sequence_number=9, at=T0)
        pull(entity)
        assert entity.next_deadline() == after(5)

    def test_forgets_a_closed_transaction_when_its_retention_is_over(self):
        entity = entity_of(retention_s=1000)
        one = entity.put(request(b""), sequence_number=9, at=T0).transaction_id
        [finished] = entity.receive(pdu_from_peer(VERDICT, source=1), T0)
        assert isinstance(finished, TransactionFinished)
        pull(entity)
        assert entity.on_time(after(999)) == []
        assert entity.on_time(after(1000)) == [TransactionForgotten(one)]
        assert not entity.sources

    def test_forgets_no_open_transaction(self):
        entity = entity_of(retention_s=10)
        entity.receive(pdu_from_peer(FileData(offset=0, data=b"a")), T0)
        entity.suspend(T0)
        assert entity.on_time(after(5000)) == []
        assert entity.destinations


class TestRestore:
    def test_gives_the_same_snapshots_again(self):
        entity = entity_of()
        entity.put(request(b"abc"), sequence_number=9, at=T0)
        entity.receive(pdu_from_peer(FileData(offset=0, data=b"a")), T0)
        entity.suspend(T0)
        snapshots = json.loads(json.dumps(entity.snapshot(T0)))
        again = CfdpEntity.restore(snapshots, profile=profile(1, 2), at=after(9), suspended=True)
        assert json.loads(json.dumps(again.snapshot(after(20)))) == snapshots

    def test_takes_up_a_transaction_that_was_suspended_when_the_link_is_open_now(self):
        entity = entity_of()
        entity.put(request(b""), sequence_number=9, at=T0)
        entity.suspend(T0)
        again = CfdpEntity.restore(entity.snapshot(T0), profile=profile(1, 2), at=after(9))
        assert again.has_pdus

    def test_freezes_a_transaction_that_ran_when_the_link_is_closed_now(self):
        entity = entity_of()
        entity.receive(pdu_from_peer(FileData(offset=0, data=b"a")), T0)
        again = CfdpEntity.restore(
            entity.snapshot(T0), profile=profile(1, 2), at=after(9), suspended=True
        )
        assert again.next_deadline() is None
        assert again.on_time(after(90_000)) == []

    def test_refuses_a_snapshot_of_another_format(self):
        with pytest.raises(SnapshotError, match="format 99"):
            CfdpEntity.restore(
                [{"kind": "destination", "format": 99}], profile=profile(1, 2), at=T0
            )
