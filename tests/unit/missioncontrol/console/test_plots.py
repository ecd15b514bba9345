from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import numpy as np
import pytest

from missioncontrol.console.presentation.plots import limit_lines, plotted, plotted_csv
from missioncontrol.pipelines.demo import demo_mission
from telemetry.dictionary import parse_xtce
from telemetry.dictionary.model import AlarmRange, ConcernLevel
from telemetry.selectors import BucketColumns, LimitStretch


@pytest.fixture(scope="module")
def parameters():
    mission = demo_mission()
    xtce = mission.attachment(mission.spacecraft[0].telemetry_dictionary)
    return parse_xtce(xtce.encode()).parameters


BUCKETS = BucketColumns(
    parameter="PWR_BATT_V",
    unit="degC",
    starts_us=np.array([1_700_000_000_000_000, 1_700_000_001_500_000]),
    minimum=np.array([1.0, 2.0]),
    maximum=np.array([3.0, 2.0]),
    mean=np.array([2.0, 2.0]),
    count=np.array([10, 1]),
)


def always(parameter) -> LimitStretch:
    return LimitStretch(begin=None, end=None, ranges=parameter.alarm.ranges)


def test_limits_are_lines_the_mildest_first_with_the_side_where_the_alarm_is(parameters):
    lines = limit_lines([always(parameters["PWR_BATT_V"])])
    assert [(one.value, one.side, one.status, one.mildest) for one in lines] == [
        (47.0, "below", "caution", True),
        (57.0, "above", "caution", True),
        (45.0, "below", "critical", False),
        (59.0, "above", "critical", False),
    ]


def test_limits_of_a_context_are_lines_as_long_as_it_held(parameters):
    begin, end = (datetime(2026, 12, 1, hour, tzinfo=UTC) for hour in (12, 13))
    strict = AlarmRange(level=ConcernLevel.WATCH, maximum=50.0)
    stretches = [
        LimitStretch(begin=None, end=begin, ranges=()),
        LimitStretch(begin=begin, end=end, ranges=(strict,)),
        replace(always(parameters["PWR_BATT_V"]), begin=end),
    ]
    lines = [(one.value, one.from_s, one.to_s) for one in limit_lines(stretches)]
    assert lines[0] == (50.0, begin.timestamp(), end.timestamp())
    assert lines[1:] == [(value, end.timestamp(), None) for value in (47.0, 57.0, 45.0, 59.0)]


def test_a_plot_is_told_in_seconds_and_in_columns_of_one_length(parameters):
    told = plotted(BUCKETS, [always(parameters["PWR_BATT_V"])])
    assert len(told["limits"]) == 4
    assert told["times_s"] == [1_700_000_000.0, 1_700_000_001.5]
    assert (told["minimum"], told["mean"]) == ([1.0, 2.0], [2.0, 2.0])
    assert (told["maximum"], told["counts"], told["unit"]) == ([3.0, 2.0], [10, 1], "°C")


def test_csv_has_a_row_for_each_bucket_and_can_be_read_back():
    rows = list(csv.DictReader(StringIO(plotted_csv([BUCKETS, BUCKETS]))))
    assert len(rows) == 4
    assert rows[1] == {
        "time": "2023-11-14T22:13:21.500000Z",
        "parameter": "PWR_BATT_V",
        "unit": "degC",
        "minimum": "2.0",
        "mean": "2.0",
        "maximum": "2.0",
        "samples": "1",
    }
