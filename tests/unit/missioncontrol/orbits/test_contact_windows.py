"""The edge cases that users of other tools reported."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from missioncontrol.orbits import contact_windows
from missioncontrol.orbits.contact_windows import ContactWindows, find_contact_windows
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.look_angles import look_angles
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from missioncontrol.orbits.trajectory import PropagationError

SVALBARD = Site(name="SVALBARD", latitude_deg=78.2297, longitude_deg=15.3975, height_m=500.0)
SOUTH_POLE = Site(name="SOUTH-POLE", latitude_deg=-90.0, longitude_deg=0.0, height_m=2835.0)
SINGAPORE = Site(name="SINGAPORE", latitude_deg=1.3521, longitude_deg=103.8198, height_m=15.0)
KIRUNA = Site(name="KIRUNA", latitude_deg=67.8571, longitude_deg=20.9643, height_m=402.0)
HIGH = Site(name="LA-PAZ", latitude_deg=-16.5, longitude_deg=-68.15, height_m=3650.0)
# From here a Molniya orbit culminates twice, with a dip between.
CAIRO = Site(name="CAIRO", latitude_deg=30.0, longitude_deg=30.0, height_m=0.0)
LOW = Site(name="DEAD-SEA", latitude_deg=31.5, longitude_deg=35.5, height_m=-400.0)

START = datetime(2026, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STEP_S = 10.0


def find(elements, sites, start=START, end=START + DAY, **options) -> ContactWindows:
    elements = [elements] if isinstance(elements, MeanElements) else elements
    sites = [sites] if isinstance(sites, Site) else sites
    return find_contact_windows(elements=elements, sites=sites, start=start, end=end, **options)


def edges(windows: ContactWindows) -> list[tuple]:
    """Return what a window is, without the numbers of spacecraft and site."""
    return sorted(
        (one.satellite, one.site, one.aos, one.los, round(one.max_elevation_deg, 6))
        for one in windows
    )


def assert_same(first: list[tuple], second: list[tuple]) -> None:
    assert [one[:2] for one in first] == [one[:2] for one in second]
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one[2:4], other[2:4], strict=True):
            assert abs(a - b) < timedelta(microseconds=5)
        assert one[4] == pytest.approx(other[4], abs=1e-5)


def elevation_deg(elements, site, at: datetime) -> float:
    return float(look_angles(elements, site, [at]).elevation_deg[0])


def scan_deg(elements, site, window) -> np.ndarray:
    """Return elevations through a window, ``STEP_S`` apart."""
    steps = range(int(window.duration_s / STEP_S))
    instants = [window.aos + timedelta(seconds=STEP_S * step) for step in steps]
    return look_angles(elements, site, instants).elevation_deg


class TestVisibility:
    def test_a_spacecraft_that_never_rises_has_no_window(self, geostationary):
        opposite = replace(SINGAPORE, longitude_deg=-170.0)
        windows = find(geostationary, opposite, end=START + 7 * DAY)
        assert len(windows) == 0
        assert list(windows) == []
        assert windows.refused == []

    def test_a_spacecraft_that_never_sets_has_one_window_cut_at_both_ends(self, geostationary):
        below = replace(SINGAPORE, longitude_deg=0.0)
        [window] = find(geostationary, below, end=START + 7 * DAY)
        assert (window.aos, window.los) == (START, START + 7 * DAY)
        assert window.clipped_start
        assert window.clipped_end
        assert window.max_elevation_deg > 70.0

    def test_an_interval_inside_one_pass_is_one_window_cut_at_both_ends(self, sentinel):
        whole = next(one for one in find(sentinel, SVALBARD) if one.max_elevation_deg > 40.0)
        before = find(
            sentinel,
            SVALBARD,
            start=whole.aos + timedelta(seconds=10),
            end=whole.tca - timedelta(seconds=10),
        )
        [window] = before
        assert window.clipped_start
        assert window.clipped_end
        assert window.tca == window.los  # it still rises when the interval ends
        highest = elevation_deg(sentinel, SVALBARD, window.los)
        assert window.max_elevation_deg == pytest.approx(highest, abs=1e-6)

    def test_an_interval_of_a_second_inside_a_pass_works(self, sentinel):
        whole = next(iter(find(sentinel, SVALBARD)))
        middle = whole.aos + (whole.los - whole.aos) / 2
        [window] = find(sentinel, SVALBARD, start=middle, end=middle + timedelta(seconds=1))
        assert window.duration_s == 1.0

    @pytest.mark.parametrize("with_culmination", [True, False])
    def test_a_pass_open_at_the_start_is_cut_there(self, sentinel, with_culmination):
        whole = next(one for one in find(sentinel, SVALBARD) if not one.clipped_start)
        shift = timedelta(seconds=-20 if with_culmination else 20)
        start = whole.tca + shift
        window = next(iter(find(sentinel, SVALBARD, start=start)))
        assert window.aos == start
        assert window.clipped_start
        assert not window.clipped_end
        assert abs(window.los - whole.los) < timedelta(microseconds=5)
        assert abs(window.tca - (whole.tca if with_culmination else start)) < timedelta(
            microseconds=50
        )

    @pytest.mark.parametrize("with_culmination", [True, False])
    def test_a_pass_open_at_the_end_is_cut_there(self, sentinel, with_culmination):
        whole = next(one for one in find(sentinel, SVALBARD) if not one.clipped_start)
        end = whole.tca + timedelta(seconds=20 if with_culmination else -20)
        *_, window = find(sentinel, SVALBARD, end=end)
        assert window.los == end
        assert window.clipped_end
        assert not window.clipped_start
        assert abs(window.tca - (whole.tca if with_culmination else end)) < timedelta(
            microseconds=50
        )

    def test_several_culminations_in_one_window_give_the_highest(self, molniya):
        windows = find(molniya, CAIRO, end=START + 2 * DAY)
        twice = 0
        for window in windows:
            elevations = scan_deg(molniya, CAIRO, window)
            inner = elevations[1:-1]
            twice += ((inner > elevations[:-2]) & (inner > elevations[2:])).sum() > 1
            assert window.max_elevation_deg >= elevations.max()
            assert window.max_elevation_deg == pytest.approx(elevations.max(), abs=0.01)
        assert twice >= 2

    def test_the_south_pole_sees_every_revolution_of_a_polar_orbit(self, sentinel):
        windows = find(sentinel, SOUTH_POLE, end=START + DAY)
        assert len(windows) in (14, 15)
        for window in windows:
            assert 0.0 <= window.aos_azimuth_deg < 360.0

    @pytest.mark.parametrize("site", [HIGH, LOW])
    def test_heights_above_and_below_the_sea_change_what_is_seen(self, iss, site):
        at_sea_level = find(iss, replace(site, height_m=0.0), end=START + 5 * DAY)
        windows = find(iss, site, end=START + 5 * DAY)
        assert len(windows) == len(at_sea_level) > 5
        assert not np.allclose(windows.aos_s, at_sea_level.aos_s, atol=1e-3)
        for window in windows:
            assert elevation_deg(iss, site, window.aos) == pytest.approx(5.0, abs=1e-4)

    def test_the_longitude_may_be_written_either_way(self, iss):
        west = replace(SINGAPORE, longitude_deg=-180.0)
        east = replace(SINGAPORE, longitude_deg=180.0)
        assert len(find(iss, west)) > 0
        assert_same(edges(find(iss, west)), edges(find(iss, east)))


class TestMasks:
    @pytest.mark.parametrize("mask_deg", [0.0, 30.0, 70.0])
    def test_edges_lie_at_the_mask(self, sentinel, mask_deg):
        windows = find(sentinel, replace(SVALBARD, mask_deg=mask_deg), end=START + 5 * DAY)
        assert len(windows) > 0
        for window in windows:
            assert window.max_elevation_deg > mask_deg
            for at, clipped in (
                (window.aos, window.clipped_start),
                (window.los, window.clipped_end),
            ):
                if not clipped:
                    assert elevation_deg(sentinel, SVALBARD, at) == pytest.approx(
                        mask_deg, abs=1e-5
                    )

    def test_a_higher_mask_shows_a_part_of_what_a_lower_one_shows(self, sentinel):
        low = list(find(sentinel, replace(SVALBARD, mask_deg=0.0)))
        high = list(find(sentinel, replace(SVALBARD, mask_deg=30.0)))
        assert 0 < len(high) < len(low)
        for one in high:
            assert any(other.aos < one.aos and one.los < other.los for other in low)

    @pytest.mark.parametrize("offset_deg", [0.0003, 0.003])
    def test_a_peak_just_above_the_mask_is_a_short_window(self, sentinel, offset_deg):
        for peak in list(find(sentinel, SVALBARD, end=START + 2 * DAY))[1:-1]:
            mask_deg = peak.max_elevation_deg - offset_deg
            windows = find(sentinel, replace(SVALBARD, mask_deg=mask_deg), end=START + 2 * DAY)
            [hit] = [one for one in windows if one.aos <= peak.tca <= one.los]
            assert 0.0 < hit.duration_s < 60.0
            assert abs(hit.tca - peak.tca) < timedelta(milliseconds=1)

    def test_a_peak_just_below_the_mask_is_none(self, sentinel):
        for peak in list(find(sentinel, SVALBARD, end=START + 2 * DAY))[1:-1]:
            mask_deg = peak.max_elevation_deg + 0.003
            windows = find(sentinel, replace(SVALBARD, mask_deg=mask_deg), end=START + 2 * DAY)
            assert not [one for one in windows if one.aos <= peak.tca <= one.los]

    def test_a_dip_just_below_the_mask_splits_a_window(self, molniya):
        """Between two culminations, for less than the step of the grid."""
        end = START + 2 * DAY
        window = max(find(molniya, CAIRO, end=end), key=lambda one: one.duration_s)
        elevations = scan_deg(molniya, CAIRO, window)
        inner = elevations[1:-1]
        [dips] = np.nonzero((inner < elevations[:-2]) & (inner < elevations[2:]))
        assert len(dips) == 1
        lowest = float(inner[dips[0]])
        at = window.aos + timedelta(seconds=STEP_S * (int(dips[0]) + 1))
        split = list(find(molniya, replace(CAIRO, mask_deg=lowest + 1e-5), end=end))
        [before] = [one for one in split if abs(one.los - at) < timedelta(seconds=60)]
        [after] = [one for one in split if abs(one.aos - at) < timedelta(seconds=60)]
        assert before.los < after.aos
        whole = find(molniya, replace(CAIRO, mask_deg=lowest - 1e-3), end=end)
        assert [one for one in whole if one.aos < before.los and after.aos < one.los]


class TestInvariance:
    def test_a_start_shifted_by_a_second_gives_the_same_passes(self, sentinel, iss):
        sites = [SVALBARD, KIRUNA, SINGAPORE]
        first = find([sentinel, iss], sites, end=START + 2 * DAY)
        for shift_s in (1.0, 61.7, 119.999):
            start = START + timedelta(seconds=shift_s)
            shifted = find([sentinel, iss], sites, start=start, end=START + 2 * DAY)
            later = [one for one in edges(first) if one[2] > start]
            assert_same(later, [one for one in edges(shifted) if one[2] > start])

    @pytest.mark.parametrize("inside_a_pass", [True, False])
    def test_a_span_split_in_two_and_joined_gives_the_same_passes(self, sentinel, inside_a_pass):
        whole = list(find(sentinel, SVALBARD))
        cut = whole[5].aos + timedelta(seconds=30 if inside_a_pass else -30)
        first = list(find(sentinel, SVALBARD, end=cut))
        second = list(find(sentinel, SVALBARD, start=cut))
        if inside_a_pass:
            assert first[-1].clipped_end
            assert second[0].clipped_start
            higher = max(first[-1], second[0], key=lambda one: one.max_elevation_deg)
            joined = replace(higher, aos=first[-1].aos, los=second[0].los, clipped_start=False)
            parts = [*first[:-1], joined, *second[1:]]
        else:
            parts = [*first, *second]
        assert len(parts) == len(whole)
        for one, other in zip(parts, whole, strict=True):
            assert abs(one.aos - other.aos) < timedelta(microseconds=5)
            assert abs(one.los - other.los) < timedelta(microseconds=5)
            assert one.max_elevation_deg == pytest.approx(other.max_elevation_deg, abs=1e-5)

    def test_neither_the_order_nor_the_group_size_matters(self, sentinel, iss, monkeypatch):
        fleet = [
            sun_synchronous_elements(f"DD-{number}", 90000 + number, 750.0, 18.0, START)
            for number in range(3)
        ]
        elements, sites = [sentinel, iss, *fleet], [SVALBARD, KIRUNA, SINGAPORE]
        first = edges(find(elements, sites))
        assert_same(first, edges(find(elements[::-1], sites[::-1])))
        for limit, size in (
            ("_SPACECRAFT_IN_PART", 2),
            ("_CELLS_AT_ONCE", 4000),
            ("_SITE_NODES_AT_ONCE", 1),
        ):
            monkeypatch.setattr(contact_windows, limit, size)
            assert_same(first, edges(find(elements, sites)))

    def test_the_zone_of_the_times_does_not_matter(self, sentinel):
        shanghai = timezone(timedelta(hours=8))
        local = find(sentinel, SVALBARD, start=START.astimezone(shanghai), end=START + DAY)
        assert_same(edges(local), edges(find(sentinel, SVALBARD)))


class TestRefusals:
    def test_a_decayed_spacecraft_is_refused_and_invents_no_pass(self, sentinel):
        falling = replace(
            sentinel, name="FALLING", mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01
        )
        windows = find([falling, sentinel], SVALBARD, end=START + 5 * DAY)
        [refusal] = windows.refused
        assert (refusal.satellite, refusal.satellite_index) == ("FALLING", 0)
        assert "decayed" in refusal.reason
        assert len(windows) > 0
        assert set(windows.satellite_index) == {1}
        alone = find(sentinel, SVALBARD, end=START + 5 * DAY)
        np.testing.assert_allclose(windows.aos_s, alone.aos_s, atol=1e-6)

    def test_an_orbit_below_the_ground_from_its_epoch_is_refused(self, sentinel):
        buried = replace(sentinel, name="BURIED", mean_motion_rev_per_day=18.0)
        windows = find(buried, SVALBARD)
        assert [one.satellite for one in windows.refused] == ["BURIED"]
        assert len(windows) == 0

    def test_elements_that_make_no_number_are_refused(self, molniya):
        """An inclination that is next to nothing: SGP4 divides by its sine."""
        odd = replace(molniya, name="ODD", inclination_deg=2.3e-313)
        windows = find([odd, molniya], SVALBARD)
        [refusal] = windows.refused
        assert (refusal.satellite, refusal.satellite_index) == ("ODD", 0)
        assert "not a number" in refusal.reason
        assert set(windows.satellite_index) == {1}
        with pytest.raises(PropagationError, match="ODD"):
            look_angles(odd, SVALBARD, [START])

    def test_elements_too_old_are_refused_with_age_and_limit(self, sentinel, iss):
        old = replace(iss, epoch=START - timedelta(days=19))
        windows = find([sentinel, old], SINGAPORE, end=START + DAY)
        [refusal] = windows.refused
        assert refusal.satellite_index == 1
        assert "20 days before the end of the interval; the limit is 14 days" in refusal.reason
        accepted = find(old, SINGAPORE, elements_age_limit=timedelta(days=21))
        assert accepted.refused == []
        assert len(accepted) > 0

    def test_an_interval_that_does_not_end_later_is_refused(self, sentinel):
        with pytest.raises(ValueError, match="is not after start"):
            find(sentinel, SVALBARD, end=START)

    def test_a_time_without_a_zone_is_refused(self, sentinel):
        with pytest.raises(ValueError, match="carries no time zone"):
            find(sentinel, SVALBARD, start=START.replace(tzinfo=None))
        with pytest.raises(ValueError, match="carries no time zone"):
            find(sentinel, SVALBARD, end=(START + DAY).replace(tzinfo=None))


class TestResult:
    def test_a_catalogue_number_above_99999_works(self, sentinel):
        large = replace(sentinel, catalogue_number=799_501_234)
        assert_same(edges(find(large, SVALBARD)), edges(find(sentinel, SVALBARD)))

    def test_no_spacecraft_or_no_site_is_no_window(self, sentinel):
        assert len(find([], [SVALBARD])) == 0
        assert len(find([sentinel], [])) == 0

    def test_rows_are_ordered_by_spacecraft_site_and_time(self, sentinel, iss):
        windows = find([sentinel, iss], [SVALBARD, SINGAPORE], end=START + 3 * DAY)
        keys = list(zip(windows.satellite_index, windows.site_index, windows.aos_s, strict=True))
        assert keys == sorted(keys)
        assert {one[0] for one in keys} == {0, 1}

    def test_objects_say_the_same_as_the_columns(self, sentinel):
        windows = find(sentinel, SVALBARD)
        for number, one in enumerate(windows):
            assert (one.satellite, one.site) == ("SENTINEL-2A", "SVALBARD")
            assert (one.aos - START).total_seconds() == pytest.approx(
                windows.aos_s[number], abs=1e-6
            )
            assert one.aos < one.tca < one.los
            assert one.aos.tzinfo is not None
            with pytest.raises(FrozenInstanceError):
                one.aos = START

    def test_azimuths_at_the_edges_agree_with_the_look_angles(self, sentinel):
        for one in find(sentinel, SVALBARD):
            angles = look_angles(sentinel, SVALBARD, [one.aos, one.los])
            assert one.aos_azimuth_deg == pytest.approx(angles.azimuth_deg[0], abs=1e-4)
            assert one.los_azimuth_deg == pytest.approx(angles.azimuth_deg[1], abs=1e-4)
