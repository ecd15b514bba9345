"""Against Orekit 13.1.9: 729 passes, none missing, none invented, all in time."""

from __future__ import annotations

import numpy as np
import pytest
from skyfield.api import load

from missioncontrol.orbits.contact_windows import find_contact_windows
from tests.vectors.contact_windows import (
    COMPLETE_MASKS,
    ELEVATION_TOLERANCE_DEG,
    LOW_ORBITS,
    deviations,
    missing_and_invented,
    overlapping,
)


@pytest.fixture(scope="module")
def expected(reference):
    return reference.passes_by_key()


@pytest.fixture(scope="module")
def computed(reference, expected):
    return {key: reference.compute(key) for key in expected}


def all_deviations(reference, expected, computed):
    return [
        deviation
        for key, passes in expected.items()
        for wanted in passes
        for deviation in deviations(reference, computed[key], wanted)
    ]


def test_the_reference_holds_all_passes_of_the_description(reference):
    assert len(reference.passes) == 729
    assert {one["kind"] for one in reference.passes} == {
        "normal",
        "grazing",
        "clipped_start",
        "clipped_end",
        "always_visible",
    }


def test_no_pass_is_missing_and_none_invented(reference, expected, computed):
    assert missing_and_invented(reference, computed) == ([], [])
    assert sum(key[2] in COMPLETE_MASKS for key in expected) == 54
    assert len(reference.no_passes) == 18


def test_all_times_and_elevations_agree_within_tolerance(reference, expected, computed):
    found = all_deviations(reference, expected, computed)
    edges = [one for one in found if one.what in ("aos", "los")]
    assert len(edges) == 2 * 722
    assert sum(one.what == "max_elevation" for one in found) == 729
    assert sum(one.what == "tca" for one in found) > 700
    assert [one for one in found if one.excess > 1.0] == []
    assert np.median([one.error for one in edges]) < 0.0002


def test_a_pass_cut_before_its_culmination_is_highest_at_the_cut(expected, computed):
    cut = 0
    for key, passes in expected.items():
        windows = computed[key]
        for wanted in passes:
            if wanted["max_el_deg"] is None:
                [number] = overlapping(windows, wanted)
                assert windows.tca_s[number] in (windows.aos_s[number], windows.los_s[number])
                cut += 1
    assert cut > 0


def test_a_window_says_at_which_end_it_was_cut(reference, expected, computed):
    length_s = (reference.end - reference.start).total_seconds()
    for key, passes in expected.items():
        windows = computed[key]
        for wanted in passes:
            [number] = overlapping(windows, wanted)
            cut = (windows.clipped_start[number], windows.clipped_end[number])
            assert cut == (wanted["aos_s"] is None, wanted["los_s"] is None), wanted
            if cut[0]:
                assert windows.aos_s[number] == 0.0
            if cut[1]:
                assert windows.los_s[number] == length_s


def test_with_the_stale_time_data_of_skyfield_the_tolerance_is_missed(reference, expected):
    """Proves that the tests above depend on fresh Earth-orientation data."""
    stale = load.timescale(builtin=True)
    chosen = {
        key: passes for key, passes in expected.items() if key[2] == 5.0 and key[0] in LOW_ORBITS
    }
    computed = {key: reference.compute(key, time_scale=stale) for key in chosen}
    found = all_deviations(reference, chosen, computed)
    assert sum(one.excess > 1.0 for one in found if one.what in ("aos", "los")) >= 30
    highest = [one.error for one in found if one.what == "max_elevation"]
    assert np.median(highest) > ELEVATION_TOLERANCE_DEG


def test_one_call_for_all_pairs_gives_the_same_windows(reference, expected, computed):
    satellites, stations = sorted(reference.elements), sorted(reference.stations)
    together = find_contact_windows(
        elements=[reference.elements[one] for one in satellites],
        sites=[reference.site(one) for one in stations],
        start=reference.start,
        end=reference.end,
    )
    for (satellite, station, mask_deg), alone in computed.items():
        if mask_deg != 5.0:
            continue
        chosen = (together.satellite_index == satellites.index(satellite)) & (
            together.site_index == stations.index(station)
        )
        np.testing.assert_allclose(together.aos_s[chosen], alone.aos_s, atol=1e-6)
        np.testing.assert_allclose(together.los_s[chosen], alone.los_s, atol=1e-6)
