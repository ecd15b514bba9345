from __future__ import annotations

import pytest

from missioncontrol.accounts.models import Organisation
from missioncontrol.audit.selectors import WitnessBoard, WitnessState
from missioncontrol.console.presentation.witnesses import (
    SEAT_WIDTH,
    in_words,
    picture,
    witness_rows,
)
from tests.unit.missioncontrol.console.test_log_export import AT

NAMES = {"a": "Alpha", "b": "Beta", "c": "Gamma"}


def state(organisation, *, size=10, seen=AT, fault=""):
    return WitnessState(
        name=f"w-{organisation}",
        organisation=organisation,
        url="https://w.example",
        size=size,
        behind=10 - size,
        last_seen_at=seen,
        fault=fault,
    )


def board(*states, published=2, settled=3):
    return WitnessBoard(
        witnesses=list(states),
        away=[],
        published_quorum=published,
        settled_quorum=settled,
        signed_size=10,
        published_size=9,
        settled_size=8,
    )


def rows_of(*states):
    return witness_rows(board(*states), names=NAMES)


class TestWitnessRows:
    def test_put_the_furthest_first_and_who_is_away_behind_them(self):
        rows = rows_of(state("c", size=4), state("b", fault="no answer"), state("a"))
        assert [(row.organisation, row.state) for row in rows] == [
            ("Alpha", "cosigning"),
            ("Beta", "away"),
            ("Gamma", "behind"),
        ]

    def test_tell_who_was_never_seen_from_who_is_away(self):
        [row] = rows_of(state("a", size=0, seen=None))
        assert (row.state, row.status) == ("never", "standby")


class TestPicture:
    def test_draws_each_threshold_behind_the_seat_that_it_takes(self):
        states = [state("a"), state("b")]
        drawn = picture(board(*states), rows_of(*states), [Organisation(name="Delta")])
        assert [seat.status for seat in drawn.seats] == ["normal", "normal", "off"]
        lines = [(line.name, line.x, line.reached) for line in drawn.thresholds]
        assert lines == [
            ("published", 2 * SEAT_WIDTH - 2, True),
            ("settled", 3 * SEAT_WIDTH - 2, False),
        ]

    def test_draws_no_threshold_that_is_not_demanded(self):
        assert picture(board(published=0, settled=0), [], []).thresholds == []


class TestInWords:
    @pytest.mark.parametrize(
        ("cosigned", "published"),
        [
            (3, "Published takes 2: it has them, and 1 more may go away."),
            (2, "Published takes 2: it has them, and none more may go away."),
            (1, "Published takes 2: 1 is missing."),
            (0, "Published takes 2: 2 are missing."),
        ],
    )
    def test_says_how_many_may_go_away_or_are_missing(self, cosigned, published):
        states = [
            state(slug, size=10 if place < cosigned else 5) for place, slug in enumerate("abc")
        ]
        words = in_words(board(*states), rows_of(*states), 24)
        assert words[0].startswith(f"3 of 24 members run a witness; {cosigned} ")
        assert words[1] == published
