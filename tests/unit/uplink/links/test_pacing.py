from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uplink.links.pacing import LinkPacer


class TestLinkPacer:
    @given(
        rate_bps=st.integers(min_value=800, max_value=64_000),
        factor=st.sampled_from([1.0, 10.0, 30.0, 100.0]),
        naps_s=st.lists(st.floats(min_value=0.001, max_value=0.3), min_size=1, max_size=20),
        length=st.integers(min_value=500, max_value=1200),
    )
    def test_never_exceeds_the_rate_by_more_than_the_burst_and_one_cltu(
        self, rate_bps, factor, naps_s, length
    ):
        pacer = LinkPacer(rate_bps=rate_bps, burst_s=0.5)
        at_s, sent = 0.0, 0
        for nap_s in naps_s:
            while pacer.ready_octets(wall_s=at_s, factor=factor) > 0:
                pacer.spend(length)
                sent += length
            at_s += nap_s
        rate_octets_s = rate_bps / 8 * factor
        assert sent <= rate_octets_s * (at_s + 0.5) + length

    @given(factor=st.sampled_from([1.0, 30.0, 100.0]))
    def test_reaches_the_rate_when_there_is_enough_to_send(self, factor):
        pacer = LinkPacer(rate_bps=64_000)
        sent = 0
        for turn in range(101):
            while pacer.ready_octets(wall_s=turn * 0.05, factor=factor) > 0:
                pacer.spend(1000)
                sent += 1000
        assert sent >= 8000 * factor * 5.0

    def test_pays_the_debt_of_a_long_cltu_before_the_next(self):
        pacer = LinkPacer(rate_bps=8000, burst_s=0.1)  # 1000 octets a second
        assert pacer.ready_octets(wall_s=0.0, factor=1.0) == 100
        pacer.spend(1100)
        assert pacer.ready_octets(wall_s=0.9, factor=1.0) == 0
        assert pacer.ready_octets(wall_s=1.05, factor=1.0) == 50

    def test_keeps_no_more_credit_than_the_burst(self):
        pacer = LinkPacer(rate_bps=8000, burst_s=0.1)
        pacer.ready_octets(wall_s=0.0, factor=1.0)
        assert pacer.ready_octets(wall_s=100.0, factor=1.0) == 100

    def test_runs_with_mission_time(self):
        pacer = LinkPacer(rate_bps=8000, burst_s=10.0)
        pacer.ready_octets(wall_s=0.0, factor=30.0)
        pacer.spend(10_000)
        assert pacer.ready_octets(wall_s=0.1, factor=30.0) == 3000
