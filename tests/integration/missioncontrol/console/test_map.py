"""The map and the table beside it, with one spacecraft and with a constellation."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from missioncontrol.fleet.models import Ephemeris, Spacecraft
from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from tests import factories
from tests.integration.missioncontrol.console.conftest import AT
from tests.unit.missioncontrol.orbits.ephemeris_messages import kvn, table_of

MANY = 40


@pytest.fixture
def constellation(mission) -> Spacecraft:
    for number in range(MANY):
        name = f"NOON-{number:02d}"
        craft = factories.spacecraft(
            name, ccsds_id=300 + number, organisation=mission.organisation
        )
        elements = sun_synchronous_elements(
            name, 90_001 + number, 600.0, 12.0, AT, mean_anomaly_deg=9.0 * number
        )
        line1, line2 = elements.tle_lines()
        factories.ephemeris(craft, name=name, line1=line1, line2=line2, epoch=AT)
    return mission


def names_in(table: str) -> list[str]:
    return re.findall(r'<tr data-spacecraft-name="([^"]+)"', table)


def of_the_fleet(asked: CaptureQueriesContext) -> int:
    """Count what was asked about the fleet; sessions and clocks are asked when they are due."""
    return sum('"fleet_' in query["sql"] for query in asked)


class TestMap:
    def test_has_circles_night_and_the_track_of_the_only_spacecraft(
        self, mission, alice, browser_of
    ):
        page = browser_of(alice).get("/stations/").content.decode()
        assert len(re.findall('data-circle="', page)) == 8
        assert 'class="map-night" d="M' in page
        assert 'class="track" data-light="sunlight" d="M' in page
        assert names_in(page) == ["DD-1"]

    def test_of_a_constellation_asks_the_database_no_oftener(
        self, constellation, alice, browser_of
    ):
        browser = browser_of(alice)
        Spacecraft.objects.exclude(pk=constellation.pk).update(active=False)
        browser.get("/stations/")
        with CaptureQueriesContext(connection) as one:
            browser.get("/stations/")
        Spacecraft.objects.update(active=True)
        with CaptureQueriesContext(connection) as many:
            browser.get("/stations/")
        assert of_the_fleet(many) == of_the_fleet(one) > 0

    def test_draws_the_chosen_ones_track_alone_and_pages_its_table(
        self, constellation, alice, browser_of
    ):
        browser = browser_of(alice)
        page = browser.get("/stations/?spacecraft=NOON-07").content.decode()
        picture, _, table = page.partition('<svg id="map"')[2].partition("</svg>")
        assert len(re.findall('data-spacecraft-name="', picture)) == MANY + 1
        assert re.findall('data-spacecraft-name="([^"]+)"[^>]* data-moves="', picture) == [
            "NOON-07"
        ]
        lights = set(re.findall('class="track" data-light="([a-z]+)"', picture))
        assert lights == {"sunlight", "penumbra", "umbra"}
        assert len(names_in(table)) == 25
        second = browser.get("/stations/?page=2").content.decode()
        assert len(names_in(second)) == MANY + 1 - 25

    def test_of_an_ephemeris_that_ends_soon_shows_the_place_and_promises_no_more(
        self, mission, alice, browser_of
    ):
        elements = sun_synchronous_elements("DD-1", 90_001, 600.0, 12.0, AT)
        table = table_of(elements, AT - timedelta(minutes=20), AT + timedelta(minutes=20))
        oem = kvn(table, name="DD-1")
        factories.ephemeris(mission, kind="OEM", oem=oem, epoch=AT, loaded_at=AT, priority=99)
        page = browser_of(alice).get("/stations/").content.decode()
        assert "then unknown: the ephemeris ends" in page
        assert names_in(page) == ["DD-1"]
        picture = page.partition('<svg id="map"')[2].partition("</svg>")[0]
        assert 'class="track"' not in picture

    def test_says_of_whom_nobody_knows_where_they_are(self, mission, alice, browser_of):
        Ephemeris.objects.update(enabled=False)
        page = browser_of(alice).get("/stations/").content.decode()
        assert "<strong>DD-1</strong> is not on the map: No ephemeris of it is in force" in page
        assert 'data-circle="' not in page
