from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest

from missioncontrol.console.presentation.plots import limit_lines, plotted, plotted_csv
from missioncontrol.pipelines.demo import demo_mission
from telemetry.dictionary import parse_xtce
from telemetry.selectors import BucketColumns


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


def test_limits_are_lines_the_mildest_first_with_the_side_where_the_alarm_is(parameters):
    lines = limit_lines(parameters["PWR_BATT_V"])
    assert [(one.value, one.side, one.status, one.mildest) for one in lines] == [
        (47.0, "below", "caution", True),
        (57.0, "above", "caution", True),
        (45.0, "below", "critical", False),
        (59.0, "above", "critical", False),
    ]


def test_what_has_no_limits_of_its_value_has_no_lines(parameters):
    assert limit_lines(parameters["PKT_APID"]) == []
    assert limit_lines(parameters["PWR_MODE"]) == []


def test_a_plot_is_told_in_seconds_and_in_columns_of_one_length(parameters):
    told = plotted(parameters["PWR_BATT_V"], BUCKETS)
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
