"""An installation where nobody goes on with a password alone."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages

from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_token
from missioncontrol.kernel import clock
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import told
from tests.one_time_codes import one_time_code


@pytest.fixture(autouse=True)
def _required(settings):
    settings.SECOND_FACTOR_REQUIRED = True


class TestWhoHasNone:
    def test_is_led_to_where_one_is_added(self, alice, browser_of):
        browser = browser_of(alice)
        answer = browser.get("/commands/")
        assert answer["Location"] == "/account/"
        assert "takes a second factor" in browser.get("/account/").content.decode()

    def test_acts_on_nothing_and_is_told_no_live_values(self, alice, browser_of):
        browser = browser_of(alice)
        for address in ("/clock/", "/live-ticket/"):
            answer = browser.post(address, {"factor": "3"})
            assert answer.status_code == 403
            assert list(get_messages(answer.wsgi_request)) == []
        assert clock.factor() == 1.0

    def test_goes_on_with_one_time_codes(self, alice, browser_of):
        browser = browser_of(alice)
        page = browser.get("/account/second-factor/codes/add/")
        code = one_time_code(page.context["form"].secret)
        assert "recovery" in browser.post("/account/second-factor/codes/add/", {"code": code}).url
        assert browser.get("/commands/").status_code == 200

    def test_signs_out(self, alice, browser_of):
        assert "signed out" in told(browser_of(alice).post("/signout/"))


class TestAToken:
    def test_needs_none(self, person, client):
        dora = person("dora", Role.OPERATOR)
        _token, secret = create_token(
            operator=dora, organisation=dora.home, name="x", at=AT, wall_at=clock.wall_now()
        )
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/v1/contacts", headers=headers).status_code == 200
