from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.time_correlation import (
    CorrelationError,
    CorrelationHistory,
    correlate,
    fit_correlation,
)

S = 1_000_000  # microseconds
UTC0 = 1_796_126_400 * S  # 2026-12-01T12:00:00Z
OBT0 = 849_441_600 * S


def samples(
    count: int, *, drift: float, step_s: float = 10.0, noise_us: float = 0.0, seed: int = 0
):
    """Return readings and instants of a clock that loses *drift* seconds in a second."""
    obt = OBT0 + np.rint(np.arange(count) * step_s * S).astype(np.int64)
    utc = UTC0 + (obt - OBT0) + np.rint((obt - OBT0) * drift).astype(np.int64)
    return obt, utc + np.rint(np.random.default_rng(seed).normal(0, noise_us, count)).astype(
        np.int64
    )


class TestFit:
    @given(drift=st.floats(-1e-4, 1e-4), count=st.integers(2, 50))
    def test_finds_the_drift_of_a_clock_that_runs_straight(self, drift, count):
        obt, utc = samples(count, drift=drift)
        fitted = fit_correlation(obt, utc)
        assert fitted.drift == pytest.approx(drift, abs=1e-6 / 10)
        assert fitted.residual_max_us <= 2
        assert np.abs(fitted.to_utc_us(obt) - utc).max() <= 2
        assert np.abs(fitted.to_obt_us(utc) - obt).max() <= 2

    def test_equals_an_independent_least_squares(self):
        obt, utc = samples(200, drift=3e-6, noise_us=500)
        fitted = fit_correlation(obt, utc)
        slope, intercept = np.polyfit((obt - OBT0) / 1e6, (utc - UTC0 - (obt - OBT0)) / 1e6, 1)
        assert fitted.drift == pytest.approx(slope, rel=1e-6)
        at = fitted.to_utc_us(np.array([OBT0]))[0] - UTC0
        assert at / 1e6 == pytest.approx(intercept, abs=2e-6)
        residuals = fitted.residuals_us(obt, utc)
        assert fitted.residual_rms_us == pytest.approx(float(np.sqrt(np.mean(residuals**2))))
        assert fitted.residual_rms_us == pytest.approx(500, rel=0.15)

    @pytest.mark.parametrize(
        ("obt", "utc", "message"),
        [([1], [2], "1 readings"), ([1, 2], [1], "2 readings and 1"), ([5, 5], [1, 2], "5 us")],
    )
    def test_refuses_samples_that_say_nothing(self, obt, utc, message):
        with pytest.raises(CorrelationError, match=message):
            fit_correlation(np.array(obt), np.array(utc))


class TestHistory:
    def test_begins_a_new_stretch_when_the_clock_was_set(self):
        obt, utc = samples(60, drift=2e-6, noise_us=50)
        obt[30:] += 40 * S  # set 40 s ahead
        history = correlate(obt, utc, tolerance_us=1000)
        assert len(history.stretches) == 2
        assert [s.valid_from_us for s in history.stretches] == [obt[0], obt[30]]
        assert np.abs(history.residuals_us(obt, utc)).max() < 1000
        assert history.stretches[0].samples == 30

    def test_leaves_out_a_sample_that_stands_alone(self):
        obt, utc = samples(40, drift=1e-6)
        utc[20] += 2 * S
        utc[21] += 2 * S + 1
        history = correlate(obt, utc, tolerance_us=1000)
        [stretch] = history.stretches
        assert stretch.samples == 38
        assert history.residuals_us(obt, utc)[20] == pytest.approx(2 * S, abs=2)

    def test_follows_a_clock_whose_drift_changes(self):
        obt, utc = samples(100, drift=0.0, step_s=60)
        utc[50:] += np.rint((obt[50:] - obt[50]) * 5e-5).astype(np.int64)
        history = correlate(obt, utc, tolerance_us=5000)
        assert len(history.stretches) >= 2
        assert history.stretches[-1].drift == pytest.approx(5e-5, rel=0.05)
        assert np.abs(history.residuals_us(obt, utc)).max() < 10_000

    def test_dates_what_is_before_the_first_stretch_by_the_first(self):
        obt, utc = samples(10, drift=0.0)
        history = CorrelationHistory().with_stretch(fit_correlation(obt, utc))
        assert history.to_utc_us(np.array([OBT0 - 7 * S])).tolist() == [UTC0 - 7 * S]

    def test_puts_a_better_fit_in_the_place_of_the_one_that_begins_there(self):
        obt, utc = samples(10, drift=0.0)
        history = CorrelationHistory().with_stretch(fit_correlation(obt[:3], utc[:3]))
        history = history.with_stretch(fit_correlation(obt, utc))
        assert [stretch.samples for stretch in history.stretches] == [10]

    def test_refuses_what_makes_no_history(self):
        with pytest.raises(CorrelationError, match="has no correlation yet"):
            CorrelationHistory().to_utc_us(np.array([1]))
        fitted = fit_correlation(*samples(3, drift=0.0))
        with pytest.raises(CorrelationError, match="one after the other"):
            CorrelationHistory((fitted, fitted))
        with pytest.raises(CorrelationError, match="growing instants"):
            correlate(np.array([1, 2]), np.array([2, 2]), tolerance_us=1)
