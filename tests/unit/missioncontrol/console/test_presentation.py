"""What pages show, from rows that were never stored."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from missioncontrol import console
from missioncontrol.console.presentation import entries, jobs, parameters, steps
from missioncontrol.console.presentation.contacts import pass_progress, percent_of
from missioncontrol.console.presentation.steps import Milestone
from missioncontrol.pipelines.models import PassStep, StepKind, StepState
from telemetry.dictionary.model import (
    AlarmRange,
    ConcernLevel,
    EnumerationAlarm,
    FloatEncoding,
    IntegerEncoding,
    NumericAlarm,
    Parameter,
    ParameterType,
    PolynomialCalibrator,
    TypeKind,
)
from telemetry.limits import STALE_PERIODS
from telemetry.selectors import CurrentValue
from uplink.jobs.models import Job
from uplink.transfers.models import Transfer

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def parameter(kind=TypeKind.FLOAT, *, slope=None, encoding=None, alarm=None) -> Parameter:
    calibrator = None if slope is None else PolynomialCalibrator((0.0, slope))
    return Parameter(
        name="X",
        qualified_name="/X",
        subsystem="Power",
        type=ParameterType(
            name="X_t",
            kind=kind,
            encoding=encoding or IntegerEncoding(size_bits=16),
            calibrator=calibrator,
            alarm=alarm,
        ),
    )


class TestDecimals:
    @pytest.mark.parametrize(
        ("slope", "decimals"), [(0.001, 3), (0.5, 1), (0.1, 1), (1.0, 0), (20.0, 0), (1e-9, 6)]
    )
    def test_are_what_one_bit_is_worth(self, slope, decimals):
        assert parameters.decimals_of(parameter(slope=slope)) == decimals

    def test_of_a_float_on_the_wire_are_three(self):
        wire = parameter(encoding=FloatEncoding(size_bits=32))
        assert parameters.decimals_of(wire) == 3

    def test_of_a_count_are_none(self):
        assert parameters.decimals_of(parameter(TypeKind.INTEGER)) is None

    @pytest.mark.parametrize(
        ("value", "decimals", "text"),
        [(46.2, 3, "46.200"), (7, 3, "7"), ("SAFE", 2, "SAFE"), (None, 1, ""), (1.5, None, "1.5")],
    )
    def test_are_written(self, value, decimals, text):
        assert parameters.written(value, decimals) == text


def ranges(*bounds) -> NumericAlarm:
    levels = (ConcernLevel.WARNING, ConcernLevel.CRITICAL)
    return NumericAlarm(
        ranges=tuple(
            AlarmRange(level=level, minimum=low, maximum=high)
            for level, (low, high) in zip(levels, bounds, strict=False)
        )
    )


class TestLimits:
    @pytest.mark.parametrize(
        ("alarm", "text"),
        [
            (ranges((47, 57), (45, 59)), "47 … 57"),
            (ranges((None, 3600)), "≤ 3600"),
            (ranges((45, None)), "≥ 45"),
            (None, ""),
            (EnumerationAlarm(levels=(("SAFE", ConcernLevel.WARNING),)), "not SAFE"),
        ],
    )
    def test_are_the_mildest(self, alarm, text):
        assert parameters.limits_text(parameter(alarm=alarm)) == text


def value(age_s: float | None, period_s: float | None) -> CurrentValue:
    return CurrentValue(
        name="X",
        subsystem="Power",
        description="",
        unit="V",
        value=1.0,
        raw=1,
        state="normal",
        generated_at=None if age_s is None else AT - timedelta(seconds=age_s),
        expected_period_s=period_s,
    )


class TestStaleness:
    @pytest.mark.parametrize(
        ("age_s", "period_s", "stale"),
        [(29, 10.0, False), (31, 10.0, True), (9999, None, False), (None, None, True)],
    )
    def test_is_three_periods_old(self, age_s, period_s, stale):
        assert parameters.is_stale(value(age_s, period_s), AT) is stale

    def test_is_the_same_in_the_browser(self):
        script = Path(console.__file__).parent / "static/console/clock.js"
        found = re.search(r"const STALE_PERIODS = (\d+);", script.read_text())
        assert found is not None
        assert int(found[1]) == STALE_PERIODS


class TestWay:
    def test_waits_at_the_first_that_is_not_reached(self):
        way = steps.way(
            [Milestone("a", AT), Milestone("b", None), Milestone("c", None)],
            ended_badly_at=None,
            over=False,
        )
        assert [step.position for step in way] == ["done", "current", "todo"]

    def test_ends_where_it_failed(self):
        way = steps.way(
            [Milestone("a", AT), Milestone("b", None), Milestone("c", None)],
            ended_badly_at=AT,
            over=True,
        )
        assert [step.position for step in way] == ["done", "failed", "todo"]

    def test_has_passed_what_was_not_seen(self):
        way = steps.way(
            [Milestone("a", AT), Milestone("b", None), Milestone("c", AT)],
            ended_badly_at=None,
            over=True,
        )
        assert [step.position for step in way] == ["done", "done", "done"]


class TestPassProgress:
    def row(self, kind, state, number):
        return PassStep(kind=kind, state=state, number=number, started_at=AT)

    def test_takes_the_newest_of_a_step_that_was_begun_again(self):
        rows = [
            self.row(StepKind.PREPASS, StepState.DONE, 1),
            self.row(StepKind.ACQUIRE, StepState.INTERRUPTED, 2),
            self.row(StepKind.ACQUIRE, StepState.RUNNING, 3),
        ]
        positions = [step.position for step in pass_progress(rows)]
        assert positions == ["done", "current", "todo", "todo", "todo", "todo", "todo"]


class TestJobs:
    def job(self, state, **fields) -> Job:
        return Job(number=1, state=state, submitted_at=AT, program="SHA256", **fields)

    @pytest.mark.parametrize("state", Job.State)
    def test_have_a_percentage_in_every_state(self, state):
        assert 0 <= jobs.percent(self.job(state)) <= 100

    def test_go_on_with_their_transfer(self):
        half = Transfer(progress_octets=50, size_octets=100)
        job = self.job(Job.State.UPLINKING, uplink=half)
        assert jobs.percent(job) == 5 + 35 // 2

    def test_waiting_for_a_pass_calls_nobody(self):
        assert jobs.status(self.job(Job.State.SUBMITTED)) == "standby"

    def test_output_is_shown_in_hexadecimal(self):
        shown = jobs.result_panel(self.job("COMPLETED"), bytes(range(256)) + b"more")
        assert shown.preview.startswith("000000  0001 0203")
        assert shown.preview.endswith("… and 4 octets more")

    def test_statistics_are_shown_as_words(self):
        job = self.job("COMPLETED")
        job.program = "IMAGE_STATISTICS"
        assert jobs.result_panel(job, b'{"width":3,"histogram":[1,2]}').preview == (
            "width: 3\nhistogram: [1, 2]"
        )

    def test_statistics_that_are_no_json_are_shown_all_the_same(self):
        job = self.job("COMPLETED")
        job.program = "IMAGE_STATISTICS"
        assert jobs.result_panel(job, b"\xff\xfe").preview == "000000  fffe"


class TestPercent:
    @pytest.mark.parametrize(
        ("part", "whole", "percent"),
        [(0, None, 0), (0, 0, 0), (1, 3, 33), (3, 3, 100), (9, 3, 100)],
    )
    def test_never_leaves_its_range(self, part, whole, percent):
        assert percent_of(part, whole) == percent


class TestEntries:
    def test_are_told_in_one_line_without_digests(self):
        line = entries.summary(
            "job:3", '{"details":{"program":"SHA256","input_sha256":"ab","failure":"","octets":5}}'
        )
        assert line == "job:3 · program SHA256 · octets 5"

    def test_tell_times_to_the_second(self):
        line = entries.summary(
            "plan:1",
            '{"details":{"begins":"2026-12-01T12:51:08.867910+00:00","input_digest":"sha256:ab"}}',
        )
        assert line == "plan:1 · begins 2026-12-01 12:51:08Z"

    @pytest.mark.parametrize("octets", ["", "{", "[]", '{"details":[]}', "3"])
    def test_that_were_changed_keep_their_subject(self, octets):
        assert entries.summary("job:3", octets) == "job:3"


class TestFacts:
    def test_write_what_a_private_part_holds(self):
        content = {
            "input_sha256": "ab",
            "failure": "",
            "octets": 0,
            "none": None,
            "list": ["\u00fc"],
        }
        assert entries.facts(content) == [
            ("input sha256", "ab"),
            ("failure", "\u2014"),
            ("octets", "0"),
            ("none", "\u2014"),
            ("list", '["\u00fc"]'),
        ]


class TestReadable:
    def test_spreads_json_over_lines_and_leaves_the_rest(self):
        assert entries.readable('{"a":1}') == '{\n  "a": 1\n}'
        assert entries.readable("{") == "{"
