"""Whatever comes, an archive in ClickHouse answers as one in its folder does."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.archive import Affine, ColumnGroup, open_reader, open_writer

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("clickhouse")]

START = datetime(2026, 11, 30, 23, 59, 30, tzinfo=UTC)  # a month ends among the samples
START_US = int(START.timestamp()) * 1_000_000
_DTYPES = {
    "U8": "u1",
    "I8": "i1",
    "U16": "u2",
    "I32": "i4",
    "U64": "u8",
    "I64": "i8",
    "F32": "f4",
    "F64": "f8",
    "TEXT": "V3",
}
_NUMBERS = st.one_of(
    st.floats(-1e6, 1e6, width=32), st.sampled_from([np.nan, np.inf, -np.inf, -0.0])
)
_numbers = itertools.count()


def _values(draw, dtype: np.dtype, count: int) -> np.ndarray:
    if dtype.kind == "f":
        drawn = draw(st.lists(_NUMBERS, min_size=count, max_size=count))
        return np.array(drawn, dtype=dtype)
    octets = draw(st.binary(min_size=count * dtype.itemsize, max_size=count * dtype.itemsize))
    return np.frombuffer(octets, dtype=dtype)


@st.composite
def _groups(draw) -> ColumnGroup:
    """Rows of one container, late, repeated and in any order."""
    seconds = draw(st.lists(st.integers(0, 60), min_size=1, max_size=12))
    names = draw(st.sets(st.sampled_from(sorted(_DTYPES)), min_size=1, max_size=2))
    return ColumnGroup(
        spacecraft="DD-1",
        container=draw(st.sampled_from(["Power", "Thermal"])),
        times_us=START_US + np.array(seconds, dtype=np.int64) * 1_000_000,
        sequence_counts=np.array(
            draw(st.lists(st.sampled_from([7, 8]), min_size=len(seconds), max_size=len(seconds))),
            dtype=np.uint16,
        ),
        columns={
            name: _values(draw, np.dtype(_DTYPES[name]), len(seconds)) for name in sorted(names)
        },
    )


@pytest.fixture
def both(clickhouse):
    """Write the same groups to both archives and open a reader of each."""
    folder = Path(tempfile.mkdtemp())

    def written(deliveries):
        place = folder / str(next(_numbers))
        # Tables are shared, so that each example costs rows and no table.
        spacecraft = f"DD-{next(_numbers)}"
        renamed = [
            [
                ColumnGroup(
                    spacecraft=spacecraft,
                    container=group.container,
                    times_us=group.times_us,
                    sequence_counts=group.sequence_counts,
                    columns=group.columns,
                )
                for group in groups
            ]
            for groups in deliveries
        ]
        for server in (None, clickhouse):
            with open_writer(place / str(server is None), clickhouse=server) as writer:
                for groups in renamed:
                    writer.append([], groups)
        return (
            spacecraft,
            open_reader(place / "True"),
            open_reader(place / "False", clickhouse=clickhouse),
        )

    yield written
    shutil.rmtree(folder)


def _delivered(deliveries) -> set[str]:
    return {name for groups in deliveries for group in groups for name in group.columns}


_deliveries = st.lists(st.lists(_groups(), min_size=1, max_size=3), min_size=1, max_size=3)
_seconds = st.integers(-5, 65)
_few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class TestBothArchives:
    @_few
    @given(
        deliveries=_deliveries,
        begin=_seconds,
        length=st.integers(1, 70),
        limit=st.integers(1, 6),
    )
    def test_read_the_same_samples(self, both, deliveries, begin, length, limit):
        spacecraft, segments, columns = both(deliveries)
        start = START + timedelta(seconds=begin)
        asked = {
            "spacecraft": spacecraft,
            "start": start,
            "end": start + timedelta(seconds=length),
        }
        with segments, columns:
            for parameter in _delivered(deliveries):
                for at_most in (None, limit):
                    expected = segments.read(**asked, parameter=parameter, limit=at_most)
                    found = columns.read(**asked, parameter=parameter, limit=at_most)
                    assert found.times_us.tolist() == expected.times_us.tolist()
                    assert found.sequence_counts.tolist() == expected.sequence_counts.tolist()
                    assert found.values.tobytes() == expected.values.tobytes()
                    if len(expected):
                        assert found.values.dtype == expected.values.dtype
            newest = columns.latest(spacecraft=spacecraft)
            assert str(newest) == str(segments.latest(spacecraft=spacecraft))  # NaN is not NaN

    @_few
    @given(
        deliveries=_deliveries,
        begin=_seconds,
        length=st.integers(1, 70),
        buckets=st.integers(1, 9),
        calibrate=st.sampled_from([None, Affine(-2.0, 1.0), np.sqrt]),
    )
    @pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
    def test_decimate_to_the_same_buckets(
        self, both, deliveries, begin, length, buckets, calibrate
    ):
        spacecraft, segments, columns = both(deliveries)
        start = START + timedelta(seconds=begin)
        asked = {
            "spacecraft": spacecraft,
            "start": start,
            "end": start + timedelta(seconds=length),
        }
        with segments, columns:
            for parameter in _delivered(deliveries) - {"TEXT"}:
                one = {**asked, "parameter": parameter, "calibrate": calibrate}
                expected = segments.read_decimated(**one, buckets=buckets)
                found = columns.read_decimated(**one, buckets=buckets)
                for name in ("starts_us", "count", "minimum", "maximum"):
                    np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
                np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-9, atol=1e-9)
