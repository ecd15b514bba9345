from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.orbits.eclipse import (
    Shadow,
    ShadowSpan,
    beta_angle_deg,
    eclipse_intervals,
    shadow_spans,
    sunlit_fraction,
)
from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from missioncontrol.orbits.trajectory import PropagationError

START = datetime(2026, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TOLERANCE_S = 0.2


def edges_s(intervals, start) -> list[tuple[str, float]]:
    events = []
    for one in intervals:
        if not one.clipped_start:
            events.append(("entry", (one.entry - start).total_seconds()))
        if not one.clipped_end:
            events.append(("exit", (one.exit - start).total_seconds()))
    return events


class TestIntervals:
    def test_agree_with_orekit(self, reference):
        compared = 0
        for wanted in reference.eclipses:
            intervals = eclipse_intervals(
                reference.elements[wanted["sat"]],
                start=reference.start,
                end=reference.end,
                shadow=Shadow(wanted["kind"]),
            )
            events = edges_s(intervals, reference.start)
            assert [kind for kind, _ in events] == [one["type"] for one in wanted["events"]]
            for (_, at_s), one in zip(events, wanted["events"], strict=True):
                assert abs(at_s - one["t_s"]) < TOLERANCE_S, one
                compared += 1
        assert compared == 240

    def test_the_penumbra_surrounds_the_umbra(self, iss):
        umbra = eclipse_intervals(iss, start=START, end=START + DAY, shadow=Shadow.UMBRA)
        penumbra = eclipse_intervals(iss, start=START, end=START + DAY)
        assert len(umbra) == len(penumbra) == 16
        for inner, outer in zip(umbra, penumbra, strict=True):
            if not outer.clipped_start:
                assert 5.0 < (inner.entry - outer.entry).total_seconds() < 60.0
            if not outer.clipped_end:
                assert 5.0 < (outer.exit - inner.exit).total_seconds() < 60.0

    def test_an_interval_within_the_shadow_is_cut_at_both_ends(self, iss):
        whole = eclipse_intervals(iss, start=START, end=START + DAY)[2]
        start, end = whole.entry + timedelta(seconds=60), whole.exit - timedelta(seconds=60)
        [inside] = eclipse_intervals(iss, start=start, end=end)
        assert (inside.entry, inside.exit) == (start, end)
        assert inside.clipped_start
        assert inside.clipped_end
        assert inside.duration_s == (end - start).total_seconds()

    def test_a_start_shifted_by_a_second_gives_the_same_shadows(self, iss):
        first = eclipse_intervals(iss, start=START, end=START + DAY)
        shifted = eclipse_intervals(iss, start=START + timedelta(seconds=1), end=START + DAY)
        assert len(first) == len(shifted)
        for one, other in zip(first[1:], shifted[1:], strict=True):
            assert abs(one.entry - other.entry) < timedelta(microseconds=5)

    def test_a_decayed_spacecraft_has_none(self, sentinel):
        falling = replace(sentinel, mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01)
        with pytest.raises(PropagationError, match="error 6"):
            eclipse_intervals(falling, start=START, end=START + 9 * DAY)
        with pytest.raises(PropagationError, match="error 6"):
            sunlit_fraction(falling, [START + 9 * DAY])

    def test_the_first_shadow_of_a_season_is_found_although_shorter_than_the_grid(self):
        """Shadows of a dawn-dusk orbit grow from nothing: none before the first is missed."""
        spring = datetime(2026, 5, 5, tzinfo=UTC)
        durations_s = []
        for anomaly_deg in range(0, 360, 24):
            dawn_dusk = sun_synchronous_elements(
                "DD-1", 90001, 750.0, 18.0, spring, mean_anomaly_deg=float(anomaly_deg)
            )
            first = eclipse_intervals(dawn_dusk, start=spring, end=spring + 14 * DAY)[0]
            durations_s.append(first.duration_s)
            before = [first.entry - timedelta(seconds=2.0 * step) for step in range(1, 4000)]
            assert (sunlit_fraction(dawn_dusk, before) == 1.0).all()
            [middle] = sunlit_fraction(dawn_dusk, [first.entry + (first.exit - first.entry) / 2])
            assert middle < 1.0
        assert min(durations_s) < 60.0

    @pytest.mark.parametrize(
        ("ltan_hours", "dark", "sunny"),
        [
            (18.0, ("05-20", "06-21", "07-25"), ("05-06", "08-07", "08-20", "12-21")),
            (6.0, ("11-20", "12-21", "01-22"), ("11-06", "02-05", "02-15", "06-21")),
        ],
    )
    def test_the_season_of_a_dawn_dusk_orbit_lies_about_a_solstice(self, ltan_hours, dark, sunny):
        """The orbit's normal stands 8.4 degrees off the equator, so the Sun's declination decides.

        At 750 km there is shadow while the Sun is more than 18 degrees on the far side.
        """
        for days, expected in ((dark, True), (sunny, False)):
            for day in days:
                at = datetime.fromisoformat(f"2026-{day}").replace(tzinfo=UTC)
                orbit = sun_synchronous_elements("DD-1", 90001, 750.0, ltan_hours, at)
                shadows = eclipse_intervals(orbit, start=at, end=at + timedelta(hours=3))
                assert bool(shadows) is expected, day
                if day in ("06-21", "12-21") and expected:
                    longest = max(one.duration_s for one in shadows)
                    assert 17.0 < longest / 60.0 < 18.5


class TestSpans:
    def test_fill_the_interval_and_tell_the_light_of_each(self, iss):
        end = START + timedelta(hours=5)
        spans = shadow_spans(iss, start=START, end=end)
        assert [spans[0].begin, spans[-1].end] == [START, end]
        assert all(one.end == other.begin for one, other in pairwise(spans))
        # Into the shadow and out of it one goes through the penumbra.
        assert all(
            (one.shadow is Shadow.PENUMBRA) != (other.shadow is Shadow.PENUMBRA)
            for one, other in pairwise(spans)
        )
        assert sum(span.shadow is Shadow.UMBRA for span in spans) >= 3
        middles = [span.begin + (span.end - span.begin) / 2 for span in spans]
        for span, fraction in zip(spans, sunlit_fraction(iss, middles), strict=True):
            wanted = {0.0: Shadow.UMBRA, 1.0: None}.get(float(fraction), Shadow.PENUMBRA)
            assert span.shadow is wanted

    def test_of_an_orbit_without_eclipses_are_one(self, geostationary):
        assert shadow_spans(geostationary, start=START, end=START + DAY) == [
            ShadowSpan(shadow=None, begin=START, end=START + DAY)
        ]


class TestSunlitFraction:
    @settings(max_examples=20, deadline=None)
    @given(hours=st.floats(0.0, 24.0))
    def test_is_less_than_one_exactly_in_the_penumbra(self, iss, hours):
        at = START + timedelta(hours=hours)
        [fraction] = sunlit_fraction(iss, [at])
        penumbra = eclipse_intervals(iss, start=START - DAY, end=START + 2 * DAY)
        umbra = eclipse_intervals(iss, start=START - DAY, end=START + 2 * DAY, shadow=Shadow.UMBRA)
        assert (fraction < 1.0) == any(one.entry < at < one.exit for one in penumbra)
        assert (fraction == 0.0) == any(one.entry < at < one.exit for one in umbra)

    def test_falls_steadily_through_the_penumbra_and_is_half_in_its_middle(self, iss):
        outer = eclipse_intervals(iss, start=START, end=START + DAY)[3]
        inner = eclipse_intervals(iss, start=START, end=START + DAY, shadow=Shadow.UMBRA)[3]
        width = inner.entry - outer.entry
        fractions = sunlit_fraction(iss, [outer.entry + width * part / 20 for part in range(21)])
        assert (np.diff(fractions) < 0.0).all()
        assert fractions[0] == pytest.approx(1.0, abs=1e-3)
        assert fractions[10] == pytest.approx(0.5, abs=0.02)
        assert fractions[20] == pytest.approx(0.0, abs=1e-3)


class TestBetaAngle:
    def test_a_plane_through_the_sun_is_always_shadowed_and_one_across_it_never(self, iss):
        days = [START + timedelta(days=day) for day in range(-30, 30)]
        beta = beta_angle_deg(iss, days)
        for at, angle in zip(days, beta, strict=True):
            shadows = eclipse_intervals(iss, start=at, end=at + timedelta(hours=4))
            # arcsin of the Earth's radius by the orbit's: about 70 degrees for the ISS.
            if abs(angle) < 68.0:
                assert len(shadows) >= 2
            if abs(angle) > 72.0:
                assert shadows == []

    def test_changes_its_sign_with_the_direction_of_flight(self, sentinel):
        [beta] = beta_angle_deg(sentinel, [sentinel.epoch])
        backwards = replace(
            sentinel,
            inclination_deg=180.0 - sentinel.inclination_deg,
            raan_deg=(sentinel.raan_deg + 180.0) % 360.0,
        )
        [reversed_beta] = beta_angle_deg(backwards, [sentinel.epoch])
        assert reversed_beta == pytest.approx(-beta, abs=0.1)

    def test_refuses_no_instant(self, iss):
        with pytest.raises(ValueError, match="No instant"):
            beta_angle_deg(iss, [])
