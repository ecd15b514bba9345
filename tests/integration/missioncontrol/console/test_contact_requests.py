"""Asking for contacts in the console, and calendars of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.accounts.policy import Role
from missioncontrol.scheduling.models import CalendarFeed, ContactRequest
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import told

FORM = {
    "spacecraft": "DD-1",
    "kind": "DATA",
    "earliest": "2026-12-01T13:00",
    "deadline": "2026-12-02T12:00",
    "latest": "",
    "priority": "2",
    "minimum_duration_s": "240",
    "minimum_count": "2",
    "maximum_count": "",
    "value": "100",
    "value_per_s": "0.5",
    "missing_cost": "1000",
}


@pytest.fixture
def mei(person):
    return person("mei", Role.PAYLOAD_MEMBER, member_of="ai-laboratory-1")


@pytest.fixture
def rival(person):
    return person("rival", Role.PAYLOAD_MEMBER, member_of="ai-laboratory-2")


class TestContactRequests:
    def test_are_filed_listed_and_withdrawn(self, mei, browser_of):
        browser = browser_of(mei)
        assert browser.post("/contact-requests/new/", FORM).status_code == 302
        asked = ContactRequest.objects.get()
        assert asked.organisation.slug == "ai-laboratory-1"
        assert (asked.earliest, asked.maximum_count) == (AT + timedelta(hours=1), 2)
        assert f'data-request="{asked.pk}" data-state="OPEN"' in self.listed(browser)
        browser.post(f"/contact-requests/{asked.pk}/withdraw/")
        assert f'data-request="{asked.pk}" data-state="WITHDRAWN"' in self.listed(browser)
        assert f'data-request="{asked.pk}"' not in self.listed(browser, "?state=OPEN")

    def listed(self, browser, query: str = "") -> str:
        return browser.get(f"/contact-requests/{query}").content.decode()

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"earliest": "soon"}, "The earliest begin is &#x27;soon&#x27;; give a date"),
            ({"deadline": "2026-12-01T11:00"}, "must be after the earliest begin"),
            ({"priority": "9"}, "The priority is 9; it goes from 1"),
            ({"minimum_count": "-1"}, "give a whole number"),
            ({"minimum_count": "9" * 5000}, "give a whole number"),
            ({"value": "nan"}, "value is nan"),
            ({"value": "much"}, "give a number, as 100 or 0.5"),
            ({"kind": "FUN"}, "choose TTC, DATA, UPLINK"),
            ({"spacecraft": "NOWHERE"}, "is no spacecraft; choose one"),
        ],
    )
    def test_say_what_is_wrong_and_keep_what_was_filled_in(
        self, mei, browser_of, wrong, complaint
    ):
        answer = browser_of(mei).post(
            "/contact-requests/new/", {**FORM, "value_per_s": "7", **wrong}
        )
        assert answer.status_code == 422
        page = answer.content.decode()
        assert complaint in page
        assert (
            'name="value_per_s" type="number" min="0" max="1e9" step="any" required value="7"'
            in page
        )
        assert not ContactRequest.objects.exists()

    def test_of_another_member_are_not_there(self, mei, rival, alice, browser_of):
        browser_of(mei).post("/contact-requests/new/", FORM)
        asked = ContactRequest.objects.get()
        other = browser_of(rival)
        assert f'data-request="{asked.pk}"' not in self.listed(other)
        assert other.post(f"/contact-requests/{asked.pk}/withdraw/").status_code == 404
        # Who operates the spacecraft sees them, and leaves them alone.
        assert f'data-request="{asked.pk}"' in self.listed(browser_of(alice))
        assert browser_of(alice).post(f"/contact-requests/{asked.pk}/withdraw/").status_code == 403
        asked.refresh_from_db()
        assert asked.state == ContactRequest.State.OPEN

    def test_past_their_deadline_are_shown_as_expired(self, mei, browser_of):
        browser = browser_of(mei)
        browser.post("/contact-requests/new/", FORM)
        past = datetime(2026, 11, 1, tzinfo=UTC)
        ContactRequest.objects.update(earliest=past, deadline=past + timedelta(days=1))
        assert 'data-state="EXPIRED"' in self.listed(browser)


class TestCalendars:
    def test_are_made_shown_once_and_revoked(self, mei, browser_of):
        browser = browser_of(mei)
        made = browser.post("/calendar-feeds/make/", {"of": "KASHI"})
        feed = CalendarFeed.objects.get()
        assert feed.subject == "KASHI"
        assert made["Cache-Control"] == "no-store"
        address = made.content.decode().partition("calendar's address\">")[2].partition("<")[0]
        path = address.removeprefix("http://testserver")
        assert browser.get(path).status_code == 200
        listed = browser.get("/calendar-feeds/").content.decode()
        assert f'data-feed="{feed.pk}"' in listed
        assert path not in listed
        assert "is revoked" in told(browser.post(f"/calendar-feeds/{feed.pk}/revoke/"))
        assert browser.get(path).status_code == 404

    def test_are_of_what_there_is(self, mei, browser_of):
        answer = browser_of(mei).post("/calendar-feeds/make/", {"of": "NOWHERE"})
        assert "is no spacecraft and no station" in told(answer)
        assert not CalendarFeed.objects.exists()

    def test_of_another_member_are_not_there(self, mei, rival, browser_of):
        browser_of(mei).post("/calendar-feeds/make/", {"of": ""})
        feed = CalendarFeed.objects.get()
        other = browser_of(rival)
        assert f'data-feed="{feed.pk}"' not in other.get("/calendar-feeds/").content.decode()
        assert other.post(f"/calendar-feeds/{feed.pk}/revoke/").status_code == 404
