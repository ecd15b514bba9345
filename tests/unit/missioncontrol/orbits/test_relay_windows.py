"""No window between spacecraft is lost and none invented: against scans by another route."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.orbits.contact_windows import find_contact_windows
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.oem import ephemeris_from_oem
from missioncontrol.orbits.relay_paths import find_relay_paths
from missioncontrol.orbits.relay_windows import find_relay_windows
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from tests.unit.missioncontrol.orbits.ephemeris_messages import kvn, table_of

START = datetime(2026, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SINGAPORE = Site(name="SINGAPORE", latitude_deg=1.35, longitude_deg=103.82, height_m=15.0)
WEILHEIM = Site(name="WEILHEIM", latitude_deg=47.88, longitude_deg=11.08, height_m=605.0)


def find(spacecraft, relays, start=START, end=START + DAY, **options):
    return find_relay_windows(
        spacecraft=spacecraft, relays=relays, start=start, end=end, **options
    )


def depth_km(ours, theirs, at_s, grazing_height_m=100_000.0):
    """Return how far the line between two spacecraft stays above the layer it must not graze.

    The point of the line nearest to the Earth's centre, in axes in which the
    ellipsoid is a sphere: by another route than the product's.
    """
    positions = [one.teme_states(START, at_s)[0] for one in (ours, theirs)]
    height_km = grazing_height_m / 1000.0
    axes = np.array([6378.137, 6378.137, 6356.752314]) + height_km
    first, second = (one / axes for one in positions)
    along = second - first
    length2 = np.maximum((along**2).sum(axis=1), 1e-30)  # two may be in one place
    share = -(first * along).sum(axis=1) / length2
    nearest = first + np.clip(share, 0.0, 1.0)[:, np.newaxis] * along
    return (np.linalg.norm(nearest, axis=1) - 1.0) * axes[0]


def assert_agrees_with_a_scan(windows, ours, theirs, *, hours, step_s, margin_km=1e-3, **kind):
    at_s = np.arange(0.0, hours * 3600.0, step_s)
    depth = depth_km(ours, theirs, at_s, **kind)
    inside = np.zeros(len(at_s), dtype=bool)
    for aos_s, los_s in zip(windows.aos_s, windows.los_s, strict=True):
        inside |= (at_s >= aos_s) & (at_s <= los_s)
    wrong = (np.abs(depth) > margin_km) & (inside != (depth > 0.0))
    assert not wrong.any(), at_s[wrong]


@pytest.fixture(scope="module")
def dawn_dusk():
    return sun_synchronous_elements("DD-1", 90001, 750.0, 18.0, START)


class TestWindows:
    def test_of_low_orbits_agree_with_a_scan_every_second(self, sentinel, iss):
        windows = find([sentinel], [iss])
        assert len(windows) > 5
        assert_agrees_with_a_scan(windows, sentinel, iss, hours=24, step_s=1.0)

    def test_of_a_low_and_a_geostationary_orbit_agree_with_a_scan(self, iss, geostationary):
        windows = find([iss], [geostationary])
        assert 15 <= len(windows) <= 17
        assert_agrees_with_a_scan(windows, iss, geostationary, hours=24, step_s=1.0)

    def test_edges_lie_where_the_line_grazes_the_layer(self, iss, geostationary):
        windows = find([iss], [geostationary], grazing_height_m=50_000.0)
        edges = np.concatenate(
            [
                windows.aos_s[~windows.clipped_start],
                windows.los_s[~windows.clipped_end],
            ]
        )
        depth = depth_km(iss, geostationary, edges, grazing_height_m=50_000.0)
        np.testing.assert_allclose(depth, 0.0, atol=1e-4)

    def test_a_higher_layer_shows_less(self, sentinel, iss):
        low, high = (
            find([sentinel], [iss], grazing_height_m=height) for height in (0.0, 200_000.0)
        )
        assert (high.los_s - high.aos_s).sum() < 0.9 * (low.los_s - low.aos_s).sum()

    def test_who_is_seen_sees_too(self, sentinel, iss, geostationary, molniya):
        fleet = [sentinel, iss, geostationary, molniya]
        windows = find(fleet, fleet)
        assert (windows.spacecraft_index != windows.relay_index).all()
        for ours in range(4):
            for theirs in range(ours):
                there, back = (
                    windows.aos_s[(windows.spacecraft_index == a) & (windows.relay_index == b)]
                    for a, b in ((ours, theirs), (theirs, ours))
                )
                np.testing.assert_allclose(there, back, atol=1e-6)
        keys = list(zip(windows.spacecraft_index, windows.relay_index, windows.aos_s, strict=True))
        assert keys == sorted(keys)

    def test_neighbours_in_one_orbit_always_see_each_other_and_opposites_never(self, dawn_dusk):
        near = replace(dawn_dusk, name="NEAR", mean_anomaly_deg=dawn_dusk.mean_anomaly_deg + 20)
        far = replace(dawn_dusk, name="FAR", mean_anomaly_deg=dawn_dusk.mean_anomaly_deg - 180)
        [window] = find([dawn_dusk], [near, far])
        assert (window.relay, window.aos, window.los) == ("NEAR", START, START + DAY)
        assert window.clipped_start
        assert window.clipped_end
        assert window.nearest_range_m == pytest.approx(2.0 * 7128e3 * np.sin(0.1745), rel=0.01)

    def test_the_nearest_approach_is_the_shortest_range_of_the_window(self, sentinel, iss):
        for window in find([sentinel], [iss]):
            seconds = [
                (one - START).total_seconds() for one in (window.aos, window.nearest, window.los)
            ]
            at_s = np.append(np.arange(seconds[0], seconds[2], 1.0), seconds[1])
            apart = sentinel.teme_states(START, at_s)[0] - iss.teme_states(START, at_s)[0]
            ranges_m = np.linalg.norm(apart, axis=1) * 1000.0
            assert ranges_m[-1] == pytest.approx(window.nearest_range_m, abs=0.1)
            assert ranges_m.min() >= window.nearest_range_m - 0.1

    def test_windows_shorter_than_the_grid_are_found(self, dawn_dusk):
        """The layer is as high as the line between two in one orbit once in a while comes."""
        other = replace(dawn_dusk, name="OTHER", mean_anomaly_deg=dawn_dusk.mean_anomaly_deg - 41)
        at_s = np.arange(0.0, 86_400.0, 1.0)
        height_m = float(depth_km(dawn_dusk, other, at_s, 0.0).max()) * 1000.0
        for _ in range(3):  # a higher layer has another shape
            above_km = depth_km(dawn_dusk, other, at_s, height_m).max()
            height_m += float(above_km) * 1000.0
        height_m -= 3.0
        windows = find([dawn_dusk], [other], grazing_height_m=height_m)
        assert len(windows) > 0
        assert (windows.los_s - windows.aos_s).min() < 60.0
        assert_agrees_with_a_scan(
            windows,
            dawn_dusk,
            other,
            hours=24,
            step_s=1.0,
            grazing_height_m=height_m,
        )

    def test_a_span_split_in_two_gives_the_same_windows(self, sentinel, iss):
        whole = find([sentinel], [iss])
        middle = START + timedelta(hours=11, minutes=17)
        first = find([sentinel], [iss], end=middle)
        second = find([sentinel], [iss], start=middle)
        shift_s = (middle - START).total_seconds()
        aos = np.concatenate([first.aos_s, second.aos_s[~second.clipped_start] + shift_s])
        np.testing.assert_allclose(aos, whole.aos_s, atol=1e-5)

    def test_an_ephemeris_has_the_windows_of_its_orbit(self, sentinel, iss):
        ephemeris = ephemeris_from_oem(kvn(table_of(sentinel, START, START + DAY / 2)))
        for found in (
            find([ephemeris], [iss]),
            find([iss], [ephemeris]),
        ):
            expected = find([sentinel], [iss], end=START + DAY / 2)
            np.testing.assert_allclose(found.aos_s, expected.aos_s, atol=1e-3)
            np.testing.assert_allclose(found.los_s, expected.los_s, atol=1e-3)


class TestRefusals:
    def test_who_flies_within_the_layer_is_refused(self, sentinel, iss):
        windows = find([iss, sentinel], [iss, sentinel], grazing_height_m=600_000.0)
        for refused in (windows.refused, windows.refused_relays):
            [refusal] = refused
            assert refusal.satellite == "ISS (ZARYA)"
            assert "flies lower than the grazing height of 600 km" in refusal.reason
        assert len(windows) == 0

    def test_a_decayed_and_a_stale_spacecraft_are_refused_once(self, sentinel, iss):
        falling = replace(
            sentinel, name="FALLING", mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01
        )
        old = replace(iss, name="OLD", epoch=START - 30 * DAY)
        windows = find([falling, old], [iss, sentinel], end=START + 5 * DAY)
        assert sorted(one.satellite for one in windows.refused) == ["FALLING", "OLD"]
        assert windows.refused_relays == []
        assert len(windows) == 0

    def test_an_interval_that_does_not_end_later_is_refused(self, iss, sentinel):
        with pytest.raises(ValueError, match="is not after start"):
            find([iss], [sentinel], end=START)

    def test_nobody_is_no_window(self, iss):
        assert len(find([], [iss])) == len(find([iss], [])) == 0


def orbits():
    return st.builds(
        lambda perigee_km, shape, inclination, raan, perigee, anomaly: MeanElements(
            name="ANY",
            catalogue_number=1,
            object_id="",
            epoch=START,
            mean_motion_rev_per_day=86400.0
            / (2 * np.pi)
            * (398600.8 * (1 - shape) ** 3 / (6378.1 + perigee_km) ** 3) ** 0.5,
            eccentricity=shape,
            inclination_deg=inclination,
            raan_deg=raan,
            argument_of_perigee_deg=perigee,
            mean_anomaly_deg=anomaly,
        ),
        st.floats(350.0, 36_000.0),
        st.sampled_from([0.0, 0.001, 0.02, 0.3]),
        st.floats(0.1, 179.9),
        st.floats(0.0, 360.0),
        st.floats(0.0, 360.0),
        st.floats(0.0, 360.0),
    )


@settings(max_examples=40, deadline=None)
@given(ours=orbits(), theirs=orbits(), height_m=st.sampled_from([0.0, 100_000.0, 200_000.0]))
def test_any_two_orbits_agree_with_a_scan(ours, theirs, height_m):
    theirs = replace(theirs, name="OTHER", catalogue_number=2)
    windows = find([ours], [theirs], end=START + timedelta(hours=12), grazing_height_m=height_m)
    assert windows.refused == windows.refused_relays == []
    assert_agrees_with_a_scan(
        windows, ours, theirs, hours=12, step_s=11.0, grazing_height_m=height_m
    )
    assert (windows.los_s > windows.aos_s).all()
    assert (windows.aos_s[1:] > windows.los_s[:-1]).all()


class TestPaths:
    @pytest.fixture(scope="class")
    @staticmethod
    def hops(iss, sentinel, geostationary, dawn_dusk):
        relays, sites = [geostationary, dawn_dusk], [SINGAPORE, WEILHEIM]
        first = find([iss, sentinel], relays)
        second = find_contact_windows(elements=relays, sites=sites, start=START, end=START + DAY)
        return first, second

    def test_are_open_exactly_while_both_hops_are(self, hops):
        first, second = hops
        paths = find_relay_paths(first, second)
        assert len(paths) > 20
        at_s = np.arange(0.0, 86_400.0, 30.0)

        def open_at(columns, chosen):
            inside = np.zeros(len(at_s), dtype=bool)
            for aos_s, los_s in zip(columns.aos_s[chosen], columns.los_s[chosen], strict=True):
                inside |= (at_s > aos_s) & (at_s < los_s)
            return inside

        for spacecraft in range(2):
            for relay in range(2):
                for site in range(2):
                    one = open_at(
                        first,
                        (first.spacecraft_index == spacecraft) & (first.relay_index == relay),
                    )
                    other = open_at(
                        second, (second.satellite_index == relay) & (second.site_index == site)
                    )
                    both = open_at(
                        paths,
                        (paths.spacecraft_index == spacecraft)
                        & (paths.relay_index == relay)
                        & (paths.site_index == site),
                    )
                    np.testing.assert_array_equal(both, one & other)

    def test_name_their_ends_and_hops(self, hops):
        paths = find_relay_paths(*hops)
        first = next(iter(paths))
        assert (first.spacecraft, first.relay) == ("ISS (ZARYA)", "METEOSAT-11 (MSG-4)")
        assert first.site == "WEILHEIM"  # Singapore does not see this relay
        assert first.duration_s > 0.0
        hop = int(paths.first_hop[0])
        assert hops[0].aos_s[hop] <= paths.aos_s[0]

    def test_shorter_ones_can_be_left_out(self, hops):
        paths = find_relay_paths(*hops, minimum_s=600.0)
        assert len(paths) < len(find_relay_paths(*hops))
        assert (paths.los_s - paths.aos_s >= 600.0).all()

    def test_cut_at_the_interval_say_so(self, hops):
        paths = find_relay_paths(*hops)
        assert (paths.clipped_start == (paths.aos_s == 0.0)).all()
        assert (paths.clipped_end == (paths.los_s == 86_400.0)).all()
        assert paths.clipped_end.any()

    def test_hops_that_do_not_fit_are_refused(self, hops, iss):
        first, _ = hops
        other = find_contact_windows(
            elements=[iss], sites=[SINGAPORE], start=START, end=START + DAY
        )
        with pytest.raises(ValueError, match="The hops do not fit"):
            find_relay_paths(first, other)
