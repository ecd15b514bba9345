"""Our ends against those of cfdp-py, an independent implementation, in memory."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cfdppy.exceptions import (
    InvalidPduForDestHandler,
    InvalidPduForSourceHandler,
    PduIgnoredForDest,
    PduIgnoredForSource,
)
from cfdppy.handler import DestHandler, SourceHandler
from cfdppy.mib import (
    CheckTimerProvider,
    DefaultFaultHandlerBase,
    IndicationConfig,
    LocalEntityConfig,
    RemoteEntityConfig,
    RemoteEntityConfigTable,
)
from cfdppy.request import PutRequest as TheirPutRequest
from cfdppy.user import CfdpUserBase
from spacepackets.cfdp import ChecksumType as TheirChecksumType
from spacepackets.cfdp import ConditionCode as TheirCondition
from spacepackets.cfdp import PduFactory
from spacepackets.cfdp import TransmissionMode as TheirMode
from spacepackets.cfdp.pdu import EofPdu
from spacepackets.countdown import Countdown
from spacepackets.seqcount import SeqCountProvider
from spacepackets.util import ByteFieldU16

from tests.unit.uplink.cfdp.wire import STEP, T0, Node, bodies, profile
from uplink.cfdp.codes import ChecksumType, ConditionCode, DirectiveCode
from uplink.cfdp.effects import FileDiscarded, TransactionFinished
from uplink.cfdp.pdu import Ack, Metadata

OURS, THEIRS = 1, 2
_IGNORED = (
    PduIgnoredForSource,
    PduIgnoredForDest,
    InvalidPduForSourceHandler,
    InvalidPduForDestHandler,
)


class TheirUser(CfdpUserBase):
    """Remembers how it ended; everything else is of no interest here."""

    def __init__(self):
        super().__init__()
        self.finished = []

    def transaction_finished_indication(self, params):
        self.finished.append(params.finished_params)

    def _nothing(self, *_args, **_kwargs):
        """Not of interest."""

    transaction_indication = eof_sent_indication = metadata_recv_indication = _nothing
    file_segment_recv_indication = report_indication = suspended_indication = _nothing
    resumed_indication = fault_indication = abandoned_indication = _nothing
    eof_recv_indication = _nothing


class TheirFaults(DefaultFaultHandlerBase):
    def _nothing(self, *_args, **_kwargs):
        """The test looks at how the transaction ends."""

    notice_of_suspension_cb = notice_of_cancellation_cb = abandoned_cb = ignore_cb = _nothing


class TheirTimers(CheckTimerProvider):
    def provide_check_timer(self, local_entity_id, remote_entity_id, entity_type):
        return Countdown(timedelta(seconds=30))


class TheirEnd:
    """One handler of cfdp-py that takes and gives octets."""

    def __init__(self, handler_class, checksum_type, **more):
        self.user = TheirUser()
        remote = RemoteEntityConfig(
            entity_id=ByteFieldU16(OURS),
            max_file_segment_len=64,
            max_packet_len=512,
            closure_requested=False,
            crc_on_transmission=False,
            default_transmission_mode=TheirMode.ACKNOWLEDGED,
            crc_type=checksum_type,
            positive_ack_timer_interval_seconds=5,
            positive_ack_timer_expiration_limit=20,
            nak_timer_interval_seconds=5,
            nak_timer_expiration_limit=20,
        )
        local = LocalEntityConfig(ByteFieldU16(THEIRS), IndicationConfig(), TheirFaults())
        table = RemoteEntityConfigTable([remote])
        self.handler = handler_class(local, self.user, table, TheirTimers(), **more)

    def receive(self, octets):
        pdu = PduFactory.from_raw(octets)
        if isinstance(pdu, EofPdu) and pdu.condition_code > 0x0F:
            # spacepackets 0.32 does not shift the condition code down when it reads an EOF.
            pdu.condition_code = TheirCondition(pdu.condition_code >> 4)
        with suppress(*_IGNORED):  # it raises on what it has no use for
            self.handler.state_machine(pdu)
        return self.drain()

    def on_time(self):
        pending = self.drain()
        self.handler.state_machine()
        return pending + self.drain()

    def drain(self):
        sent = []
        while (holder := self.handler.get_next_packet()) is not None:
            sent.append(bytes(holder.pdu.pack()))
        return sent


class Loss:
    """Loses a share of the PDUs, but none whose loss cfdp-py cannot mend."""

    def __init__(self, seed, share, *, spares):
        self._chance = random.Random(seed)
        self._share = share
        self._spares = spares

    def passed(self, octets):
        return [
            one
            for one, body in zip(octets, bodies(octets), strict=True)
            if self._spares(body) or self._chance.random() >= self._share
        ]


def ack_of_finished(body):
    # Once it has finished, a handler of cfdp-py is idle and answers no repeat.
    return isinstance(body, Ack) and body.directive is DirectiveCode.FINISHED


def ack_of_finished_or_metadata(body):
    # Where the Metadata comes after file data and EOF, cfdp-py 0.7 forgets the EOF,
    # which it has acknowledged, and waits for ever.
    return ack_of_finished(body) or isinstance(body, Metadata)


@pytest.fixture
def their_clock(monkeypatch):
    clock = SimpleNamespace(now_ms=0)
    monkeypatch.setattr("spacepackets.countdown.time_ms", lambda: clock.now_ms)
    return clock


def exchange(our_node, their_end, clock, loss, *, over):
    at, to_them, to_us = T0, [], []
    for _ in range(2000):
        for octets in loss.passed(to_us):
            our_node.receive(octets, at)
        our_node.on_time(at)
        to_them, to_us = our_node.pull(at, 1000), []
        for octets in loss.passed(to_them):
            to_us += their_end.receive(octets)
        to_us += their_end.on_time()
        if over() and not to_us and not our_node.entity.has_pdus:
            return
        at += STEP
        clock.now_ms += STEP // timedelta(milliseconds=1)
    pytest.fail("the transfer does not end")


SIZES = [0, 1, 64, 65, 3000]
SHARES = [0.0, 0.05, 0.2]
CHECKSUMS = [
    (ChecksumType.CRC_32, TheirChecksumType.CRC_32),
    (ChecksumType.MODULAR, TheirChecksumType.MODULAR),
]


class TestOurSource:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("share", SHARES)
    @pytest.mark.parametrize(("checksum_type", "theirs"), CHECKSUMS)
    def test_delivers_to_their_destination(
        self, size, share, checksum_type, theirs, their_clock, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        content = random.Random(size).randbytes(size)
        node = Node(profile(OURS, THEIRS, checksum_type=checksum_type))
        node.put(content, 5, T0)
        end = TheirEnd(DestHandler, theirs)
        loss = Loss(size, share, spares=ack_of_finished_or_metadata)
        exchange(node, end, their_clock, loss, over=lambda: node.closed)
        assert (tmp_path / "stored-result.bin").read_bytes() == content
        [finished] = node.of_type(TransactionFinished)
        assert finished.condition is ConditionCode.NO_ERROR
        assert [params.condition_code for params in end.user.finished] == [TheirCondition.NO_ERROR]

    def test_cancels_at_their_destination(self, their_clock, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        node = Node(profile(OURS, THEIRS))
        one = node.put(bytes(3000), 5, T0)
        end = TheirEnd(DestHandler, TheirChecksumType.CRC_32)
        for octets in node.pull(T0, 1000):
            end.receive(octets)
        node.entity.cancel(one, T0)
        exchange(
            node, end, their_clock, Loss(0, 0, spares=ack_of_finished), over=lambda: node.closed
        )
        [finished] = node.of_type(TransactionFinished)
        assert finished.condition is ConditionCode.CANCEL_REQUEST_RECEIVED
        [theirs] = end.user.finished
        assert theirs.condition_code == TheirCondition.CANCEL_REQUEST_RECEIVED


class TestOurDestination:
    def their_source(self, tmp_path, content, checksum_type):
        end = TheirEnd(SourceHandler, checksum_type, seq_num_provider=SeqCountProvider(16))
        source_file = tmp_path / "source.bin"
        source_file.write_bytes(content)
        put = TheirPutRequest(
            destination_id=ByteFieldU16(OURS),
            source_file=source_file,
            dest_file=tmp_path / "ignored.bin",
            trans_mode=TheirMode.ACKNOWLEDGED,
            closure_requested=False,
        )
        assert end.handler.put_request(put)
        return end

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("share", SHARES)
    @pytest.mark.parametrize(("checksum_type", "theirs"), CHECKSUMS)
    def test_receives_from_their_source(
        self, size, share, checksum_type, theirs, their_clock, tmp_path
    ):
        content = random.Random(size).randbytes(size)
        end = self.their_source(tmp_path, content, theirs)
        node = Node(profile(OURS, THEIRS, sequence_number_octets=2))
        exchange(
            node,
            end,
            their_clock,
            Loss(size, share, spares=ack_of_finished),
            over=lambda: bool(end.user.finished) and node.closed,
        )
        assert [stored for _, stored in node.delivered] == [content]
        assert [params.condition_code for params in end.user.finished] == [TheirCondition.NO_ERROR]
        [finished] = node.of_type(TransactionFinished)
        assert finished.condition is ConditionCode.NO_ERROR

    def test_discards_what_their_source_cancels(self, their_clock, tmp_path):
        end = self.their_source(tmp_path, bytes(3000), TheirChecksumType.CRC_32)
        node = Node(profile(OURS, THEIRS, sequence_number_octets=2))
        for _ in range(3):
            for octets in end.on_time():
                node.receive(octets, T0)
        assert end.handler.cancel_request(end.handler.transaction_id)
        exchange(
            node, end, their_clock, Loss(0, 0, spares=ack_of_finished), over=lambda: node.closed
        )
        assert node.delivered == []
        [discarded] = node.of_type(FileDiscarded)
        assert discarded.condition is ConditionCode.CANCEL_REQUEST_RECEIVED
