from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.events.event_types import MAX_PATTERNS, EventTypes, EventTypesError

PART = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
TYPE = st.lists(PART, min_size=2, max_size=4).map(".".join)


class TestTake:
    @given(TYPE)
    def test_a_type_takes_itself_its_kinds_take_it_and_so_does_the_star(self, event_type):
        parts = event_type.split(".")
        kinds = [".".join(parts[:depth]) + ".*" for depth in range(1, len(parts))]
        for pattern in (event_type, *kinds, "*"):
            assert EventTypes([pattern]).take(event_type), pattern

    @given(TYPE, TYPE)
    def test_a_type_takes_no_other(self, one, other):
        assert EventTypes([one]).take(other) == (one == other)

    @pytest.mark.parametrize("other", ["jobs.submit", "job", "jo.b", "x.job.submit"])
    def test_a_kind_takes_no_neighbour(self, other):
        assert not EventTypes(["job.*"]).take(other)

    def test_one_fitting_pattern_is_enough(self):
        types = EventTypes.parse("job.complete, contact.*")
        taken = [
            each for each in ("job.complete", "job.submit", "contact.book") if types.take(each)
        ]
        assert taken == ["job.complete", "contact.book"]


class TestRefusal:
    @pytest.mark.parametrize(
        "text",
        ["job", "job.", ".job", "*.job", "job.*.x", "job.**", "Job.submit", "job submit", "jöb.x"],
    )
    def test_names_what_is_no_pattern(self, text):
        with pytest.raises(EventTypesError, match="no event type: give one such as"):
            EventTypes([text])

    @pytest.mark.parametrize("text", ["", ",", "job.*,"])
    def test_an_empty_one_is_none(self, text):
        with pytest.raises(EventTypesError):
            EventTypes.parse(text)

    def test_says_how_many_there_may_be(self):
        EventTypes(f"a.b{number}" for number in range(MAX_PATTERNS))
        with pytest.raises(EventTypesError, match=f"51 event types.* 1 to {MAX_PATTERNS}"):
            EventTypes(f"a.b{number}" for number in range(MAX_PATTERNS + 1))
        with pytest.raises(EventTypesError, match="0 event types"):
            EventTypes([])

    def test_does_not_repeat_an_endless_one(self):
        with pytest.raises(EventTypesError) as caught:
            EventTypes(["a." + "b" * 5000])
        assert len(str(caught.value)) < 250
