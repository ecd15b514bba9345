"""An organisation's identity provider: set up by a form, and asked once more who somebody is."""

from __future__ import annotations

import json
import time
from urllib.parse import quote, urlsplit

import pytest

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Operator, SingleSignOn
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from tests import factories
from tests.integration.missioncontrol.accounts.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    asked_by,
    identity_provider,
)
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import make_stale, told

FORM = "/consortium/ai-laboratory-1/single-sign-on/"
CONFIRM = "/account/confirm/single-sign-on/"


@pytest.fixture(scope="module")
def running():
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def provider(running):
    running.person = {"sub": "4711", "preferred_username": "mei", "name": "Mei Lin"}
    return running


@pytest.fixture
def lena(person) -> Operator:
    return person("lena", Role.ADMINISTRATOR, member_of="ai-laboratory-1")


def fields(provider, **changes):
    return {
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        **changes,
    }


class TestSettingItUp:
    def test_shows_what_the_provider_must_know(self, lena, browser_of):
        page = browser_of(lena).get(FORM).content.decode()
        callback = "/account/single-sign-on/ai-laboratory-1/login/callback/"
        assert f"http://testserver{callback}" in page

    def test_tries_the_provider_at_once(self, lena, provider, browser_of):
        answer = browser_of(lena).post(FORM, fields(provider))
        assert answer["Location"] == FORM
        assert "The provider answers" in told(answer)
        assert SingleSignOn.objects.get().issuer == provider.issuer

    def test_says_what_is_wrong_with_the_provider(self, lena, provider, browser_of):
        answer = browser_of(lena).post(FORM, fields(provider, issuer="http://127.0.0.1:9"))
        assert "cannot be reached" in told(answer)

    def test_never_shows_the_secret_again(self, lena, provider, browser_of):
        browser = browser_of(lena)
        browser.post(FORM, fields(provider))
        refused = browser.post(FORM, fields(provider, issuer="nowhere"))
        for answer in (browser.get(FORM), refused):
            assert CLIENT_SECRET not in answer.content.decode()

    @pytest.mark.parametrize(
        ("changes", "near", "text"),
        [
            ({"issuer": "login.example"}, "sso-issuer", "no address of an identity provider"),
            ({"client_id": ""}, "sso-client", "needs the client&#x27;s identifier"),
            ({"client_secret": ""}, "sso-secret", "needs the client&#x27;s identifier"),
        ],
    )
    def test_refuses_beside_the_field(self, lena, provider, browser_of, changes, near, text):
        answer = browser_of(lena).post(FORM, fields(provider, **changes))
        assert answer.status_code == 422
        field = answer.content.decode().split(f'id="{near}"')[1].split('<div class="')[0]
        assert text in field

    def test_keeps_no_secret_while_it_waits_for_a_proof(self, lena, provider, browser_of):
        browser = make_stale(browser_of(lena))
        answer = browser.post(FORM, fields(provider))
        assert answer["Location"] == f"/account/confirm/?next={quote(FORM, safe='')}"
        assert CLIENT_SECRET not in json.dumps(dict(browser.session))
        assert not SingleSignOn.objects.exists()

    def test_is_tried_and_removed(self, lena, provider, browser_of):
        browser = browser_of(lena)
        assert browser.post(f"{FORM}try/").status_code == 404
        browser.post(FORM, fields(provider))
        assert "The provider answers" in told(browser.post(f"{FORM}try/"))
        assert "sign in here only" in told(browser.post(f"{FORM}remove/"))
        assert not SingleSignOn.objects.exists()

    def test_is_for_the_organisations_own_administrators(self, lena, provider, browser_of):
        browser = browser_of(lena)
        for then in ("", "try/", "remove/"):
            answer = browser.post(f"/consortium/operator/single-sign-on/{then}", fields(provider))
            assert answer.status_code == 403


class TestThePageThatLeadsAway:
    """A redirect would be stopped by the policy ``form-action 'self'``."""

    @pytest.fixture(autouse=True)
    def _is_set_up(self, lena, provider):
        services.set_single_sign_on(organisation=lena.home, actor=lena, at=AT, **fields(provider))

    def test_goes_to_the_provider_by_itself_and_by_a_link(self, client, provider):
        answer = client.post("/account/single-sign-on/ai-laboratory-1/login/")
        page = answer.content.decode()
        assert f'http-equiv="refresh" content="0; url={provider.issuer}/authorize?' in page
        assert asked_by(answer)["client_id"] == CLIENT_ID

    def test_is_not_reached_by_get(self, client):
        assert client.get("/account/single-sign-on/ai-laboratory-1/login/").status_code == 405

    def test_says_so_when_the_provider_is_away(self, client, lena, provider):
        changed = fields(provider, issuer="http://127.0.0.1:9")
        services.set_single_sign_on(organisation=lena.home, actor=lena, at=AT, **changed)
        answer = client.post("/account/single-sign-on/ai-laboratory-1/login/")
        assert answer["Location"] == "/signin/"
        assert "AI Laboratory One cannot be reached" in told(answer)

    def test_never_connects_an_account_to_a_session(self, client, provider, lena, browser_of):
        # allauth would, asked with process=connect; then a provider could sign in as anybody.
        browser = browser_of(lena)
        there = browser.post(
            "/account/single-sign-on/ai-laboratory-1/login/?process=connect",
            {"process": "connect"},
        )
        back = urlsplit(provider.authorize(asked_by(there)))
        browser.get(f"{back.path}?{back.query}")
        assert Operator.objects.filter(username="ai-laboratory-1.mei").exists()
        assert not lena.socialaccount_set.exists()

    def test_is_told_of_a_cancelled_sign_in(self, client, provider):
        there = client.post("/account/single-sign-on/ai-laboratory-1/login/")
        state = asked_by(there)["state"]
        answer = client.get(
            "/account/single-sign-on/ai-laboratory-1/login/callback/",
            {"error": "access_denied", "state": state},
        )
        assert answer["Location"] == "/signin/"
        assert "was cancelled" in told(answer)


class TestConfirming:
    @pytest.fixture
    def browser(self, client, lena, provider):
        """Mei, whom only her provider knows, signed in ten minutes ago; she administers."""
        services.set_single_sign_on(organisation=lena.home, actor=lena, at=AT, **fields(provider))
        self.come_back(client, provider, "/account/single-sign-on/ai-laboratory-1/login/")
        mei = Operator.objects.get(username="ai-laboratory-1.mei")
        services.grant_role(
            operator=mei, organisation=lena.home, role=Role.ADMINISTRATOR, at=AT, actor=lena
        )
        factories.operator("tomas", member_of=lena.home)
        return make_stale(client)

    def come_back(self, browser, provider, address, **posted):
        there = browser.post(address, posted)
        back = urlsplit(provider.authorize(asked_by(there)))
        return browser.get(f"{back.path}?{back.query}")

    @pytest.fixture
    def asked(self, browser):
        """Where one is sent when a role is given."""
        answer = browser.post(
            "/consortium/ai-laboratory-1/roles/grant/", {"username": "tomas", "role": "auditor"}
        )
        wanted = quote("/consortium/ai-laboratory-1/roles/grant/", safe="")
        assert answer["Location"] == f"{CONFIRM}?next={wanted}"
        assert (
            "Sign in anew at AI Laboratory One" in browser.get(answer["Location"]).content.decode()
        )
        return answer["Location"]

    def tomas_roles(self):
        return [each.role for each in Operator.objects.get(username="tomas").roles_held()]

    def test_asks_the_provider_to_ask_anew_and_then_does_it(self, browser, provider, asked):
        query = asked_by(browser.post(asked))
        assert (query["prompt"], query["max_age"]) == ("login", "300")
        provider.person["auth_time"] = int(time.time())
        key = browser.session.session_key
        answer = self.come_back(browser, provider, asked)
        assert answer["Location"].startswith(CONFIRM)
        assert self.tomas_roles() == []
        done = browser.get(answer["Location"])
        assert "tomas is auditor" in told(done)
        assert self.tomas_roles() == ["auditor"]
        assert browser.session.session_key == key  # the same session, no new sign-in
        assert AuditEntry.objects.filter(action="session.begin").count() == 1
        # The way back is good once: what it did is not done again.
        again = browser.get(answer["Location"])
        assert "Sign in anew" in again.content.decode()

    @pytest.mark.parametrize("auth_time", [1_700_000_000, 0, "now", None])
    def test_refuses_a_proof_that_is_old(self, browser, provider, asked, auth_time):
        provider.person["auth_time"] = auth_time
        answer = self.come_back(browser, provider, asked)
        assert "did not ask you anew" in told(answer)
        page = browser.get(answer["Location"]).content.decode()
        assert "Sign in anew" in page
        assert self.tomas_roles() == []

    def test_refuses_a_proof_of_another_person(self, browser, provider, asked):
        provider.person = {"sub": "other", "preferred_username": "eve"}
        answer = self.come_back(browser, provider, asked)
        assert "vouched for another person" in told(answer)
        browser.get(answer["Location"])
        assert self.tomas_roles() == []
        assert not Operator.objects.filter(username__contains="eve").exists()

    def test_goes_back_to_the_question_when_it_is_cancelled(self, browser, provider, asked):
        state = asked_by(browser.post(asked))["state"]
        answer = browser.get(
            "/account/single-sign-on/ai-laboratory-1/login/callback/",
            {"error": "access_denied", "state": state},
        )
        assert answer["Location"] == asked
        assert "was cancelled" in told(answer)
        assert self.tomas_roles() == []

    def test_is_nothing_for_who_has_no_provider(self, alice, browser_of):
        assert browser_of(alice).get(CONFIRM)["Location"] == "/account/"
