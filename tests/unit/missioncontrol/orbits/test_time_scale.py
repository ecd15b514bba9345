from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from missioncontrol.orbits.time_scale import (
    earth_orientation,
    last_observed_day,
    packaged_time_scale,
    time_scale_from_finals,
)

# Columns as the IERS's "readme.finals2000A" gives them.
ROWS = b"""\
26 812 61264.00 I  0.222828 0.000026  0.356995 0.000026  I 0.0116154 0.0000094  0.2874 0.0076  I
26 813 61265.00 I  0.222998 0.000026  0.356170 0.000026  I 0.0111494 0.0000094  0.2874 0.0076  I
26 814 61266.00 P  0.223106 0.000026  0.355155 0.000026  P 0.0103885 0.0000094  0.2874 0.0076  P
26 815 61267.00
"""


def test_ut1_and_polar_motion_are_those_that_orekit_read():
    vectors = Path(__file__).resolve().parents[3] / "vectors"
    rows = json.loads((vectors / "contact_windows_reference.json").read_text())["eop"]
    scale = packaged_time_scale()
    for row in rows:
        time = scale.utc(1858, 11, 17 + int(row["mjd"]))
        assert time.dut1 == pytest.approx(row["dut1_s"], abs=2e-6)
        _, x, y = time.polar_motion_angles()
        assert x == pytest.approx(row["xp_arcsec"], abs=1e-6)
        assert y == pytest.approx(row["yp_arcsec"], abs=1e-6)


def test_the_scale_is_built_once():
    assert packaged_time_scale() is packaged_time_scale()


def test_a_table_of_ones_own_is_used():
    scale = time_scale_from_finals(_long_table(0.25))
    assert scale.utc(2026, 8, 13).dut1 == pytest.approx(0.25, abs=1e-6)
    assert scale.polar_motion_table is not None


def _long_table(dut1_s: float) -> bytes:
    """Return a table from 1973 on, with one leap second in 1974."""
    rows = []
    for mjd in range(41684, 61270):
        dut1 = dut1_s - 1.0 if mjd < 42048 else dut1_s
        rows.append(
            f"       {mjd:8.2f} I  0.200000 0.000026  0.300000 0.000026  I{dut1:10.7f} 0.0000094"
        )
    return "\n".join(rows).encode()


def test_the_last_observed_day_is_not_a_predicted_one():
    assert last_observed_day(ROWS) == datetime(2026, 8, 13, tzinfo=UTC)


def test_a_table_without_rows_is_refused():
    with pytest.raises(ValueError, match=r"None of the 5 octets .* astropy-iers-data"):
        time_scale_from_finals(b"nil\n\n")
    with pytest.raises(ValueError, match="no observed day"):
        last_observed_day(b"nil\n")


def test_a_table_without_its_early_years_is_refused():
    with pytest.raises(ValueError, match=r"The 3 rows .* hold no leap second"):
        time_scale_from_finals(ROWS)


def test_the_age_counts_from_the_last_observed_day():
    last = earth_orientation(datetime(2027, 1, 1, tzinfo=UTC)).last_observed
    assert earth_orientation(last + timedelta(days=1.5)).age_days == pytest.approx(1.5)
    assert earth_orientation(datetime(2020, 1, 1, tzinfo=UTC)).age_days < 0.0


def test_past_sixty_days_there_is_a_warning_that_says_what_to_do():
    last = earth_orientation(datetime(2027, 1, 1, tzinfo=UTC)).last_observed
    fresh, stale = (earth_orientation(last + timedelta(days=days)) for days in (60, 61))
    assert (fresh.is_stale, fresh.warning) == (False, "")
    assert stale.is_stale
    assert f"last observed on {last:%Y-%m-%d}, 61 days ago; the limit is 60" in stale.warning
    assert "Renew the package astropy-iers-data" in stale.warning
