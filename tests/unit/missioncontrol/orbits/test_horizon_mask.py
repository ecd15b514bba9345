from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.orbits.contact_windows import find_contact_windows
from missioncontrol.orbits.look_angles import look_angles
from missioncontrol.orbits.sites import Site

START = datetime(2026, 8, 12, tzinfo=UTC)
END = START + timedelta(days=2)
SITE = Site(name="VALLEY", latitude_deg=47.8801, longitude_deg=11.0853, height_m=605.0)


def find(elements, site, start=START, end=END):
    return find_contact_windows(elements=[elements], sites=[site], start=start, end=end)


def assert_agrees_with_a_scan(elements, site, windows, step_s=4.0, hours=24):
    at_s = np.arange(0.0, hours * 3600.0, step_s)
    instants = [START + timedelta(seconds=float(one)) for one in at_s]
    angles = look_angles(elements, site, instants)
    clearance = angles.elevation_deg - site.mask_at_deg(angles.azimuth_deg)
    inside = np.zeros(len(at_s), dtype=bool)
    for aos_s, los_s in zip(windows.aos_s, windows.los_s, strict=True):
        inside |= (at_s >= aos_s) & (at_s <= los_s)
    wrong = (np.abs(clearance) > 1e-4) & (inside != (clearance > 0.0))
    assert not wrong.any(), at_s[wrong]


def test_a_mask_equal_in_all_azimuths_is_the_plain_mask(sentinel):
    plain = find(sentinel, replace(SITE, mask_deg=7.0))
    by_azimuth = find(sentinel, replace(SITE, horizon_mask=((10.0, 7.0), (200.0, 7.0))))
    assert len(plain) == len(by_azimuth) > 5
    np.testing.assert_allclose(by_azimuth.aos_s, plain.aos_s, atol=1e-5)
    np.testing.assert_allclose(by_azimuth.los_s, plain.los_s, atol=1e-5)
    np.testing.assert_allclose(by_azimuth.tca_s, plain.tca_s, atol=1e-5)
    np.testing.assert_allclose(by_azimuth.max_elevation_deg, plain.max_elevation_deg, atol=1e-6)


def test_a_mountain_splits_a_pass_in_two(sentinel):
    plain = list(find(sentinel, SITE))
    high = max(plain, key=lambda one: one.max_elevation_deg)
    middle = high.aos + (high.tca - high.aos) / 2
    azimuth = float(look_angles(sentinel, SITE, [middle]).azimuth_deg[0])
    peak = ((azimuth - 2.0, 5.0), (azimuth, 80.0), (azimuth + 2.0, 5.0))
    site = replace(SITE, horizon_mask=peak)
    parts = [one for one in find(sentinel, site) if high.aos <= one.tca <= high.los]
    assert len(parts) == 2
    first, second = parts
    assert abs(first.aos - high.aos) < timedelta(microseconds=50)
    assert first.los < middle < second.aos
    assert abs(second.los - high.los) < timedelta(microseconds=50)
    # The first part ends while the spacecraft still climbs; the second has the culmination.
    assert first.tca == first.los
    assert abs(second.tca - high.tca) < timedelta(microseconds=50)
    for one in parts:
        assert (one.clipped_start, one.clipped_end) == (False, False)
    assert_agrees_with_a_scan(sentinel, site, find(sentinel, site))


def test_edges_lie_on_the_mask(sentinel):
    site = replace(SITE, horizon_mask=((0.0, 3.0), (90.0, 12.0), (180.0, 5.0), (270.0, 20.0)))
    windows = find(sentinel, site)
    assert len(windows) > 5
    for one in windows:
        angles = look_angles(sentinel, site, [one.aos, one.los])
        mask = site.mask_at_deg(angles.azimuth_deg)
        np.testing.assert_allclose(angles.elevation_deg, mask, atol=1e-4)


def test_a_window_shorter_than_the_sampling_is_found(sentinel):
    """The mask is level round the peak; its lowest knot stands at the other side."""
    durations_s = []
    for peak in list(find(sentinel, SITE))[1:-1]:
        at_peak = float(look_angles(sentinel, SITE, [peak.tca]).azimuth_deg[0])
        level = peak.max_elevation_deg - 2e-4
        knots = (((at_peak - 95.0) % 360.0, level), ((at_peak + 95.0) % 360.0, level))
        behind = ((at_peak + 160.0) % 360.0, 1.0)
        site = replace(SITE, horizon_mask=tuple(sorted((*knots, behind))))
        [hit] = [one for one in find(sentinel, site) if one.aos <= peak.tca <= one.los]
        assert abs(hit.tca - peak.tca) < timedelta(milliseconds=1)
        durations_s.append(hit.duration_s)
    assert min(durations_s) < 5.0


def test_a_pillar_thinner_than_the_sampling_splits_a_pass(sentinel):
    """The azimuth crosses all of it between two samples."""
    high = max(find(sentinel, SITE), key=lambda one: one.max_elevation_deg)
    azimuth = float(
        look_angles(sentinel, SITE, [high.aos + (high.tca - high.aos) / 3]).azimuth_deg[0]
    )
    pillar = ((azimuth - 0.02, 5.0), (azimuth, 89.0), (azimuth + 0.02, 5.0))
    parts = find(sentinel, replace(SITE, horizon_mask=pillar))
    first, second = (one for one in parts if high.aos <= one.tca <= high.los)
    assert 0.0 < (second.aos - first.los).total_seconds() < 10.0


def test_a_wall_across_north_wraps_at_360(sentinel):
    wall = ((20.0, 40.0), (20.5, 5.0), (339.5, 5.0), (340.0, 40.0))
    site = replace(SITE, horizon_mask=wall)
    assert site.mask_at_deg(np.array([0.0, 359.9, 10.0, 350.0])).tolist() == [40.0] * 4
    windows = find(sentinel, site)
    assert_agrees_with_a_scan(sentinel, site, windows)
    assert open_s(windows) < open_s(find(sentinel, SITE))


def open_s(windows) -> float:
    return float((windows.los_s - windows.aos_s).sum())


def test_a_pass_open_at_the_start_behind_a_mask_is_cut_there(sentinel):
    site = replace(SITE, horizon_mask=((0.0, 5.0), (180.0, 8.0)))
    whole = next(iter(find(sentinel, site)))
    start = whole.aos + (whole.los - whole.aos) / 3
    window = next(iter(find(sentinel, site, start=start)))
    assert window.aos == start
    assert window.clipped_start
    assert abs(window.los - whole.los) < timedelta(microseconds=50)


def test_a_geostationary_spacecraft_behind_a_mountain_is_never_seen(geostationary):
    site = Site(name="HILLSIDE", latitude_deg=47.9, longitude_deg=11.1, height_m=600.0)
    [seen] = find(geostationary, site)
    azimuth = seen.aos_azimuth_deg
    mountain = ((azimuth - 20.0, 60.0), (azimuth + 20.0, 60.0), (azimuth + 21.0, 5.0))
    assert len(find(geostationary, replace(site, horizon_mask=mountain))) == 0


def test_no_pass_at_all_is_no_window(geostationary):
    site = replace(SITE, longitude_deg=-150.0, horizon_mask=((0.0, 5.0), (180.0, 8.0)))
    assert len(find(geostationary, site)) == 0


masks = st.dictionaries(st.integers(0, 359), st.floats(-1.0, 50.0), min_size=1, max_size=8).map(
    lambda knots: tuple((float(azimuth), knots[azimuth]) for azimuth in sorted(knots))
)


@settings(max_examples=25, deadline=None)
@given(mask=masks, latitude_deg=st.floats(-90.0, 90.0))
def test_agrees_with_a_scan_behind_any_mask_anywhere(sentinel, mask, latitude_deg):
    site = replace(SITE, latitude_deg=latitude_deg, horizon_mask=mask)
    windows = find(sentinel, site, end=START + timedelta(hours=12))
    assert_agrees_with_a_scan(sentinel, site, windows, hours=12)
    assert (windows.los_s > windows.aos_s).all()
    assert (windows.aos_s[1:] > windows.los_s[:-1]).all()


@pytest.mark.parametrize("azimuth_deg", [0.0, 90.0, 271.3])
def test_a_single_knot_is_the_same_everywhere(sentinel, azimuth_deg):
    single = find(sentinel, replace(SITE, horizon_mask=((azimuth_deg, 9.0),)))
    plain = find(sentinel, replace(SITE, mask_deg=9.0))
    np.testing.assert_allclose(single.aos_s, plain.aos_s, atol=1e-5)
