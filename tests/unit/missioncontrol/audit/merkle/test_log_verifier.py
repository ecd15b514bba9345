from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.checkpoint import Checkpoint
from missioncontrol.audit.merkle.errors import LogMismatchError
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.log_verifier import verify_log
from tests.unit.missioncontrol.audit.merkle import rfc6962_reference as reference

ENTRIES = [b"entry-%d" % i for i in range(40)]
logs = st.lists(st.binary(max_size=12), min_size=1, max_size=40)


def stored(entries):
    return [(entry, leaf_hash(entry)) for entry in entries]


def checkpoint(size, *, entries=ENTRIES, origin="log"):
    return Checkpoint(origin=origin, size=size, root=reference.mth(entries[:size]))


class TestVerifyLog:
    @given(entries=logs, data=st.data())
    def test_accepts_a_log_up_to_its_checkpoint(self, entries, data):
        size = data.draw(st.integers(0, len(entries)))
        earlier = data.draw(st.lists(st.integers(0, size), max_size=4))
        verify_log(
            iter(stored(entries)),
            checkpoint=checkpoint(size, entries=entries),
            earlier=[checkpoint(each, entries=entries) for each in earlier],
        )

    @given(entries=logs, data=st.data())
    def test_names_the_first_entry_that_was_changed(self, entries, data):
        wrong = data.draw(st.sets(st.integers(0, len(entries) - 1), min_size=1))
        pairs = [
            (entry + b"!" if at in wrong else entry, leaf_hash(entry))
            for at, entry in enumerate(entries)
        ]
        with pytest.raises(LogMismatchError, match=f"Entry {min(wrong)} was changed") as refused:
            verify_log(pairs, checkpoint=checkpoint(len(entries), entries=entries))
        assert refused.value.index == min(wrong)

    @given(entries=logs, data=st.data())
    def test_says_where_a_log_breaks_off(self, entries, data):
        kept = data.draw(st.integers(0, len(entries) - 1))
        with pytest.raises(LogMismatchError, match=f"ends after {kept} entries") as refused:
            verify_log(
                stored(entries[:kept]), checkpoint=checkpoint(len(entries), entries=entries)
            )
        assert refused.value.index == kept

    def test_says_so_when_entry_and_hash_were_changed_together(self):
        forged = stored([*ENTRIES[:21], b"forged", *ENTRIES[22:]])
        with pytest.raises(LogMismatchError, match="Every entry from 0 to 39 matches") as refused:
            verify_log(forged, checkpoint=checkpoint(40))
        assert refused.value.index is None

    def test_narrows_a_rewritten_history_by_earlier_checkpoints(self):
        forged = stored([*ENTRIES[:21], b"forged", *ENTRIES[22:]])
        with pytest.raises(LogMismatchError, match="Every entry from 15 to 29 matches"):
            verify_log(
                forged,
                checkpoint=checkpoint(40),
                earlier=[checkpoint(30), checkpoint(5), checkpoint(15)],
            )

    def test_sees_two_histories_in_the_checkpoints_themselves(self):
        fork = checkpoint(40, entries=ENTRIES[::-1])
        with pytest.raises(LogMismatchError, match="size 40 have different roots"):
            verify_log(stored(ENTRIES), checkpoint=checkpoint(40), earlier=[fork])

    @pytest.mark.parametrize("other", [checkpoint(39), checkpoint(3, origin="other")])
    def test_refuses_checkpoints_that_are_not_earlier_ones_of_this_log(self, other):
        with pytest.raises(ValueError, match="is not an earlier one of log at size 20"):
            verify_log(stored(ENTRIES), checkpoint=checkpoint(20), earlier=[other])

    def test_reads_no_further_than_the_checkpoint(self):
        entries = iter(stored(ENTRIES))
        verify_log(entries, checkpoint=checkpoint(30))
        assert next(entries)[0] == b"entry-30"
