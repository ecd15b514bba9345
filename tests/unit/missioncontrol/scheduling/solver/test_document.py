from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.scheduling.solver.document import (
    DocumentError,
    digest_of,
    plan_document,
    problem_document,
    read_plan_document,
    read_problem,
)
from missioncontrol.scheduling.solver.planning import greedy_plan, make_plan
from tests.unit.missioncontrol.scheduling.solver.problems import (
    problem,
    request,
    running_problems,
    search,
    window,
)


class TestPlanDocument:
    @settings(deadline=None, max_examples=30)
    @given(problem=running_problems())
    def test_is_read_back_as_it_was(self, problem):
        plan = make_plan(problem, search())
        document = json.loads(json.dumps(plan_document(problem, plan)))
        assert read_plan_document(document) == (problem, plan)

    @settings(deadline=None, max_examples=30)
    @given(problem=running_problems())
    def test_has_the_digest_of_its_problem_whoever_wrote_it(self, problem):
        document = problem_document(problem)
        again = problem_document(read_problem(json.loads(json.dumps(document))))
        assert digest_of(document) == digest_of(again) == greedy_plan(problem).input_digest

    def test_of_a_changed_problem_has_another_digest(self):
        asked = [
            problem(windows=[window("w", 0, ends_s)], requests=[request()])
            for ends_s in (300.0, 300.000001)
        ]
        assert digest_of(problem_document(asked[0])) != digest_of(problem_document(asked[1]))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda document: document.update(format="plan/9"), "The format is 'plan/9'"),
            (lambda document: document["plan"].pop("seed"), "cannot be read: KeyError"),
            (
                lambda document: document["problem"]["antennas"][0].update(colour="red"),
                "An? Antenna has the unknown fields colour",
            ),
            (
                lambda document: document["problem"].update(begins="2026-12-01T00:00:00"),
                "carries no zone",
            ),
        ],
    )
    def test_of_another_kind_is_refused(self, change, message):
        asked = problem(windows=[window("w", 0, 300)], requests=[request()])
        document = json.loads(json.dumps(plan_document(asked, greedy_plan(asked))))
        change(document)
        with pytest.raises(DocumentError, match=message):
            read_plan_document(document)


_ZONES = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
_TIMES = st.datetimes(
    min_value=datetime(1980, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC) | _ZONES,
)


class TestTimes:
    @given(begins=_TIMES)
    def test_are_written_as_utc_to_the_microsecond(self, begins):
        horizon = {"begins": begins, "ends": begins + timedelta(days=1)}
        document = problem_document(problem(windows=[], requests=[], **horizon))
        text = begins.astimezone(UTC).isoformat(timespec="microseconds")
        assert document["begins"] == f"{text.removesuffix('+00:00')}Z"
