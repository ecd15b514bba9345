from __future__ import annotations

import random

import pytest

from missioncontrol.simulator.link_faults import FaultRates, LinkFaults

FRAME = bytes(range(256)) * 4


def faults(seed=1, **rates):
    return LinkFaults(FaultRates(**rates), random.Random(seed))


class TestLinkFaults:
    def test_leaves_a_good_link_alone(self):
        path = faults()
        assert path.down(FRAME) == FRAME
        assert path.up(FRAME) == FRAME

    def test_loses_about_the_share_it_was_told(self):
        path = faults(frame_loss=0.1)
        lost = sum(path.down(FRAME) is None for _ in range(2000))
        assert 150 < lost < 260
        assert path.up(FRAME) == FRAME

    def test_turns_about_the_share_of_bits_it_was_told(self):
        path = faults(bit_error_rate=1e-3)
        before = int.from_bytes(FRAME, "big")
        turned = sum(
            (before ^ int.from_bytes(path.up(FRAME), "big")).bit_count() for _ in range(100)
        )
        expected = 100 * len(FRAME) * 8 * 1e-3
        assert 0.85 * expected < turned < 1.15 * expected

    def test_meets_the_same_faults_with_the_same_seed(self):
        rates = {"frame_loss": 0.2, "bit_error_rate": 1e-4}
        first, second = faults(7, **rates), faults(7, **rates)
        assert [first.down(FRAME) for _ in range(50)] == [second.down(FRAME) for _ in range(50)]

    @pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
    def test_refuses_what_is_no_chance(self, rate):
        with pytest.raises(ValueError, match="cltu_loss is"):
            FaultRates(cltu_loss=rate)
