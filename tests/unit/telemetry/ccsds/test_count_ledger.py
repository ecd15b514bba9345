from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.count_ledger import CountChange, CountLedger

MODULUS = 16_384


def note(ledger: CountLedger, *counts: int, times=None) -> CountChange:
    at = None if times is None else np.array(times)
    return ledger.note(np.array(counts, dtype=np.uint16), at)


class TestCountLedger:
    def test_begins_anywhere_and_counts_what_is_missing(self):
        ledger = CountLedger(MODULUS)
        assert note(ledger, 100, 101, 105) == CountChange(received=3, lost=3)
        assert note(ledger, 106) == CountChange(received=1)

    def test_counts_over_the_end_of_the_range(self):
        ledger = CountLedger(MODULUS)
        assert note(ledger, 16_382, 16_383, 0, 2) == CountChange(received=4, lost=1)

    def test_takes_back_the_loss_of_what_comes_late_and_tells_repeats(self):
        ledger = CountLedger(MODULUS)
        note(ledger, 0, 5)
        assert note(ledger, 3, 3, 5, 6) == CountChange(received=4, lost=-1, late=1, repeated=2)

    def test_does_not_take_a_dump_that_comes_twice_for_a_loss(self):
        ledger = CountLedger(MODULUS)
        dump = list(range(500, 600))
        assert note(ledger, *dump) == CountChange(received=100)
        assert note(ledger, *dump) == CountChange(received=100, repeated=100)
        assert note(ledger, 600) == CountChange(received=1)

    def test_tells_a_counter_that_began_anew_by_its_times(self):
        ledger = CountLedger(MODULUS)
        note(ledger, 9000, 9001, times=[10, 20])
        assert note(ledger, 0, 1, times=[30, 40]) == CountChange(received=2, restarts=1)
        assert note(ledger, 3, times=[50]) == CountChange(received=1, lost=1)
        # Older than the newest, it is no new beginning.
        assert note(ledger, 1, times=[40]) == CountChange(received=1, repeated=1)

    def test_expects_anything_after_it_forgot(self):
        ledger = CountLedger(MODULUS)
        note(ledger, 1, 5)
        ledger.forget()
        assert note(ledger, 900) == CountChange(received=1)

    @given(
        start=st.integers(0, MODULUS - 1),
        count=st.integers(1, 3000),
        data=st.data(),
    )
    def test_is_exact_for_any_loss_delay_and_repetition(self, start, count, data):
        # The first and the last one come, so that every gap has two sides.
        inside = st.integers(1, max(1, count - 1))
        dropped = data.draw(st.sets(inside, max_size=40)) if count > 1 else set()
        late = data.draw(st.lists(st.sampled_from(sorted(dropped) or [0]), unique=True))
        late = [n for n in late if n in dropped]
        repeated = data.draw(st.lists(st.integers(0, count), max_size=10))
        sent = [n for n in range(count + 1) if n not in dropped]
        repeated = [n for n in repeated if n in set(sent)]
        arrived = [(start + n) % MODULUS for n in (*sent, *late, *repeated)]
        cuts = sorted(data.draw(st.lists(st.integers(0, len(arrived)), max_size=5)))
        ledger, total = CountLedger(MODULUS), CountChange()
        for begin, end in zip([0, *cuts], [*cuts, len(arrived)], strict=True):
            change = ledger.note(np.array(arrived[begin:end], dtype=np.uint16))
            total.add(change)
        assert total == CountChange(
            received=len(arrived),
            lost=len(dropped) - len(late),
            late=len(late),
            repeated=len(repeated),
        )

    @pytest.mark.parametrize("modulus", [256, 1 << 24])
    def test_counts_by_any_modulus(self, modulus):
        ledger = CountLedger(modulus)
        ledger.note(np.array([modulus - 1]))
        assert ledger.note(np.array([1])) == CountChange(received=1, lost=1)
