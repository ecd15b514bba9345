from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.pipelines.evidence import Fate, OpenFrame, judge


def frames(first: int, count: int, **known) -> list[OpenFrame]:
    return [OpenFrame(number=(first + place) % 256, **known) for place in range(count)]


def fates(*arguments, **keywords) -> list[Fate]:
    return [verdict.fate for verdict in judge(*arguments, **keywords)]


class TestJudge:
    @given(first=st.integers(0, 255), count=st.integers(1, 20), data=st.data())
    def test_believes_farm_wherever_the_numbers_wrap(self, first, count, data):
        accepted = data.draw(st.integers(0, count))
        assert fates(frames(first, count), report_value=(first + accepted) % 256) == (
            [Fate.ACCEPTED] * accepted + [Fate.NOT_ACCEPTED] * (count - accepted)
        )

    @given(
        first=st.integers(0, 255),
        count=st.integers(1, 20),
        beyond=st.integers(1, 200),
    )
    def test_proves_nothing_by_a_number_that_the_frames_cannot_explain(self, first, count, beyond):
        report_value = (first + count + beyond) % 256
        assert fates(frames(first, count), report_value=report_value) == [Fate.UNKNOWN] * count

    def test_takes_a_verification_report_where_farm_proves_nothing(self):
        open_frames = [
            OpenFrame(number=9, in_journal=True, reported_on_board=True),
            OpenFrame(number=10, in_journal=True),
            OpenFrame(number=11, in_journal=False),
            OpenFrame(number=12, in_journal=None),
        ]
        assert fates(open_frames, report_value=200) == [
            Fate.ACCEPTED,
            Fate.UNKNOWN,
            Fate.NOT_ACCEPTED,
            Fate.UNKNOWN,
        ]

    @pytest.mark.parametrize("in_journal", [True, False, None])
    def test_believes_farm_before_the_journal(self, in_journal):
        open_frames = frames(5, 1, in_journal=in_journal)
        assert fates(open_frames, report_value=6) == [Fate.ACCEPTED]
        assert fates(open_frames, report_value=5) == [Fate.NOT_ACCEPTED]

    def test_says_by_what_it_decides(self):
        [verdict] = judge(frames(5, 1), report_value=6)
        assert verdict.evidence == "N(S) 5, N(R) 6 of the CLCW"

    def test_has_nothing_to_say_of_nothing(self):
        assert judge([], report_value=6) == []
