"""The consortium's pages: who sees them, and what administrators do there."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_token
from missioncontrol.audit.models import AuditEntry
from missioncontrol.console.views.organisations import sign_in_rules
from missioncontrol.kernel import clock
from tests import factories
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import make_stale, told
from tests.signing_in import PASSWORD

OURS = "/consortium/ai-laboratory-1/"


@pytest.fixture
def lena(person) -> Operator:
    """The administrator of a member."""
    return person("lena", Role.ADMINISTRATOR, member_of="ai-laboratory-1")


@pytest.fixture
def laboratory(mission) -> Organisation:
    return Organisation.objects.get(slug="ai-laboratory-1")


@pytest.fixture
def pipeline(laboratory) -> Operator:
    made = factories.operator("pipeline", Role.PAYLOAD_MEMBER, member_of=laboratory)
    made.is_service_account = True
    made.save()
    return made


def account_url(operator, then=""):
    return f"{OURS}accounts/{operator.pk}/{then}"


def token_of(operator) -> ApiToken:
    return create_token(
        operator=operator,
        organisation=operator.home,
        name="results",
        at=AT,
        wall_at=clock.wall_now(),
    )[0]


class TestTheMembers:
    def test_are_seen_by_all_of_them(self, mei, browser_of):
        page = browser_of(mei).get("/consortium/").content.decode()
        assert page.count("data-organisation=") == 24
        assert "24 members" in page
        row = page.split('data-organisation="operator"')[1].split("</tr>")[0]
        assert "DD-1" in row
        assert "KASHI, MIYUN, MOHE, SANYA" in row

    def test_are_opened_by_their_own_administrators_and_auditors(self, lena, mei, browser_of):
        page = browser_of(lena).get("/consortium/").content.decode()
        assert set(re.findall(r'href="(/consortium/[^"]+)"', page)) == {OURS}
        assert 'href="/consortium/ai-laboratory-1/"' not in (
            browser_of(mei).get("/consortium/").content.decode()
        )

    @pytest.mark.parametrize("slug", ["operator", "ai-laboratory-2"])
    def test_are_closed_to_the_administrators_of_others(self, lena, browser_of, slug):
        answer = browser_of(lena).get(f"/consortium/{slug}/")
        assert answer.status_code == 403
        assert "may not do account.view for" in answer.content.decode()

    def test_that_are_none_are_not_found(self, lena, browser_of):
        assert browser_of(lena).get("/consortium/nobody/").status_code == 404

    def test_tell_what_holds_for_signing_in(self, lena, browser_of, settings):
        assert "12 characters at least" in browser_of(lena).get(OURS).content.decode()
        assert dict(sign_in_rules())["Second factor"] == "for who has one"
        settings.SECOND_FACTOR_REQUIRED = True
        assert dict(sign_in_rules())["Second factor"] == "required with a password"


class TestAnAuditor:
    @pytest.fixture
    def browser(self, person, browser_of):
        return browser_of(person("vera", Role.AUDITOR, member_of="ai-laboratory-1"))

    def test_sees_accounts_and_tokens_and_nothing_to_press(self, browser, pipeline):
        token_of(pipeline)
        for address in (OURS, account_url(pipeline)):
            page = browser.get(address).content.decode()
            assert "pipeline" in page
            assert "results" in page
            main = page.split("<main")[1]
            assert "<form" not in main

    @pytest.mark.parametrize(
        "then", ["roles/grant/", "roles/revoke/", "accounts/new/", "single-sign-on/"]
    )
    def test_changes_nothing(self, browser, pipeline, then):
        answer = browser.post(OURS + then, {"username": "pipeline", "role": "operator"})
        assert answer.status_code == 403
        assert Membership.objects.filter(operator=pipeline).count() == 1


class TestRoles:
    def test_are_given_and_taken(self, lena, mei, browser_of, laboratory):
        browser, back = browser_of(lena), account_url(mei)
        form = {"username": "mei", "role": "auditor", "next": back}
        answer = browser.post(f"{OURS}roles/grant/", form)
        assert answer["Location"] == back
        assert "mei is auditor for AI Laboratory One" in told(answer)
        assert "data-held" in browser.get(back).content.decode().split('data-role="auditor"')[1]
        browser.post(f"{OURS}roles/revoke/", form)
        assert [each.role for each in mei.memberships.all()] == ["payload_member"]

    def test_take_a_fresh_proof_and_are_then_given(self, lena, mei, browser_of):
        browser, address = make_stale(browser_of(lena)), f"{OURS}roles/grant/"
        asked = browser.post(address, {"username": "mei", "role": "auditor"})
        assert asked["Location"].startswith("/account/confirm/?next=")
        assert mei.memberships.count() == 1
        browser.post("/account/confirm/", {"password": PASSWORD, "next": address})
        assert mei.memberships.count() == 2

    def test_are_given_to_somebody_of_another_organisation(self, lena, alice, browser_of):
        browser = browser_of(lena)
        browser.post(f"{OURS}roles/grant/", {"username": "alice", "role": "auditor"})
        page = browser.get(account_url(alice)).content.decode()
        assert "Mission Operator keeps this account" in page
        assert 'id="close-account"' not in page
        assert 'id="invite"' not in page
        answer = browser.post(
            f"{OURS}roles/revoke/",
            {"username": "alice", "role": "auditor", "next": account_url(alice)},
        )
        # The account has nothing to do with the laboratory any more, and no page there.
        assert answer["Location"] == OURS
        assert browser.get(account_url(alice)).status_code == 404

    def test_of_nobody_show_the_form_again(self, lena, browser_of):
        answer = browser_of(lena).post(
            f"{OURS}roles/grant/", {"username": "nobody", "role": "auditor"}
        )
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Nobody has the name" in page.split('id="grant-error"')[1]
        assert 'value="nobody"' in page
        assert '<option value="auditor" selected>' in page
        assert f'data-refresh-url="{OURS}"' in page

    def test_of_no_such_name_are_refused(self, lena, mei, browser_of):
        answer = browser_of(lena).post(
            f"{OURS}roles/grant/", {"username": "mei", "role": "captain"}
        )
        assert "There is no role 'captain'; there are operator," in told(answer)

    def test_of_the_last_administrator_stay(self, lena, browser_of):
        answer = browser_of(lena).post(
            f"{OURS}roles/revoke/", {"username": "lena", "role": "administrator"}
        )
        assert "last administrator" in told(answer)
        assert lena.memberships.count() == 1

    @pytest.mark.parametrize("act", ["grant", "revoke"])
    def test_of_another_organisation_are_not_touched(self, lena, alice, browser_of, act):
        answer = browser_of(lena).post(
            f"/consortium/operator/roles/{act}/", {"username": "alice", "role": "operator"}
        )
        assert answer.status_code == 403
        assert alice.memberships.count() == 1


class TestANewAccount:
    URL = f"{OURS}accounts/new/"

    def form(self, **changes):
        return {"username": "ines", "display_name": "Ines", "role": ["auditor"], **changes}

    def test_of_a_person_comes_with_an_invitation(self, lena, browser_of, client, laboratory):
        answer = browser_of(lena).post(self.URL, self.form())
        ines = Operator.objects.get(username="ines")
        assert (ines.home, ines.has_usable_password()) == (laboratory, False)
        assert answer["Cache-Control"] == "no-store"
        path = re.search(r"http://testserver(/account/invitation/[^<]+)", answer.content.decode())
        assert "password1" in client.get(path[1], follow=True).content.decode()

    def test_of_a_service_comes_with_none(self, lena, browser_of):
        answer = browser_of(lena).post(self.URL, self.form(username="robot", kind="service"))
        robot = Operator.objects.get(username="robot")
        assert robot.is_service_account
        assert answer["Location"] == account_url(robot)
        assert not AuditEntry.objects.filter(action="operator.invite").exists()

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"username": "lena"}, "The name &#x27;lena&#x27; is taken"),
            ({"username": "a name"}, "was not made"),
            ({"username": ""}, "was not made"),
        ],
    )
    def test_is_refused_beside_the_name(self, lena, browser_of, changes, text):
        answer = browser_of(lena).post(self.URL, self.form(**changes))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert text in page.split('id="account-username-error"')[1]
        assert 'value="Ines"' in page
        assert 'value="auditor" checked' in page
        assert not Operator.objects.filter(username="ines").exists()

    def test_takes_the_right(self, mei, browser_of):
        assert browser_of(mei).get(self.URL).status_code == 403
        assert browser_of(mei).post(self.URL, self.form()).status_code == 403


class TestAnAccount:
    ACTS = ("close/", "open/", "invite/", "second-factor/remove/")

    def test_is_closed_and_opened(self, lena, mei, browser_of):
        hers, browser = browser_of(mei), browser_of(lena)
        assert "is closed" in told(browser.post(account_url(mei, "close/")))
        assert hers.get("/account/").status_code == 401
        assert "closed" in browser.get(account_url(mei)).content.decode()
        assert "is open again" in told(browser.post(account_url(mei, "open/")))
        mei.refresh_from_db()
        assert mei.is_active

    def test_loses_its_second_factor_on_request(self, lena, mei, browser_of):
        hers, browser = browser_of(mei), browser_of(lena)
        answer = browser.post(account_url(mei, "second-factor/remove/"))
        assert "has neither passkeys nor one-time codes" in told(answer)
        assert "remove-authenticators" not in browser.get(account_url(mei)).content.decode()
        TOTP.activate(mei, "JBSWY3DPEHPK3PXP")
        assert "remove-authenticators" in browser.get(account_url(mei)).content.decode()
        browser.post(account_url(mei, "second-factor/remove/"))
        assert not Authenticator.objects.filter(user=mei).exists()
        assert hers.get("/account/").status_code == 401
        assert AuditEntry.objects.get(action="authenticator.reset").actor == "operator:lena"

    def test_of_ones_own_has_no_button_to_close_it(self, lena, browser_of):
        assert "close-account" not in browser_of(lena).get(account_url(lena)).content.decode()

    def test_is_invited_anew(self, lena, mei, browser_of):
        answer = browser_of(lena).post(account_url(mei, "invite/"))
        assert "/account/invitation/" in answer.content.decode()

    def test_that_another_organisation_keeps_is_left_alone(self, lena, alice, browser_of):
        for act in self.ACTS:
            assert browser_of(lena).post(account_url(alice, act)).status_code == 404
        Membership.objects.create(operator=alice, organisation=lena.home, role=Role.AUDITOR)
        for act in self.ACTS:
            assert browser_of(lena).post(account_url(alice, act)).status_code == 403
        alice.refresh_from_db()
        assert alice.is_active


class TestTokens:
    def test_are_made_for_a_pipeline_within_its_rights(self, lena, pipeline, browser_of):
        browser, address = browser_of(lena), account_url(pipeline, "tokens/new/")
        page = browser.get(address).content.decode()
        assert 'value="job.submit"' in page
        assert 'value="account.manage"' not in page  # a right of lena's, not of the pipeline
        answer = browser.post(address, {"name": "x", "days": "7", "scope": ["job.submit"]})
        assert 'id="token-secret"' in answer.content.decode()
        token = ApiToken.objects.get()
        assert (token.operator, token.organisation) == (pipeline, pipeline.home)
        entry = AuditEntry.objects.get(action="token.create")
        assert entry.actor == "operator:lena"

    def test_take_a_role_of_the_account(self, lena, pipeline, browser_of):
        pipeline.memberships.all().delete()
        answer = browser_of(lena).get(account_url(pipeline, "tokens/new/"))
        assert "holds no role for AI Laboratory One" in told(answer)

    def test_are_revoked(self, lena, pipeline, browser_of):
        token = token_of(pipeline)
        answer = browser_of(lena).post(
            f"{OURS}tokens/{token.pk}/revoke/", {"next": account_url(pipeline)}
        )
        assert answer["Location"] == account_url(pipeline)
        token.refresh_from_db()
        assert token.revoked_at is not None

    def test_of_another_organisation_are_not_found(self, lena, alice, browser_of):
        token = token_of(alice)
        answer = browser_of(lena).post(f"{OURS}tokens/{token.pk}/revoke/")
        assert answer.status_code == 404
        answer = browser_of(lena).post(f"/consortium/operator/tokens/{token.pk}/revoke/")
        assert answer.status_code == 404
        token.refresh_from_db()
        assert token.revoked_at is None

    def test_are_not_made_for_accounts_of_others(self, lena, alice, browser_of):
        assert browser_of(lena).get(account_url(alice, "tokens/new/")).status_code == 404
        assert (
            browser_of(lena)
            .get(f"/consortium/operator/accounts/{alice.pk}/tokens/new/")
            .status_code
            == 403
        )
