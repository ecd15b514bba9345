"""Whole transfers between two entities over a radio that loses, doubles and reorders."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.uplink.cfdp.wire import Node, Radio, Run, profile
from uplink.cfdp.codes import ChecksumType, ConditionCode, DeliveryCode, TransmissionMode
from uplink.cfdp.effects import FaultDetected, TransactionAbandoned, TransactionFinished

BETWEEN_PASSES = timedelta(hours=5)  # far longer than every timer
SEGMENT = 64
SIZES = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 40 * SEGMENT + 17]


def two_nodes(**changes):
    return Node(profile(1, 2, **changes)), Node(profile(2, 1, **changes))


def connect(ground, space, seed, **radio):
    chance = random.Random(seed)
    return Run(ground, space, Radio(chance, **radio), Radio(chance, **radio))


def run_until_over(run, *, steps=6000, each_step=lambda: None, **stepping):
    for _ in range(steps):
        each_step()
        run.step(**stepping)
        if run.over:
            return
    states = [(str(one.transaction_id), one.state) for one in run.space.entity.transactions]
    pytest.fail(f"not over after {steps} steps: {states}")


def assert_delivered_once(node, transfers):
    assert sorted(node.delivered) == sorted(transfers)


def assert_finished_well(*nodes):
    for node in nodes:
        assert node.of_type(FaultDetected) == []
        assert node.of_type(TransactionAbandoned) == []
        finished = node.of_type(TransactionFinished)
        assert {event.condition for event in finished} == {ConditionCode.NO_ERROR}
        assert {event.delivery_code for event in finished} == {DeliveryCode.COMPLETE}
        ids = [event.transaction_id for event in finished]
        assert sorted(ids) == sorted(one.transaction_id for one in node.entity.transactions)


class TestTransfers:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("checksum_type", ChecksumType)
    @pytest.mark.parametrize("pdu_crc", [False, True])
    def test_deliver_a_file_over_a_clean_radio(self, size, checksum_type, pdu_crc):
        ground, space = two_nodes(checksum_type=checksum_type, pdu_crc=pdu_crc)
        content = random.Random(size).randbytes(size)
        run = connect(ground, space, 0)
        one = ground.put(content, 7, run.at)
        run_until_over(run, steps=20)
        assert_delivered_once(space, [(one, content)])
        assert_finished_well(ground, space)

    @pytest.mark.parametrize("size", SIZES)
    def test_deliver_a_file_in_class_1_over_a_clean_radio(self, size):
        ground, space = two_nodes()
        content = random.Random(size).randbytes(size)
        run = connect(ground, space, 0)
        one = ground.put(content, 7, run.at, transmission_mode=TransmissionMode.UNACKNOWLEDGED)
        run_until_over(run, steps=20)
        assert_delivered_once(space, [(one, content)])
        assert_finished_well(ground, space)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        seed=st.integers(0, 1 << 32),
        size=st.sampled_from(SIZES),
        loss=st.floats(0, 0.3),
        duplication=st.floats(0, 0.3),
        max_delay_s=st.floats(0, 8),
        immediate_nak=st.booleans(),
        max_octets=st.sampled_from([600, 1000, 10_000]),
    )
    def test_deliver_exactly_once_over_a_bad_radio(
        self, seed, size, loss, duplication, max_delay_s, immediate_nak, max_octets
    ):
        ground, space = two_nodes(immediate_nak=immediate_nak)
        run = connect(
            ground, space, seed, loss=loss, duplication=duplication, max_delay_s=max_delay_s
        )
        chance = random.Random(seed + 1)
        upward, downward = chance.randbytes(size), chance.randbytes(300)
        first = ground.put(upward, 7, run.at)
        second = space.put(downward, 7, run.at)
        run_until_over(run, max_octets=max_octets)
        assert_delivered_once(space, [(first, upward)])
        assert_delivered_once(ground, [(second, downward)])
        assert_finished_well(ground, space)

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        seed=st.integers(0, 1 << 32),
        size=st.sampled_from(SIZES),
        loss=st.floats(0, 0.3),
        kill_chance=st.sampled_from([0.0, 0.02, 0.2]),
        suspend_chance=st.sampled_from([0.0, 0.02, 0.1]),
    )
    def test_survive_kills_and_gaps_between_passes(
        self, seed, size, loss, kill_chance, suspend_chance
    ):
        ground, space = two_nodes()
        run = connect(ground, space, seed, loss=loss, duplication=loss, max_delay_s=4)
        chance = random.Random(seed + 1)
        upward, downward = chance.randbytes(size), chance.randbytes(300)
        first = ground.put(upward, 7, run.at)
        second = space.put(downward, 7, run.at)

        def maybe_kill(node):
            if chance.random() < kill_chance:
                node.kill(run.at)

        def maybe_between_passes():
            if chance.random() >= suspend_chance:
                return
            for node in (ground, space):
                node.entity.suspend(run.at)
                node.commit(run.at)
                assert node.pull(run.at) == []
            run.at += BETWEEN_PASSES
            for node in (ground, space):
                node.on_time(run.at)
                maybe_kill(node)
                node.entity.resume(run.at)
                node.commit(run.at)

        run_until_over(
            run, each_step=maybe_between_passes, before_commit=maybe_kill, max_octets=1000
        )
        assert_delivered_once(space, [(first, upward)])
        assert_delivered_once(ground, [(second, downward)])
        assert_finished_well(ground, space)

    def test_share_one_link_between_several_files(self):
        ground, space = two_nodes()
        run = connect(ground, space, 5, loss=0.1)
        contents = [random.Random(number).randbytes(500 * number) for number in range(5)]
        transfers = [
            (ground.put(content, number, run.at), content)
            for number, content in enumerate(contents)
        ]
        run_until_over(run, max_octets=600)
        assert_delivered_once(space, transfers)
        assert_finished_well(ground, space)

    def test_never_exceed_the_room_of_a_pull(self):
        ground, space = two_nodes()
        run = connect(ground, space, 0)
        ground.put(bytes(5000), 1, run.at)
        for room in (0, 10, 100, 600, 1234):
            assert sum(map(len, ground.pull(run.at, room))) <= room
