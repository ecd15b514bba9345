"""Outages, as the owner of an antenna declares them in the console."""

from __future__ import annotations

import pytest

from missioncontrol.accounts.policy import Role
from missioncontrol.scheduling.models import Outage

FORM = {
    "resource": "TROLL-1",
    "begins": "2026-12-01T18:00",
    "ends": "2026-12-02T06:00",
    "reason": "snow in the dish",
    "next": "/stations/",
}


@pytest.fixture
def provider(person, browser_of):
    """A browser of somebody whose organisation owns SVALBARD and TROLL, and no more."""
    return browser_of(person("sven", Role.STATION_PROVIDER, member_of="station-provider-1"))


class TestOutages:
    def test_are_declared_and_lifted_by_the_owner_of_the_antenna(self, provider):
        assert provider.post("/outages/declare/", FORM)["Location"] == "/stations/"
        outage = Outage.objects.get()
        page = provider.get("/stations/").content.decode()
        assert f'data-outage="{outage.pk}"' in page
        assert f'id="lift-{outage.pk}"' in page
        provider.post(f"/outages/{outage.pk}/lift/", {"next": "/stations/"})
        outage.refresh_from_db()
        assert outage.lifted_at is not None

    def test_are_offered_for_what_one_owns_only(self, provider):
        page = provider.get("/stations/").content.decode()
        offered = page.partition('id="outage-resource"')[2].partition("</select>")[0]
        assert "<option>TROLL-1</option>" in offered
        assert "KASHI" not in offered
        assert "DD-1" not in offered

    def test_of_anothers_antenna_are_refused(self, provider, alice, browser_of):
        assert (
            provider.post("/outages/declare/", {**FORM, "resource": "KASHI-1"}).status_code == 403
        )
        browser_of(alice).post("/outages/declare/", {**FORM, "resource": "KASHI-1"})
        outage = Outage.objects.get()
        assert f'id="lift-{outage.pk}"' not in provider.get("/stations/").content.decode()
        assert provider.post(f"/outages/{outage.pk}/lift/").status_code == 403

    def test_are_seen_by_who_may_declare_none(self, person, provider, browser_of):
        provider.post("/outages/declare/", FORM)
        mei = browser_of(person("mei", Role.PAYLOAD_MEMBER, member_of="ai-laboratory-1"))
        page = mei.get("/stations/").content.decode()
        assert "snow in the dish" in page
        assert 'id="declare-outage"' not in page
