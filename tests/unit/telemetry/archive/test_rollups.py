from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.archive import Affine, ColumnGroup, open_reader, open_writer
from telemetry.archive.rollups import rollups_of, widths_us

START = datetime(2026, 12, 1, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000


def write(folder, times_us, values):
    group = ColumnGroup(
        spacecraft="DD-1",
        container="Power",
        times_us=times_us,
        sequence_counts=(np.arange(len(times_us)) % 16384).astype(np.uint16),
        columns={"VOLT": values},
    )
    with open_writer(folder) as writer:
        writer.append([], [group])


def decimate(folder, seconds, *, buckets, calibrate=None):
    with open_reader(folder) as reader:
        return reader.read_decimated(
            spacecraft="DD-1",
            parameter="VOLT",
            start=START,
            end=START + timedelta(seconds=seconds),
            buckets=buckets,
            calibrate=calibrate,
        )


class TestLevels:
    @settings(max_examples=40, deadline=None)
    @given(
        count=st.integers(4096, 8000),
        longest_us=st.integers(20_000, 10**9),
        seed=st.integers(0, 99),
    )
    def test_every_level_counts_every_sample_and_knows_the_extremes(self, count, longest_us, seed):
        steps = np.random.default_rng(seed).integers(1, longest_us, count)
        times = START_US + np.cumsum(steps)
        values = np.random.default_rng(seed).normal(size=len(times)).astype(np.float32)
        values[::97] = np.nan
        levels = widths_us(int(times[0]), int(times[-1]), len(times))
        assert levels
        for rollup in rollups_of(times, values, levels):
            bins = rollup.bins
            assert bins["samples"].sum() == len(times)
            assert bins["finite"].sum() == np.isfinite(values).sum()
            assert bins["least"].min() == np.nanmin(values)
            assert bins["greatest"].max() == np.nanmax(values)
            assert bins["total"].sum() == pytest.approx(np.nansum(values, dtype=np.float64))
            assert rollup.first_bin_us % rollup.width_us == 0
            assert rollup.first_bin_us <= times[0] < rollup.first_bin_us + rollup.width_us

    def test_few_rows_have_no_rollups(self):
        assert widths_us(0, 10_000_000_000, 1000) == []


class TestDecimatedFromRollups:
    def test_says_of_each_bucket_what_its_samples_say(self, tmp_path):
        seconds = 60_000
        times = START_US + np.arange(seconds, dtype=np.int64) * 1_000_000
        values = np.random.default_rng(3).integers(0, 60_000, seconds).astype(np.uint16)
        write(tmp_path, times, values)
        parts = decimate(tmp_path, seconds, buckets=20)
        assert 15 <= len(parts.starts_us) <= 20
        assert parts.count.sum() == seconds
        ends = np.append(parts.starts_us[1:], times[-1] + 1)
        for row, (begin, end) in enumerate(zip(parts.starts_us, ends, strict=True)):
            own = values[(times >= begin) & (times < end)]
            assert parts.count[row] == len(own)
            assert (parts.minimum[row], parts.maximum[row]) == (own.min(), own.max())
            assert parts.mean[row] == pytest.approx(own.mean())

    @pytest.mark.parametrize("gain", [2.5, -0.25])
    def test_a_straight_line_gives_what_calibrated_values_give(self, tmp_path, gain):
        seconds = 20_000
        times = START_US + np.arange(seconds, dtype=np.int64) * 1_000_000
        values = np.random.default_rng(3).integers(0, 60_000, seconds).astype(np.uint16)
        write(tmp_path, times, values)
        line = Affine(gain=gain, offset=-50.0)
        by_line = decimate(tmp_path, seconds, buckets=4, calibrate=line)
        begin = by_line.starts_us
        raw = decimate(tmp_path, seconds, buckets=4)
        assert begin.tolist() == raw.starts_us.tolist()
        low, high = (raw.minimum, raw.maximum) if gain > 0 else (raw.maximum, raw.minimum)
        assert by_line.minimum == pytest.approx(gain * low - 50)
        assert by_line.maximum == pytest.approx(gain * high - 50)
        assert by_line.mean == pytest.approx(gain * raw.mean - 50)

    def test_segments_that_overlap_are_read_so_that_no_sample_counts_twice(self, tmp_path):
        times = START_US + np.arange(20_000, dtype=np.int64) * 1_000_000
        values = np.arange(20_000).astype(np.uint16)
        write(tmp_path, times, values)
        write(tmp_path, times[5000:9000], values[5000:9000])  # not the same sequence counts
        write(tmp_path, times, values)  # the very same once more
        assert decimate(tmp_path, 20_000, buckets=5).count.sum() == 24_000

    def test_segments_without_the_parameter_hide_none_that_have_it(self, tmp_path):
        times = START_US + np.arange(20_000, dtype=np.int64) * 1_000_000
        write(tmp_path, times, np.arange(20_000).astype(np.uint16))
        with open_writer(tmp_path) as writer:  # of an older dictionary, over the same time
            other = ColumnGroup(
                spacecraft="DD-1",
                container="Power",
                times_us=times,
                sequence_counts=np.zeros(20_000, dtype=np.uint16),
                columns={"CURRENT": np.zeros(20_000)},
            )
            writer.append([], [other])
        found = decimate(tmp_path, 20_000, buckets=5)
        assert found.count.sum() == 20_000
        assert (found.minimum.min(), found.maximum.max()) == (0, 19_999)
