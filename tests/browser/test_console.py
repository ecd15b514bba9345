"""What people do in the console, in a real browser."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import redis

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.pipelines.demo import demo_mission
from tests.browser import scene
from tests.browser.conftest import NARROW
from tests.browser.packets import HousekeepingPackets

PAGES = [
    "/",
    "/passes/",
    "/passes/1/",
    "/contact-requests/",
    "/contact-requests/new/",
    "/calendar-feeds/",
    "/timeline/",
    "/plans/",
    "/plans/1/",
    "/telemetry/DD-1/?plot=PWR_BATT_V",
    "/telemetry/DD-1/packets/?apid=100",
    "/telemetry/DD-1/gaps/",
    "/telemetry/bad-frames/",
    "/telemetry/bad-frames/1/",
    "/commands/?telecommand=PAYLOAD_POWER",
    "/jobs/",
    "/jobs/1/",
    "/alarms/",
    "/stations/",
    "/audit/",
]


def value_of(parameter: str) -> str:
    return f"tr[data-parameter={parameter}] [data-value]"


def submit_ping(page) -> str:
    """Submit a PING by the form and return its number."""
    page.goto("/commands/")
    page.select_option("#choose-telecommand", "PING")
    page.click("#submit-telecommand button")
    told = page.text_content("#messages")
    found = re.search(r"PING #(\d+) waits", told)
    assert found, told
    return found[1]


class TestSigningIn:
    def test_begins_at_the_form_and_ends_where_one_wanted_to_go(self, sign_in):
        page = sign_in("alice", "/alarms/")
        assert page.url.endswith("/alarms/")
        assert page.text_content(".operator-name") == "Alice Ode"

    def test_with_a_wrong_password_says_so(self, open_page):
        page = open_page()
        page.fill("#id_username", "alice")
        page.fill("#id_password", "wrong")
        page.click("#signin button")
        assert "do not belong together" in page.text_content("#signin-error")

    def test_out_in_one_window_ends_the_live_line_of_the_other(self, sign_in):
        page = sign_in("alice")
        other = page.context.new_page()
        other.goto("/jobs/")
        other.click("form.sign-out button")
        other.wait_for_selector("#signin")
        # What it showed is gone with it.
        page.wait_for_selector("#signin", timeout=4000)


class TestLiveValues:
    def test_change_in_the_open_page(self, signed_in, installation):
        page = signed_in("alice", "/telemetry/DD-1/")
        message = {
            "type": "telemetry",
            "spacecraft": "DD-1",
            "values": {"PWR_BUS_V": {"v": 49.517, "s": "normal", "t": "2026-12-01T23:00:00.000Z"}},
        }
        with redis.Redis.from_url(installation.redis_url) as broker:
            broker.publish("live", json.dumps(message))
        page.wait_for_selector(f"{value_of('PWR_BUS_V')}:text-is('49.517')")
        older = message["values"]["PWR_BUS_V"] | {"v": 1.0, "t": "2026-12-01T22:00:00.000Z"}
        newer = message["values"]["PWR_BUS_V"] | {"v": 2.0, "s": "critical"}
        with redis.Redis.from_url(installation.redis_url) as broker:
            message["values"] = {"PWR_BUS_V": older, "PWR_SA_I": newer}
            broker.publish("live", json.dumps(message))
        page.wait_for_selector("tr[data-parameter=PWR_SA_I][data-status=critical]")
        # What a recorder played back does not replace what is newer.
        assert page.text_content(value_of("PWR_BUS_V")) == "49.517"

    def test_come_from_the_packets_that_were_received(self, signed_in, installation, tmp_path):
        page = signed_in("alice", "/telemetry/DD-1/")
        at = scene.AT + timedelta(minutes=30)
        octets = b"".join(HousekeepingPackets(demo_spacecraft()).at(at, PWR_BATT_V=51.234))
        dump = tmp_path / "dump.bin"
        dump.write_bytes(octets)
        installation.manage("ingest", str(dump), "--spacecraft", "DD-1")
        page.wait_for_selector(f"{value_of('PWR_BATT_V')}:text-is('51.234')")

    def test_are_plotted_with_their_figures(self, signed_in):
        page = signed_in("alice", "/telemetry/DD-1/")
        with page.expect_response(lambda answer: "/samples?" in answer.url):
            page.check("#plot-PWR_SA_V")
        row = page.wait_for_selector("#plot-table tr[data-plotted=PWR_SA_V]")
        assert "PWR_SA_V (V)" in row.text_content()
        assert page.query_selector("#plot canvas")

    def test_leave_the_page_when_the_filter_does_not_fit(self, signed_in):
        page = signed_in("alice", "/telemetry/DD-1/")
        page.fill("#parameter-filter", "battery voltage")
        shown = page.query_selector_all("#parameter-table tbody tr:visible")
        assert [row.get_attribute("data-parameter") for row in shown] == ["PWR_BATT_V"]


def demo_spacecraft() -> Spacecraft:
    """The demo's spacecraft as the dictionary and the link profile describe it; not stored."""
    mission = demo_mission()
    entry = mission.spacecraft[0]
    return Spacecraft(
        name=entry.name,
        link_profile=entry.link_profile.model_dump(mode="json"),
        telemetry_dictionary=mission.attachment(entry.telemetry_dictionary),
    )


class TestTheTwoPersonRule:
    def test_a_colleague_approves_and_the_submitter_sees_it_at_once(self, signed_in):
        alice, bob = signed_in("alice"), signed_in("bob")
        number = submit_ping(alice)
        bob.goto("/commands/")
        bob.click(f"#approve-{number}")
        assert f"PING #{number} is approved" in bob.text_content("#messages")
        alice.wait_for_selector(f"[data-telecommand='{number}'][data-state=APPROVED]")

    def test_ones_own_has_no_button_and_says_why(self, signed_in):
        page = signed_in("alice")
        number = submit_ping(page)
        own = page.locator(f"[data-telecommand='{number}']")
        assert "A second operator must approve it" in own.text_content()
        assert page.locator(f"#approve-{number}").count() == 0

    def test_ones_own_is_refused_to_who_makes_the_button_himself(self, signed_in):
        page = signed_in("alice")
        number = submit_ping(page)
        page.evaluate(
            """number => {
                const form = document.querySelector(`[data-telecommand="${number}"] form`);
                form.action = `/commands/${number}/approve/`;
                form.submit();
            }""",
            number,
        )
        told = page.wait_for_selector("#messages [data-level=error]").text_content()
        assert "was submitted by alice. A second operator must approve it." in told
        assert page.locator(f"[data-telecommand='{number}'][data-state=SUBMITTED]").count() == 1

    def test_a_hazardous_one_is_not_approved_without_the_tick(self, signed_in):
        page = signed_in("alice", "/commands/")
        item = page.locator("[data-telecommand][data-state=SUBMITTED]", has_text="PAYLOAD_POWER")
        number = item.first.get_attribute("data-telecommand")
        page.click(f"#approve-{number}")
        # The browser itself stops the form at the empty box.
        assert page.evaluate(f"document.getElementById('hazard-{number}').matches(':invalid')")
        page.check(f"#hazard-{number}")
        page.click(f"#approve-{number}")
        assert f"PAYLOAD_POWER #{number} is approved" in page.text_content("#messages")


class TestAJob:
    def test_result_is_read_and_downloaded(self, signed_in):
        page = signed_in("mei", "/jobs/")
        page.click("#jobs tr[data-job='1'] a")
        assert "width: 64" in page.text_content("#result-preview")
        with page.expect_download() as download:
            page.click("#result-download")
        assert download.value.suggested_filename == "job-1.out"
        with open(download.value.path(), "rb") as stream:
            assert json.load(stream)["height"] == 48

    def test_is_submitted_with_a_file(self, signed_in):
        page = signed_in("mei", "/jobs/")
        page.check("input[name=program][value=SHA256]")
        page.set_input_files(
            "#job-input",
            {"name": "input.bin", "mimeType": "application/octet-stream", "buffer": b"octets"},
        )
        page.click("#submit-job button")
        assert "is taken" in page.text_content("#messages")
        assert page.locator("#part-job[data-state=SUBMITTED]").count() == 1


class TestTheKeyboardAlone:
    def test_signs_in_and_approves(self, open_page, signed_in):
        number = submit_ping(signed_in("alice"))
        page = open_page("/commands/")
        keys = page.keyboard
        # A person sees the caret; what is typed before it is there goes nowhere.
        page.wait_for_function("() => document.activeElement.id === 'id_username'")
        keys.type("bob")
        keys.press("Tab")
        keys.type("a pass-phrase for the tests")
        keys.press("Enter")
        page.wait_for_selector("#telecommands")
        keys.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        keys.press("Enter")
        for _ in range(40):
            keys.press("Tab")
            if page.evaluate("document.activeElement.id") == f"approve-{number}":
                break
        keys.press("Enter")
        page.wait_for_selector("#messages")
        assert f"PING #{number} is approved" in page.text_content("#messages")


class TestTheClock:
    def test_goes_on_by_itself(self, signed_in):
        page = signed_in("alice")
        before = page.text_content("[data-clock=time]")
        page.wait_for_function(
            "before => document.querySelector('[data-clock=time]').textContent !== before",
            arg=before,
        )
        assert page.text_content("[data-clock=time]") > before

    def test_runs_faster_in_every_open_page_when_it_is_set(self, signed_in):
        other, page = signed_in("bob"), signed_in("alice")
        for factor, shown in (("30", "30\u00d7"), ("1", "1\u00d7")):
            page.click(".clock-button")
            page.fill("#clock-factor", factor)
            page.click("#set-clock")
            page.wait_for_selector("#messages")
            other.wait_for_function(
                "shown => document.querySelector('[data-clock=factor]').textContent === shown",
                arg=shown,
            )


class TestEveryPage:
    @pytest.mark.parametrize("address", PAGES)
    def test_makes_the_browser_complain_of_nothing(self, signed_in, address):
        page = signed_in("alice", address)
        page.wait_for_load_state("networkidle")

    @pytest.mark.parametrize("address", PAGES)
    def test_fits_a_telephone(self, signed_in, address):
        page = signed_in("alice", address, viewport=NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

    def test_is_reached_by_the_menu_on_a_telephone(self, signed_in):
        page = signed_in("alice", viewport=NARROW)
        page.click(".menu-button")
        page.click("#sections >> text=Stations")
        page.wait_for_selector("#map [data-spacecraft-name=DD-1]")
