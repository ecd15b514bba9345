"""Plots, packets and gaps in a real browser, on packets that were received."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import redis

from tests.browser.conftest import NARROW
from tests.browser.looks import NAMELESS, TOO_FAINT

WIDE = {"width": 1500, "height": 1000}
STILL = "/telemetry/DD-1/?plot=PWR_BATT_V&start=2026-12-01T11:30:00Z&end=2026-12-01T12:30:00Z"
# How many dots of a canvas have the colour of "caution".
YELLOW = """(node) => {
    const copy = Object.assign(document.createElement("canvas"), {
        width: node.width, height: node.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(node, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4)
        found += data[at] > 200 && data[at + 1] > 180 && data[at + 2] < 110;
    return found;
}"""
AT_CURSOR = "#plot-table tr[data-plotted={}] [data-cursor-value]"


def plotted(signed_in, address=STILL):
    page = signed_in("alice", address, viewport=WIDE)
    page.wait_for_selector("#plot canvas")
    page.wait_for_selector("#plot:not([aria-busy])")
    return page


def seen(page) -> tuple[str, str]:
    """What the page says that it shows."""
    return tuple(page.text_content("#plot-view").removesuffix(", following").split(" to "))


def drag(page, begin: float, end: float, *, key: str | None = None) -> None:
    box = page.locator("#plot .u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    if key:
        page.keyboard.down(key)
    page.mouse.move(box["x"] + box["width"] * begin, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (begin + end) / 2, y)
    page.mouse.move(box["x"] + box["width"] * end, y)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


class TestPlots:
    def test_zoom_to_what_is_dragged_over_and_fetch_it_in_finer_parts(self, signed_in):
        page = plotted(signed_in)
        assert seen(page) == ("2026-12-01 11:30:00Z", "2026-12-01 12:30:00Z")
        with page.expect_request(lambda request: "/samples?" in request.url) as asked:
            drag(page, 0.25, 0.5)
        query = parse_qs(urlsplit(asked.value.url).query)
        assert query["parameter"] == ["PWR_BATT_V"]
        assert query["start"][0].startswith("2026-12-01T11:4")
        assert query["end"][0].startswith(("2026-12-01T11:59", "2026-12-01T12:00"))
        assert seen(page)[0].startswith("2026-12-01 11:4")

    def test_show_the_same_to_who_gets_the_address(self, signed_in):
        page = plotted(signed_in)
        drag(page, 0.25, 0.5)
        page.wait_for_url(re.compile("start=2026-12-01T11%3A4"))
        zoomed, address = seen(page), page.url
        page.goto(address)
        page.wait_for_selector("#plot canvas")
        assert seen(page) == zoomed

    def test_move_under_the_hand_and_by_keys(self, signed_in):
        page = plotted(signed_in)
        drag(page, 0.25, 0.75, key="Shift")
        first, last = seen(page)
        assert first.startswith(("2026-12-01 10:59", "2026-12-01 11:00"))
        assert last.startswith(("2026-12-01 11:59", "2026-12-01 12:00"))
        page.focus("#plot")
        page.keyboard.press("PageDown")
        assert seen(page)[1].startswith(("2026-12-01 12:29", "2026-12-01 12:30"))
        page.keyboard.press("+")
        assert seen(page)[0].startswith("2026-12-01 11:4")

    def test_say_the_values_at_the_cursor_to_the_mouse_and_to_keys(self, signed_in):
        page = plotted(signed_in, f"{STILL}&plot=CMP_GPU0_T")
        box = page.locator("#plot .u-over").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 50)
        assert page.text_content("#plot-cursor").startswith("2026-12-01 12:2")
        assert page.text_content(AT_CURSOR.format("CMP_GPU0_T")) == "96"
        assert page.text_content(AT_CURSOR.format("PWR_BATT_V")).startswith("46.2")
        page.mouse.move(0, 0)
        assert page.text_content(AT_CURSOR.format("CMP_GPU0_T")) == ""
        page.focus("#plot")
        page.keyboard.press("ArrowRight")
        assert page.text_content(AT_CURSOR.format("CMP_GPU0_T")) == "96"

    def test_reach_over_years(self, signed_in):
        page = plotted(signed_in)
        with page.expect_request(lambda request: "/samples?" in request.url) as asked:
            page.click("button[data-span-s='157788000']")
        assert parse_qs(urlsplit(asked.value.url).query)["start"][0].startswith("2021-12-01")
        assert page.get_attribute("button[data-span-s='157788000']", "aria-pressed") == "true"
        row = page.text_content("#plot-table tr[data-plotted=PWR_BATT_V]")
        assert "46.2" in row  # the least value is still there, however wide a part is

    def test_draw_the_limits_until_they_are_not_wanted(self, signed_in):
        page = plotted(signed_in)
        page.mouse.move(0, 0)
        page.wait_for_timeout(200)
        assert page.locator("#plot canvas").evaluate(YELLOW) > 200
        page.uncheck("#plot-limits")
        page.wait_for_timeout(200)
        assert page.locator("#plot canvas").evaluate(YELLOW) == 0

    def test_draw_a_limit_only_as_long_as_its_context_held(self, signed_in):
        whole, half = (self.yellow_of(signed_in, held_s) for held_s in (3600, 1800))
        assert 100 < half < 0.75 * whole

    def yellow_of(self, signed_in, held_s: int) -> int:
        """How much of a plot of an hour is yellow, whose limits held for some of it only."""

        def answer(route):
            told = route.fetch().json()
            begin_s = told["times_s"][0]
            for limit in told["limits"]:
                limit |= {"from_s": begin_s, "to_s": begin_s + held_s}
            route.fulfill(json=told)

        page = signed_in("alice", "/telemetry/DD-1/gaps/", viewport=WIDE)
        page.route("**/samples?*", answer)
        page.goto(page.url.removesuffix("/telemetry/DD-1/gaps/") + STILL)
        page.wait_for_selector("#plot canvas")
        page.wait_for_selector("#plot:not([aria-busy])")
        page.mouse.move(0, 0)
        page.wait_for_timeout(200)
        return page.locator("#plot canvas").evaluate(YELLOW)

    def test_are_saved_as_they_are_seen(self, signed_in):
        page = plotted(signed_in, f"{STILL}&plot=CMP_GPU0_T")
        with page.expect_download() as download:
            page.click("#plot-csv")
        rows = list(csv.DictReader(StringIO(download.value.path().read_text())))
        assert {row["parameter"] for row in rows} == {"PWR_BATT_V", "CMP_GPU0_T"}
        assert min(row["time"] for row in rows) >= "2026-12-01T11:30:00"
        assert min(float(row["minimum"]) for row in rows) == 46.2

    def test_follow_what_comes_in_unless_they_stand_still(self, signed_in, installation):
        page = plotted(signed_in, "/telemetry/DD-1/?plot=PWR_BUS_I")
        greatest = "#plot-table tr[data-plotted=PWR_BUS_I] td:nth-of-type(3)"
        message = {
            "type": "telemetry",
            "spacecraft": "DD-1",
            "values": {"PWR_BUS_I": {"v": 77.5, "s": "normal", "t": "2026-12-01T12:26:10.000Z"}},
        }
        with redis.Redis.from_url(installation.redis_url) as broker:
            broker.publish("live", json.dumps(message))
        page.wait_for_selector(f"{greatest}:text-is('77.5')")


class TestPackets:
    def test_are_found_by_apid_and_opened(self, signed_in):
        page = signed_in("alice", "/telemetry/DD-1/packets/", viewport=WIDE)
        page.fill("#filter-apid", "100")
        page.click("text=Show")
        names = page.locator("#packets tbody td:nth-child(4)").all_text_contents()
        assert set(names) == {"PowerHousekeeping"}
        page.click("#packets tbody tr:first-child a")
        assert re.search(r"PowerHousekeeping \d+", page.text_content("h1"))

    def test_mark_the_octets_of_what_is_pointed_at_and_say_what_it_is(self, signed_in):
        page = self.battery_packet(signed_in)
        number = self.number_of(page, "PWR_BATT_V")
        page.hover(f"#octets td[data-fields='{number}'] >> nth=0")
        assert page.text_content("#field-told") == "PWR_BATT_V: raw 46200, value 46.2 V"
        assert page.locator("#octets td[data-lit]").all_text_contents() == ["b4", "78"]
        assert page.locator("#fields tr[data-lit] .field-name").text_content() == "PWR_BATT_V"
        page.hover("h1")
        assert page.locator("[data-lit]").count() == 0

    def test_mark_them_for_keys_too(self, signed_in):
        page = self.battery_packet(signed_in)
        page.focus("text=PWR_BATT_V >> visible=true")
        assert page.text_content("#field-told").startswith("PWR_BATT_V: raw 46200")
        assert page.locator("#octets td[data-lit]").all_text_contents() == ["b4", "78"]

    def test_read_well_and_fit_a_telephone(self, signed_in):
        page = self.battery_packet(signed_in)
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(TOO_FAINT) == []
        page.set_viewport_size(NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

    @staticmethod
    def battery_packet(signed_in):
        address = "/telemetry/DD-1/packets/?apid=100&before=2026-12-01T12:26:00"
        page = signed_in("alice", address, viewport=WIDE)
        page.click("#packets tbody tr:first-child a")
        page.wait_for_selector("#octets td[data-fields]")
        page.wait_for_load_state("networkidle")
        return page

    @staticmethod
    def number_of(page, name: str) -> str:
        row = page.locator("#fields tr[data-field]").filter(has_text=name)
        return row.get_attribute("data-field")


class TestGaps:
    def test_are_shown_with_what_is_missing_beside_the_frames_that_were_lost(self, signed_in):
        page = signed_in("alice", "/telemetry/DD-1/gaps/", viewport=WIDE)
        row = page.locator("#gaps tr[data-gap='100']").all_text_contents()[-1]
        assert "2026-12-01 11:55:50Z2026-12-01 11:56:10Z1" in row
        assert "2381" in page.locator("#sessions tbody tr").first.text_content()
