from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources

import numpy as np
import pytest
from skyfield.api import EarthSatellite, wgs84
from skyfield.jpllib import SpiceKernel

from missioncontrol.orbits.contact_windows import find_contact_windows
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.sun_outage import sun_outages
from missioncontrol.orbits.time_scale import packaged_time_scale

# In March and October the Sun passes behind geostationary spacecraft.
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
START = datetime(2026, 8, 12, tzinfo=UTC)
WEILHEIM = Site(name="WEILHEIM", latitude_deg=47.88, longitude_deg=11.08, height_m=605.0)
KIRUNA = Site(name="KIRUNA", latitude_deg=67.8571, longitude_deg=20.9643, height_m=402.0)
AGE = timedelta(days=90)


@pytest.fixture(scope="module")
def separation_deg():
    """Return the angles between Sun and spacecraft by Skyfield alone."""
    kernel = SpiceKernel(str(resources.files("skyfield_data") / "data" / "de421.bsp"))
    yield partial(separation_of, kernel)
    kernel.close()


def separation_of(kernel, elements, site, instants) -> np.ndarray:
    scale = packaged_time_scale()
    topos = wgs84.latlon(site.latitude_deg, site.longitude_deg, site.height_m)
    satellite = EarthSatellite(*elements.tle_lines(), elements.name, scale)
    at = scale.from_datetimes(instants)
    sun = (kernel["earth"] + topos).at(at).observe(kernel["sun"])
    return (satellite - topos).at(at).separation_from(sun).degrees


def test_a_geostationary_spacecraft_is_in_front_of_the_sun_once_a_day(
    geostationary, separation_deg
):
    outages = sun_outages(
        geostationary,
        WEILHEIM,
        start=OCTOBER,
        end=OCTOBER + timedelta(days=4),
        separation_deg=1.0,
        elements_age_limit=AGE,
    )
    assert 2 <= len(outages) <= 4
    for one in outages:
        assert timedelta(minutes=1) < one.exit - one.entry < timedelta(minutes=10)
        at_edges = separation_deg(geostationary, WEILHEIM, [one.entry, one.exit])
        np.testing.assert_allclose(at_edges, 1.0, atol=0.01)
        [least] = separation_deg(geostationary, WEILHEIM, [one.at])
        assert one.least_separation_deg == pytest.approx(least, abs=0.01)
        assert one.least_separation_deg < 1.0


def test_outside_the_season_there_is_none(geostationary):
    assert (
        sun_outages(
            geostationary,
            WEILHEIM,
            start=START,
            end=START + timedelta(days=2),
            separation_deg=3.0,
        )
        == []
    )


def test_outages_of_low_passes_agree_with_a_scan(sentinel, separation_deg):
    end = START + timedelta(days=2)
    outages = sun_outages(sentinel, KIRUNA, start=START, end=end, separation_deg=20.0)
    assert len(outages) > 1
    for window in find_contact_windows(elements=[sentinel], sites=[KIRUNA], start=START, end=end):
        seconds = np.arange(0.0, window.duration_s, 1.0)
        instants = [window.aos + timedelta(seconds=float(one)) for one in seconds]
        angle = separation_deg(sentinel, KIRUNA, instants)
        inside = [any(one.entry <= at <= one.exit for one in outages) for at in instants]
        wrong = (np.abs(angle - 20.0) > 0.02) & (np.array(inside) != (angle < 20.0))
        assert not wrong.any()


def test_a_spacecraft_that_is_not_seen_has_none(geostationary):
    opposite = Site(name="FAR", latitude_deg=0.0, longitude_deg=-170.0, height_m=0.0)
    assert (
        sun_outages(
            geostationary,
            opposite,
            start=START,
            end=START + timedelta(days=1),
            separation_deg=180.0,
        )
        == []
    )
