"""One's own account: what it shows, and what changes how one signs in."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.template.loader import get_template
from django.test import Client

import missioncontrol.console
from missioncontrol.accounts.models import ApiToken
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_token
from missioncontrol.audit.models import AuditEntry
from missioncontrol.console import account_urls
from missioncontrol.kernel import broker, clock
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import make_stale, told
from tests.one_time_codes import one_time_code
from tests.signing_in import PASSWORD

FRESHLY_CONFIRMED = [
    "/account/password/set/",
    "/account/passkeys/add/",
    "/account/passkeys/1/rename/",
    "/account/passkeys/1/remove/",
    "/account/second-factor/codes/add/",
    "/account/second-factor/codes/remove/",
    "/account/second-factor/recovery/",
    "/account/second-factor/recovery/new/",
]


def bearer(operator, organisation) -> Client:
    _token, secret = create_token(
        operator=operator,
        organisation=organisation,
        name="x",
        at=AT,
        wall_at=clock.wall_now(),
    )
    return Client(headers={"Authorization": f"Bearer {secret}"})


class TestTheTemplates:
    def test_are_all_of_our_own(self):
        own = str(missioncontrol.console.__path__[0])
        names = {"429.html", "403_csrf.html"}
        for pattern in account_urls.urlpatterns:
            view = getattr(pattern.callback, "view_class", None)
            if getattr(view, "template_name", None):
                names.add(view.template_name)
        names.discard("account/logout.html")  # of a GET, which signing out does not answer
        assert len(names) > 12
        assert [name for name in names if own not in get_template(name).origin.name] == []


class TestThePage:
    def test_shows_roles_sessions_and_tokens(self, mission, person, browser_of):
        dora = person("dora", Role.OPERATOR, Role.APPROVER)
        create_token(
            operator=dora,
            organisation=dora.home,
            name="nightly results",
            at=AT,
            wall_at=clock.wall_now(),
        )
        page = browser_of(dora, headers={"User-Agent": "curl/8.5.0"}).get("/account/")
        text = page.content.decode()
        for shown in ("approver", "Mission Operator", "curl 8", "127.0.0.1", "nightly results"):
            assert shown in text
        assert text.count("data-session=") == 1

    def test_is_there_for_who_holds_no_role(self, person, browser_of):
        page = browser_of(person("noor")).get("/account/")
        assert page.status_code == 200
        assert "You hold no role yet" in page.content.decode()

    def test_is_not_for_tokens(self, alice):
        answer = bearer(alice, alice.home).get("/account/")
        assert answer.status_code == 403
        assert "takes a person who is signed in" in answer.content.decode()

    def test_is_where_the_frame_of_the_pages_below_is_asked_for_again(self, alice, browser_of):
        # Asking those again would make another secret under the reader's eyes.
        page = browser_of(alice).get("/account/second-factor/codes/add/").content.decode()
        assert set(re.findall(r'data-refresh-url="([^"]*)"', page)) == {"/account/"}


class TestSessions:
    def test_of_others_are_not_found(self, alice, bob, browser_of):
        browser_of(bob)
        theirs = UserSession.objects.get(user=bob)
        answer = browser_of(alice).post(f"/account/sessions/{theirs.pk}/end/")
        assert answer.status_code == 404

    def test_end_one_by_one_and_all_at_once(self, alice, browser_of):
        here, there, elsewhere = (browser_of(alice) for _ in range(3))
        row = UserSession.objects.get(session_key=there.session.session_key)
        assert "That session has ended" in told(here.post(f"/account/sessions/{row.pk}/end/"))
        assert there.get("/account/").status_code == 401
        assert "1 other session has ended" in told(here.post("/account/sessions/end-others/"))
        assert elsewhere.get("/account/").status_code == 401
        assert here.get("/account/").status_code == 200

    def test_are_not_ended_by_tokens(self, alice, browser_of):
        browser = browser_of(alice)
        answer = bearer(alice, alice.home).post("/account/sessions/end-others/")
        assert answer.status_code == 403
        assert browser.get("/account/").status_code == 200


class TestAFreshProof:
    @pytest.mark.parametrize("address", FRESHLY_CONFIRMED)
    def test_is_asked_for_and_leads_back(self, alice, browser_of, address):
        browser = make_stale(browser_of(alice))
        for answer in (browser.get(address), browser.post(address, {"password1": "secret"})):
            asked = f"/account/confirm/?next={quote(address, safe='')}"
            assert answer["Location"] == asked
        assert "secret" not in json.dumps(dict(browser.session))
        confirmed = browser.post("/account/confirm/", {"password": PASSWORD, "next": address})
        assert confirmed["Location"] == address

    def test_is_not_asked_for_again_within_five_minutes(self, alice, browser_of):
        assert browser_of(alice).get("/account/passkeys/add/").status_code == 200

    def test_is_what_the_present_password_is_when_it_changes(self, alice, browser_of):
        browser = make_stale(browser_of(alice))
        form = {"oldpassword": "wrong", "password1": "x" * 20, "password2": "x" * 20}
        answer = browser.post("/account/password/", form)
        assert "That is not your present password." in answer.content.decode()


class TestOneTimeCodes:
    @pytest.fixture
    def secret(self, alice, browser_of, django_capture_on_commit_callbacks):
        """Alice with codes turned on."""
        self.browser = browser_of(alice)
        page = self.browser.get("/account/second-factor/codes/add/")
        secret = page.context["form"].secret
        assert page.context["totp_svg_data_uri"].startswith("data:image/svg+xml;base64,")
        with django_capture_on_commit_callbacks(execute=True):
            answer = self.browser.post(
                "/account/second-factor/codes/add/", {"code": one_time_code(secret)}
            )
        assert answer["Location"] == "/account/second-factor/recovery/"
        return secret

    def sign_in(self, code=None):
        browser = Client()
        browser.post("/signin/", {"login": "alice", "password": PASSWORD, "next": "/alarms/"})
        if code is None:
            return browser
        return browser.post("/account/second-factor/authenticate/", {"code": code})

    def test_stand_sealed_in_the_database_and_as_an_entry_in_the_log(self, alice, secret):
        assert secret not in Authenticator.objects.get(user=alice, type="totp").data["secret"]
        kinds = [
            json.loads(bytes(row.entry))["details"]["kind"]
            for row in AuditEntry.objects.filter(action="authenticator.add")
        ]
        assert "totp" in kinds

    def test_are_asked_for_after_the_password(self, secret):
        browser = self.sign_in()
        assert browser.get("/alarms/").status_code == 401
        assert browser.get("/signin/")["Location"] == "/account/second-factor/authenticate/"
        answer = self.sign_in(one_time_code(secret, periods_ahead=1))
        assert answer["Location"] == "/alarms/"

    def test_are_good_once(self, secret):
        code = one_time_code(secret, periods_ahead=1)
        assert self.sign_in(code).status_code == 302
        assert "It was not accepted" in self.sign_in(code).content.decode()

    def test_are_good_once_for_as_long_as_they_are_taken(self, secret):
        """Whoever read one over a shoulder has a minute and a half, and nothing to do with it."""
        code = one_time_code(secret, periods_ahead=1)
        assert self.sign_in(code).status_code == 302
        broker.connection().flushall()  # where allauth remembers it for half a minute
        assert "It was not accepted" in self.sign_in(code).content.decode()
        assert "It was not accepted" in self.sign_in(one_time_code(secret)).content.decode()

    @pytest.mark.usefixtures("secret")
    def test_can_be_turned_back_from(self):
        browser = self.sign_in()
        assert browser.post("/signout/")["Location"] == "/signin/"
        assert browser.get("/signin/").status_code == 200

    @pytest.mark.usefixtures("secret")
    def test_bring_recovery_codes_that_are_shown_once(self):
        page = self.browser.get("/account/second-factor/recovery/").content.decode()
        codes = re.findall(r'<li class="mono">(\d+)</li>', page)
        assert len(codes) == 10
        assert all(code in page.split("data:text/plain")[1] for code in codes)
        again = self.browser.get("/account/second-factor/recovery/").content.decode()
        assert codes[0] not in again
        assert self.sign_in(codes[0]).status_code == 302
        assert self.sign_in(codes[0]).status_code == 200  # refused: used up

    @pytest.mark.usefixtures("secret")
    def test_are_turned_off_with_their_recovery_codes(self, alice):
        self.browser.post("/account/second-factor/codes/remove/")
        assert not Authenticator.objects.filter(user=alice).exists()


class TestPasskeys:
    @pytest.mark.parametrize("credential", ["", "{}", "[]", "3", '{"id": "x"}', "no json"])
    def test_that_are_none_are_refused(self, alice, browser_of, credential):
        browser = browser_of(alice)
        browser.get("/account/passkeys/add/")
        answer = browser.post(
            "/account/passkeys/add/",
            {"name": "x", "credential": credential, "passwordless": "on"},
        )
        assert answer.status_code == 200
        assert "did not accept the passkey" in answer.content.decode()
        assert not Authenticator.objects.exists()

    @pytest.mark.parametrize("credential", ["", "{}", "[]", "3", '{"id": "x"}', "no json"])
    def test_that_nobody_has_sign_nobody_in(self, client, db, credential):
        client.get("/account/passkeys/login/", headers={"Accept": "application/json"})
        answer = client.post("/account/passkeys/login/", {"credential": credential})
        assert answer["Location"] == "/signin/"
        assert client.get("/").status_code == 401


class TestOwnTokens:
    URL = "/account/tokens/new/"

    def form(self, **changes):
        return {"name": "results", "days": "30", "scope": ["job.view"], **changes}

    def test_carry_what_was_ticked_and_are_shown_once(self, alice, browser_of):
        browser = browser_of(alice)
        answer = browser.post(self.URL, self.form(scope=["job.view", "contact.view"]))
        secret = re.search(r"mc_[0-9a-f]{10}_[\w-]+", answer.content.decode())[0]
        token = ApiToken.objects.get()
        assert (token.operator, token.name) == (alice, "results")
        assert token.scopes == ["contact.view", "job.view"]
        assert (token.expires_at - token.created_at).days == 30
        assert answer["Cache-Control"] == "no-store"
        headers = {"Authorization": f"Bearer {secret}"}
        assert Client().get("/api/v1/jobs", headers=headers).status_code == 200
        assert secret not in browser.get("/account/").content.decode()

    @pytest.mark.parametrize(
        ("changes", "told_beside", "text"),
        [
            ({"scope": []}, "scopes", "Tick at least one right"),
            (
                {"scope": ["job.view", "no.such"]},
                "scopes",
                "There is no right &#x27;no.such&#x27;",
            ),
            ({"scope": ["account.manage"]}, "scopes", "itself may not do account.manage"),
            ({"days": "0"}, "days", "from 1 to 365"),
            ({"days": "366"}, "days", "from 1 to 365"),
            ({"days": "soon"}, "days", "from 1 to 365"),
            ({"name": " "}, "name", "1 to 80 are allowed"),
        ],
    )
    def test_are_refused_beside_the_field(self, alice, browser_of, changes, told_beside, text):
        answer = browser_of(alice).post(self.URL, self.form(**changes))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert text in page.split(f'id="token-{told_beside}-error"')[1].split("</p>")[0]
        assert not ApiToken.objects.exists()

    def test_are_made_after_a_fresh_proof(self, alice, browser_of):
        browser = make_stale(browser_of(alice))
        asked = browser.post(self.URL, self.form())
        assert asked["Location"].startswith("/account/confirm/?next=")
        assert not ApiToken.objects.exists()
        answer = browser.post("/account/confirm/", {"password": PASSWORD, "next": self.URL})
        assert 'id="token-secret"' in answer.content.decode()
        assert ApiToken.objects.get().scopes == ["job.view"]

    def test_are_never_made_by_a_token(self, alice):
        browser = bearer(alice, alice.home)
        assert browser.post(self.URL, self.form()).status_code == 403
        assert ApiToken.objects.count() == 1

    def test_act_for_the_organisation_that_is_chosen(self, person, mei, browser_of):
        mei.memberships.create(organisation=person("alice").home, role=Role.AUDITOR)
        browser = browser_of(mei)
        page = browser.get(self.URL, {"for": "operator"}).content.decode()
        assert "telecommand.view" in page
        assert "job.submit" not in page
        browser.post(self.URL, self.form(organisation="operator"))
        assert ApiToken.objects.get().organisation.slug == "operator"

    def test_take_a_role(self, person, browser_of):
        answer = browser_of(person("noor")).get(self.URL)
        assert answer.status_code == 403
        assert "you hold none yet" in answer.content.decode()

    def test_are_revoked_by_their_owner_only(self, alice, bob, browser_of):
        browser_of(alice).post(self.URL, self.form())
        token = ApiToken.objects.get()
        address = f"/account/tokens/{token.pk}/revoke/"
        assert browser_of(bob).post(address).status_code == 404
        assert "ends now" in told(browser_of(alice).post(address))
        token.refresh_from_db()
        assert token.revoked_at is not None


class TestActs:
    @pytest.mark.parametrize("address", ["/commands/submit/", "/jobs/submit/", "/clock/"])
    def test_take_a_person_and_no_token(self, alice, address):
        answer = bearer(alice, alice.home).post(address, {"factor": "3"})
        assert answer.status_code == 403
        assert "An API token works at /api/v1/" in answer.content.decode()
