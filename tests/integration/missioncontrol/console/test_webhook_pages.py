"""The pages of webhooks: who sees which, making and changing, the delivery log."""

from __future__ import annotations

import re

import pytest

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.webhooks.models import Delivery, Webhook
from missioncontrol.webhooks.services import create_webhook, disable_webhook
from tests.browser.members import send_events
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import make_stale, told

URL = "https://pipeline.member.example/hooks?key=a-secret"


@pytest.fixture
def hook(mission) -> Webhook:
    """A member's webhook with three deliveries: one arrived, one given up, one waits."""
    send_events(at=AT)
    return Webhook.objects.get()


@pytest.fixture
def lena(person):
    return person("lena", Role.ADMINISTRATOR, member_of="ai-laboratory-1")


@pytest.fixture
def browser(lena, hook, browser_of):
    return browser_of(lena)


def form(**changes):
    return {"name": "nightly", "url": URL, "types": "job.*\ncontact.book", **changes}


def address(hook, then=""):
    return f"/webhooks/{hook.pk}/{then}"


def deliveries(page):
    return re.findall(r'<tr data-delivery="\d+" data-state="(\w+)"', page)


class TestTheList:
    def test_has_those_of_ones_own_organisation(self, browser, hook):
        other = Organisation.objects.get(slug="ai-laboratory-2")
        create_webhook(
            organisation=other, name="theirs", url=URL, types=["*"],
            actor="process:test", at=AT, wall_at=AT,
        )  # fmt: skip
        page = browser.get("/webhooks/").content.decode()
        assert re.findall(r'data-webhook="(\d+)"', page) == [str(hook.pk)]
        assert "theirs" not in page

    def test_is_a_section_of_those_who_may_see_it(self, browser, person, browser_of):
        assert 'href="/webhooks/"' in browser.get("/account/").content.decode()
        nina = browser_of(person("nina", Role.STATION_PROVIDER, member_of="station-provider-1"))
        assert 'href="/webhooks/"' not in nina.get("/account/").content.decode()
        assert nina.get("/webhooks/").status_code == 403


class TestAWebhook:
    def test_shows_what_was_sent(self, browser, hook):
        page = browser.get(address(hook)).content.decode()
        assert deliveries(page) == ["WAITING", "FAILED", "DELIVERED"]
        assert "upstream connect error" in page
        assert "2 of 8" in page
        assert "2026-12-01 12:05:00Z" in page

    @pytest.mark.parametrize(
        ("state", "found"),
        [("FAILED", ["FAILED"]), ("WAITING", ["WAITING"]), ("x", None), ("", None)],
    )
    def test_shows_deliveries_in_one_state(self, browser, hook, state, found):
        page = browser.get(address(hook), {"state": state}).content.decode()
        assert deliveries(page) == (found or ["WAITING", "FAILED", "DELIVERED"])

    def test_shows_its_deliveries_in_pages(self, browser, hook):
        for number in range(60):
            Delivery.objects.create(
                webhook=hook, log_index=100 + number, event_type="job.fail",
                message_id="m", created_at=AT,
            )  # fmt: skip
        page = browser.get(address(hook)).content.decode()
        assert len(deliveries(page)) == 50
        assert len(deliveries(browser.get(address(hook), {"page": "2"}).content.decode())) == 13

    def test_says_why_it_is_disabled(self, browser, hook):
        disable_webhook(webhook=hook, reason="The endpoint answered 410.", at=AT)
        page = browser.get(address(hook)).content.decode()
        assert "The endpoint answered 410." in page
        assert 'id="go-on"' in page
        assert 'id="ping"' not in page

    def test_says_since_when_nothing_arrives(self, browser, hook):
        Webhook.objects.update(failing_since=AT)
        page = browser.get(address(hook)).content.decode()
        assert "No attempt has arrived since 2026-12-01 12:00Z" in page
        assert "failing" in page

    def test_of_another_member_is_not_there(self, person, hook, browser_of):
        rival = browser_of(person("rival", Role.ADMINISTRATOR, member_of="ai-laboratory-2"))
        assert rival.get(address(hook)).status_code == 404
        assert rival.get(address(hook, "change/")).status_code == 404
        for act in ("state/", "ping/", "rotate-secret/", "delete/", "deliveries/1/redeliver/"):
            assert rival.post(address(hook, act)).status_code == 404
        assert Webhook.objects.filter(pk=hook.pk, state="ENABLED").exists()

    def test_has_nothing_to_press_for_an_auditor(self, person, hook, browser_of):
        vera = browser_of(person("vera", Role.AUDITOR, member_of="ai-laboratory-1"))
        main = vera.get(address(hook)).content.decode().split("<main")[1]
        assert 'method="post"' not in main
        assert vera.get("/webhooks/new/").status_code == 403
        for act in ("state/", "ping/", "rotate-secret/", "delete/"):
            assert vera.post(address(hook, act)).status_code == 403


class TestMaking:
    def test_shows_the_secret_once(self, browser):
        answer = browser.post("/webhooks/new/", form())
        page = answer.content.decode()
        secret = re.search(r'id="webhook-secret"[^>]*>(whsec_[^<]+)<', page)[1]
        assert answer["Cache-Control"] == "no-store"
        made = Webhook.objects.get(name="nightly")
        assert (made.types, made.url) == (["job.*", "contact.book"], URL)
        assert secret not in browser.get(address(made)).content.decode()
        entry = AuditEntry.objects.get(action="webhook.create", actor="operator:lena")
        assert b"a-secret" not in bytes(entry.entry)

    @pytest.mark.parametrize(
        ("changes", "field", "text"),
        [
            ({"url": "http://10.0.0.1/"}, "url", "no webhook leads to"),
            ({"url": "http://member.example/"}, "url", "give an https:// address"),
            ({"types": "job"}, "types", "is no event type"),
            ({"types": ""}, "types", "0 event types are given"),
            ({"name": ""}, "name", "name"),
        ],
    )
    def test_is_refused_beside_the_field(self, browser, changes, field, text):
        answer = browser.post("/webhooks/new/", form(**changes))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert text in page.split(f'id="webhook-{field}-error"')[1]
        assert Webhook.objects.count() == 1

    def test_takes_a_fresh_proof(self, browser):
        answer = make_stale(browser).post("/webhooks/new/", form())
        assert answer["Location"].startswith("/account/confirm/")
        assert Webhook.objects.count() == 1


class TestChanging:
    def test_gives_it_other_events(self, browser, hook):
        assert "job.*</textarea>" in browser.get(address(hook, "change/")).content.decode()
        answer = browser.post(address(hook, "change/"), form(types="*"))
        assert answer["Location"] == address(hook)
        hook.refresh_from_db()
        assert (hook.name, hook.types) == ("nightly", ["*"])

    def test_is_refused_beside_the_field_with_what_was_typed(self, browser, hook):
        answer = browser.post(address(hook, "change/"), form(types="Job"))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "is no event type" in page.split('id="webhook-types-error"')[1]
        assert "Job</textarea>" in page

    def test_pauses_it_and_lets_it_go_on(self, browser, hook):
        for state, text in (("PAUSED", "is paused"), ("ENABLED", "is on")):
            answer = browser.post(address(hook, "state/"), {"state": state})
            assert text in told(answer)
            hook.refresh_from_db()
            assert hook.state == state

    def test_takes_no_state_of_its_own(self, browser, hook):
        answer = browser.post(address(hook, "state/"), {"state": "DISABLED"})
        assert "A webhook is made ENABLED or PAUSED" in told(answer)

    def test_gives_it_a_new_secret_beside_the_old_one(self, browser, hook):
        page = browser.post(address(hook, "rotate-secret/")).content.decode()
        assert "whsec_" in page
        assert "For 24 hours" in page
        assert "two sign until" in browser.get(address(hook)).content.decode()

    def test_deletes_it(self, browser, hook):
        answer = browser.post(address(hook, "delete/"))
        assert answer["Location"] == "/webhooks/"
        assert not Webhook.objects.exists()

    @pytest.mark.parametrize("act", ["state/", "ping/", "rotate-secret/", "delete/"])
    def test_takes_a_fresh_proof(self, browser, hook, act):
        answer = make_stale(browser).post(address(hook, act), {"state": "PAUSED"})
        assert answer["Location"].startswith("/account/confirm/")
        left = Webhook.objects.get()
        assert (left.state, left.sealed_previous_secret) == ("ENABLED", "")


class TestSending:
    def test_a_ping_writes_the_event(self, browser, hook):
        answer = browser.post(address(hook, "ping/"), {"next": address(hook)})
        assert answer["Location"] == address(hook)
        assert AuditEntry.objects.get(action="webhook.ping").subject == hook.audit_subject

    def test_again_lets_a_delivery_wait_for_its_first_attempt(self, browser, hook):
        failed = Delivery.objects.get(state="FAILED")
        answer = browser.post(address(hook, f"deliveries/{failed.pk}/redeliver/"))
        assert "is sent once more" in told(answer)
        failed.refresh_from_db()
        assert (failed.state, failed.attempts) == ("WAITING", 0)
        assert failed.next_attempt_at <= clock.wall_now()

    def test_to_one_that_is_paused_is_refused(self, browser, hook):
        browser.post(address(hook, "state/"), {"state": "PAUSED"})
        assert "Enable it first" in told(browser.post(address(hook, "ping/")))
        page = browser.get(address(hook)).content.decode()
        assert "data-redeliver" not in page
