from __future__ import annotations

import pytest

from missioncontrol.scheduling.solver.candidates import all_columns, first_columns
from missioncontrol.scheduling.solver.instance import index_problem
from missioncontrol.scheduling.solver.spans import every_part, wanted_spans
from tests.unit.missioncontrol.scheduling.solver.problems import (
    antenna,
    at,
    outage,
    problem,
    request,
    window,
)


def parts_of(asked, at_most=10_000):
    instance = index_problem(asked)
    columns, _spans, complete = all_columns(instance, at_most=at_most)
    seconds = {
        (round(begin / 1e6), round(end / 1e6))
        for begin, end in zip(columns.begins_us, columns.ends_us, strict=True)
    }
    return seconds, complete


def trimmed(**changes):
    return problem(windows=[window("w", 0, 300)], requests=[request(profile="trimmed", **changes)])


class TestEveryPart:
    def test_cuts_whole_steps_down_to_the_shortest(self):
        seconds, complete = parts_of(trimmed(minimum_duration_s=180))
        assert seconds == {(0, 300), (60, 300), (0, 240), (120, 300), (60, 240), (0, 180)}
        assert complete

    def test_keeps_the_longest_duration(self):
        seconds, _ = parts_of(trimmed(minimum_duration_s=180, maximum_duration_s=200))
        assert seconds == {(120, 300), (60, 240), (0, 180)}

    def test_begins_within_the_request_s_times(self):
        seconds, _ = parts_of(trimmed(earliest=at(50), latest=at(70), deadline=at(250)))
        assert seconds == {(60, 240), (60, 180)}

    def test_takes_coarser_steps_where_there_are_too_many_and_says_so(self):
        seconds, complete = parts_of(trimmed(minimum_duration_s=60), at_most=4)
        assert seconds == {(0, 300), (120, 300), (0, 180)}
        assert not complete

    def test_keeps_clear_of_an_outage_with_set_up_and_tear_down(self):
        asked = problem(
            windows=[window("w", 0, 900)],
            requests=[request(profile="trimmed", minimum_duration_s=240)],
            antennas=[antenna(setup_s=30, teardown_s=10)],
            outages=(outage("KIRUNA-1", 400, 500),),
        )
        seconds, _ = parts_of(asked)
        longest = {one for one in seconds if one[1] - one[0] >= 360}
        assert longest == {(0, 360), (540, 900)}
        assert all(end + 10 <= 400 or begin - 30 >= 500 for begin, end in seconds)

    @pytest.mark.parametrize("at_most", [1, 3, 10, 100])
    def test_never_gives_more_than_asked_for(self, at_most):
        instance = index_problem(
            problem(
                windows=[window("w", 0, 3000)],
                requests=[request(profile="trimmed")],
            )
        )
        parts, complete = every_part(instance, wanted_spans(instance), at_most)
        assert 1 <= len(parts) <= at_most
        assert not complete

    def test_gives_the_spans_themselves_where_even_these_are_too_many(self):
        instance = index_problem(
            problem(
                windows=[window("w", 0, 3000), window("v", 4000, 5000)],
                requests=[request(profile="trimmed")],
            )
        )
        parts, _ = every_part(instance, wanted_spans(instance), 0)
        assert len(parts) == 2


class TestFirstColumns:
    def test_leave_out_what_another_request_of_the_window_always_beats(self):
        asked = problem(
            windows=[window("w", 0, 300)],
            requests=[
                request("standing", value_per_s=2.0),
                request("beaten", value_per_s=1.0),
                request("minimum", value_per_s=1.0, minimum_count=1),
                request("better", value_per_s=3.0, maximum_count=1),
            ],
        )
        columns, _ = first_columns(index_problem(asked))
        assert {asked.requests[at].id for at in columns.request} == {
            "standing",
            "minimum",
            "better",
        }

    def test_take_no_window_that_is_not_within_the_times(self):
        asked = problem(
            windows=[window("early", 0, 300), window("in", 400, 700), window("late", 900, 1200)],
            requests=[request(earliest=at(1), deadline=at(1199))],
        )
        columns, _ = first_columns(index_problem(asked))
        assert [asked.opportunities[at].id for at in columns.opportunity] == ["in"]
