"""Signing in, one's account and the consortium, in a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
import pytest

from tests.browser.conftest import NARROW, PASSWORD
from tests.browser.looks import NAMELESS, TOO_FAINT
from tests.integration.missioncontrol.accounts.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    identity_provider,
)
from tests.one_time_codes import one_time_code

NEW_PASSWORD = "another pass-phrase of mine"
PAGES = [
    "/account/",
    "/account/password/",
    "/account/passkeys/add/",
    "/account/second-factor/codes/add/",
    "/account/tokens/new/",
    "/consortium/",
    "/consortium/operator/",
    "/consortium/operator/accounts/1/",
    "/consortium/operator/accounts/new/",
    "/consortium/operator/single-sign-on/",
]


def give_authenticator(page) -> None:
    """Put an authenticator into the browser that keeps passkeys and knows its person."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page) -> None:
    page.click("form.sign-out button")
    page.wait_for_selector("#signin")


def fill_sign_in(page, username: str, password: str = PASSWORD) -> None:
    page.fill("#id_username", username)
    page.fill("#id_password", password)
    page.click("#signin button")


class TestAPasskey:
    def test_is_added_signs_in_confirms_and_is_removed(self, sign_in, signed_in, installation):
        alice, page = signed_in("alice", "/commands/"), sign_in("pia", "/account/")
        give_authenticator(page)
        page.click("#add-passkey")
        page.fill("#passkey-name", "key in the drawer")
        page.click("#new-passkey button")
        # The first of them brings recovery codes, which are shown once.
        assert page.locator("#recovery-codes li").count() == 10
        page.click("text=I have kept them")
        assert "key in the drawer" in page.text_content("#passkeys")

        sign_out(page)
        assert "You are signed out." in page.text_content("#messages")
        page.goto("/signin/?next=/commands/")
        page.click("#passkey-login")
        page.wait_for_selector("#live-state[data-state=live]")
        assert page.url.endswith("/commands/")

        alice.select_option("#choose-telecommand", "PING")
        alice.click("#submit-telecommand button")
        number = re.search(r"PING #(\d+) waits", alice.text_content("#messages"))[1]
        installation.make_stale("pia")
        page.goto("/commands/")
        page.click(f"#approve-{number}")
        assert page.text_content("h1") == "Confirm that it is you"
        page.click("[data-way='mfa_reauthenticate:webauthn']")
        page.click("#confirm-passkey button")
        page.wait_for_selector("#telecommands")
        assert f"PING #{number} is approved" in page.text_content("#messages")

        page.goto("/account/")
        page.click("#passkeys >> text=Remove")
        page.click("#remove-passkey button")
        page.wait_for_selector("#ways-title")
        assert page.locator("#passkeys").count() == 0

    def test_that_nobody_has_here_is_told(self, open_page):
        page = open_page("/signin/")
        give_authenticator(page)
        page.click("#passkey-login")
        page.wait_for_selector("[data-passkey-error]:visible")
        assert "no passkey for this address" in page.text_content("[data-passkey-error]")


class TestOneTimeCodes:
    def test_are_turned_on_and_asked_for(self, sign_in):
        page = sign_in("otto", "/account/")
        page.click("#add-codes")
        page.click("text=No camera? Type the secret")
        secret = page.text_content("#totp-secret").strip()
        assert page.evaluate("document.querySelector('.qr').naturalWidth") > 100
        page.fill("#id_code", "000000")
        page.click("#new-codes button")
        assert "It was not accepted" in page.text_content("#id_code-error")
        page.fill("#id_code", one_time_code(secret))
        page.click("#new-codes button")
        with page.expect_download() as download:
            page.click("#download-codes")
        with open(download.value.path()) as stream:
            recovery = stream.read().splitlines()[1:]
        assert recovery == page.locator("#recovery-codes li").all_text_contents()

        sign_out(page)
        fill_sign_in(page, "otto")
        page.wait_for_selector("#second-factor")
        page.click("#cancel")
        fill_sign_in(page, "otto")
        page.fill("#id_code", one_time_code(secret, periods_ahead=1))
        page.click("#second-factor button")
        page.wait_for_selector("#live-state[data-state=live]")

        sign_out(page)
        fill_sign_in(page, "otto")
        page.fill("#id_code", recovery[0])
        page.click("#second-factor button")
        page.wait_for_selector("#live-state[data-state=live]")
        page.goto("/account/")
        assert page.text_content("#recovery-left") == "9"


class TestAnInvitation:
    def test_makes_a_new_person_one_of_the_team(self, signed_in, open_page):
        page = signed_in("ada", "/consortium/operator/")
        page.click("#new-account")
        page.fill("#account-username", "alice")
        page.check("input[value=flight_dynamics]")
        with page.expect_response(lambda answer: answer.status == 422):
            page.click("#account-form button")
        assert "The name 'alice' is taken" in page.text_content("#account-username-error")
        page.fill("#account-username", "olga")
        page.fill("#account-display", "Ines Duarte")
        page.click("#account-form button")
        address = urlsplit(page.text_content("#invitation-url"))
        page.click("text=I have handed it over")
        assert "not in yet" in page.text_content("#account-state")

        person = open_page(address.path)
        assert "olga" in person.text_content("main")
        for field in ("#id_password1", "#id_password2"):
            person.fill(field, NEW_PASSWORD)
        person.click("#choose-password button")
        person.click("main a.primary")
        fill_sign_in(person, "olga", NEW_PASSWORD)
        person.wait_for_selector("#ways-title")
        assert "flight dynamics" in person.text_content("#own-roles")
        assert "This invitation opens nothing" in open_page(address.path).text_content("h1")


class TestAToken:
    def test_is_made_works_and_ends(self, signed_in, installation):
        page = signed_in("tess", "/account/")
        page.click("#new-token")
        page.fill("#token-name", "nightly results")
        page.click("#token-form button")
        assert "could do nothing" in page.text_content("#token-scopes-error")
        assert page.input_value("#token-name") == "nightly results"
        page.check("input[value='job.view']")
        page.click("#token-form button")
        secret = page.text_content("#token-secret")

        def ask(path: str) -> int:
            headers = {"Authorization": f"Bearer {secret}"}
            return httpx.get(f"{installation.address}/api/v1/{path}", headers=headers).status_code

        assert ask("jobs") == 200
        assert ask("contacts") == 403
        page.click("text=I have it")
        row = page.locator("#own-tokens tr", has_text="nightly results")
        row.locator("text=Revoke").click()
        page.wait_for_selector("#messages")
        assert ask("jobs") == 401


class TestRoles:
    def test_given_show_in_the_open_page_of_who_got_one(self, signed_in):
        rosa = signed_in("rosa", "/jobs/")
        assert rosa.locator("#sections >> text=Telemetry").count() == 0
        page = signed_in("ada", "/consortium/operator/")
        page.click("text=Give somebody of another organisation a role…")
        page.fill("#grant-username", "rosa")
        page.select_option("#grant-form select", "flight_dynamics")
        page.click("#grant-form button")
        assert "rosa is flight dynamics" in page.text_content("#messages")
        rosa.wait_for_selector("#sections >> text=Telemetry")
        page.click("#accounts tr[data-account=rosa] a")
        page.click("#role-flight_dynamics")
        rosa.wait_for_selector("#sections >> text=Telemetry", state="detached")
        assert "payload member" in rosa.text_content("#part-operator")

    def test_are_not_given_to_who_is_not_known(self, signed_in, complaints):
        page = signed_in("ada", "/consortium/operator/")
        page.click("text=Give somebody of another organisation a role…")
        page.fill("#grant-username", "nobody-at-all")
        page.click("#grant-form button")
        assert "Nobody has the name" in page.text_content("#grant-error")
        assert page.input_value("#grant-username") == "nobody-at-all"


class TestClosingAnAccount:
    def test_cuts_its_open_pages_off(self, sign_in, signed_in):
        carl = sign_in("carl", "/telemetry/DD-1/")
        page = signed_in("ada", "/consortium/operator/")
        page.click("#accounts tr[data-account=carl] a")
        page.click("text=Close the account…")
        page.click("#close-account")
        carl.wait_for_selector("#signin", timeout=4000)
        fill_sign_in(carl, "carl")
        assert "do not belong together" in carl.text_content("main")


class TestSessions:
    def test_elsewhere_are_ended_from_here(self, sign_in, installation):
        installation.sign_ins.pop("mei", None)
        page, other = sign_in("mei", "/account/"), sign_in("mei", "/jobs/")
        page.reload()
        assert page.locator("#sessions tr[data-session]").count() >= 2
        page.click("#end-others")
        assert page.locator("#sessions tr[data-session]").count() == 1
        other.wait_for_selector("#signin", timeout=4000)


@pytest.fixture
def provider():
    with identity_provider() as running:
        yield running


class TestSingleSignOn:
    def test_is_set_up_used_and_confirms(self, signed_in, open_page, installation, provider):
        page = signed_in("lena", "/consortium/ai-laboratory-1/")
        page.click("#set-single-sign-on")
        assert "/account/single-sign-on/ai-laboratory-1/login/callback/" in page.text_content(
            "#callback-url"
        )
        page.fill("#sso-issuer", "https://login.member.example:1/")
        page.fill("#sso-client", CLIENT_ID)
        page.fill("#sso-secret", CLIENT_SECRET)
        page.click("#single-sign-on-form button.primary")
        assert "cannot be reached" in page.text_content("#messages")
        page.fill("#sso-issuer", provider.issuer)
        page.click("#single-sign-on-form button.primary")
        assert "The provider answers" in page.text_content("#messages")

        person = open_page("/signin/?next=/account/")
        person.click("[data-single-sign-on=ai-laboratory-1] button")
        person.wait_for_selector("#ways-title")
        assert "ai-laboratory-1.mei" in person.text_content(".page-head")
        assert "You hold no role yet" in person.text_content("#own-roles")

        installation.make_stale("ai-laboratory-1.mei")
        person.click("text=Set one")
        assert person.text_content("h1") == "Confirm that it is you"
        person.click("#confirm button")
        person.wait_for_selector("#set-password")

        page.click("text=Remove…")
        page.click("#remove-single-sign-on")
        assert "sign in here only" in page.text_content("#messages")


class TestEveryPage:
    @pytest.mark.parametrize("address", [*PAGES, "/"])
    def test_is_read_and_worked_by_everybody_and_complains_of_nothing(self, signed_in, address):
        page = signed_in("ada", address)
        page.wait_for_load_state("networkidle")
        assert urlsplit(page.url).path == address
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(TOO_FAINT) == []

    @pytest.mark.parametrize("address", PAGES)
    def test_fits_a_telephone(self, signed_in, address):
        page = signed_in("ada", address, viewport=NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

    @pytest.mark.parametrize("address", ["/signin/", "/account/invitation/x-y/", "/nowhere/"])
    def test_before_the_door_writes_with_that_contrast_too(self, open_page, address):
        assert open_page(address).evaluate(TOO_FAINT) == []
