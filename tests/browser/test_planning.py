"""Plans and the timeline, in a real browser."""

from __future__ import annotations

from tests.browser.conftest import PASSWORD


def rows(page) -> int:
    return page.locator("#timeline-table tbody tr").count()


class TestTimeline:
    def test_draws_what_is_in_view_and_lists_it(self, signed_in):
        page = signed_in("mei", "/timeline/")
        page.wait_for_function(
            "() => Number(document.querySelector('#timeline').dataset.drawn) > 3"
        )
        page.wait_for_selector("#timeline-table [data-key=live]")
        page.wait_for_selector("#timeline-table [data-key=booked]")
        page.wait_for_selector("#timeline-table [data-key=opportunity]")

    def test_is_gone_through_with_the_keyboard_alone(self, signed_in):
        page = signed_in("mei", "/timeline/")
        page.wait_for_selector("#timeline[data-drawn]")
        page.focus("#timeline")
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "() => document.querySelector('#timeline-selected').textContent.includes('DD-1 on ')"
        )
        first = page.text_content("#timeline-selected")
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "seen => document.querySelector('#timeline-selected').textContent !== seen", arg=first
        )
        page.wait_for_selector("#timeline-table tr[data-chosen]")

    def test_opens_a_pass_with_enter(self, signed_in):
        page = signed_in("mei", "/timeline/")
        page.wait_for_selector("#timeline[data-drawn]")
        page.focus("#timeline")
        page.keyboard.press("ArrowRight")
        for _ in range(40):
            if ", opportunity," not in page.text_content("#timeline-selected"):
                break
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_url("**/passes/*/")

    def test_shows_a_row_for_each_spacecraft_instead(self, signed_in):
        page = signed_in("mei", "/timeline/")
        page.wait_for_selector("#timeline[data-drawn]")
        tall = page.evaluate("document.querySelector('#timeline').clientHeight")
        page.click("[data-by=spacecraft]")
        page.wait_for_function(
            "tall => document.querySelector('#timeline').clientHeight < tall", arg=tall
        )

    def test_shows_more_where_the_interval_is_wider(self, signed_in):
        page = signed_in("mei", "/timeline/")
        page.wait_for_selector("#timeline[data-drawn]")
        drawn = int(page.get_attribute("#timeline", "data-drawn"))
        page.click("[data-move=wider]")
        page.wait_for_function(
            "drawn => Number(document.querySelector('#timeline').dataset.drawn) > drawn", arg=drawn
        )


class TestPlan:
    def test_is_approved_after_a_fresh_proof_and_published(self, sign_in, installation):
        page = sign_in("gus", "/plans/")
        page.click("#plans tr[data-plan] a")
        page.wait_for_selector("#changes tr[data-kind=DROPPED]")
        installation.make_stale("gus")
        page.click("#approve-plan")
        page.fill("input[type=password]", PASSWORD)
        page.click("#confirm button")
        page.wait_for_selector("#publish-plan")
        page.click("#publish-plan")
        page.wait_for_selector("h1 + .status >> text=published")

    def test_is_proposed_by_the_form(self, signed_in):
        page = signed_in("fay", "/plans/")
        page.select_option("#plan-hours", "12")
        page.click("#propose-plan button")
        page.wait_for_selector("h1 + .status >> text=proposed")
        assert "is proposed" in page.text_content("#messages")

    def test_follows_an_outage_that_is_declared_and_lifted(self, signed_in):
        page = signed_in("fay", "/plans/")
        page.fill("#outage-reason", "Wind above 25 m/s")
        page.click("#declare-outage button")
        row = page.locator("#outages tr", has_text="Wind above 25 m/s")
        row.wait_for()
        row.locator("button").click()
        page.wait_for_selector("#messages >> text=serves again")


def choose(page, state):
    """Go along the rows until something in a state is chosen."""
    page.focus("#timeline")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
        if f", {state}, " in page.text_content("#timeline-selected"):
            return page.text_content("#timeline-selected")
    raise AssertionError(f"nothing is {state}")


class TestWish:
    def test_is_asked_by_key_and_answered_beneath_the_timeline(self, signed_in):
        page = signed_in("ines", "/timeline/")
        page.wait_for_selector("#timeline[data-drawn]")
        page.wait_for_selector("#wish-propose[disabled]")
        choose(page, "opportunity")
        page.wait_for_selector("#wish-propose >> text=Propose to book")
        page.keyboard.press("p")
        page.wait_for_selector("#timeline-changes >> text=as was asked")
        page.wait_for_selector("#timeline-table [data-key=added]")
        assert "?plan=" in page.url
        # A worker would tell its page; the address shows the same.
        page.reload()
        page.wait_for_selector("#timeline-table [data-key=added]")
        page.click("#part-timeline-plan a >> text=Open plan")
        page.wait_for_selector("#pins >> text=is booked, for")

    def test_moves_a_pass_that_is_dragged_to_another_window(self, signed_in):
        page = signed_in("hugo", "/timeline/")
        page.wait_for_selector("#timeline[data-drawn]")
        page.click("[data-by=spacecraft]")
        passes, windows = marks(page, "booked"), marks(page, "opportunity")
        page.mouse.move(*passes[0])
        page.mouse.down()
        page.mouse.move(*windows[-1], steps=4)
        page.wait_for_selector("#timeline[data-carrying]")
        page.mouse.up()
        page.wait_for_selector("#timeline-table [data-key=freed]")
        page.wait_for_selector("#timeline-table [data-key=added]")
        # Both halves of the wish. How the rest of the plan answers depends on what is booked.
        page.wait_for_selector("#part-timeline-plan >> text=/is booked, .+ is left free/")
        page.wait_for_selector("#timeline-changes >> text=as was asked")


def marks(page, state):
    """Where items of a state are drawn, by the table: x and y of their middles in the page."""
    page.wait_for_selector(f"#timeline-table [data-key={state}]")
    return page.evaluate(PLACES, state)


# The canvas tells nothing of its items; their places follow from what it is drawn from.
PLACES = """async (state) => {
  const canvas = document.getElementById("timeline");
  const data = await (await fetch(canvas.dataset.itemsUrl)).json();
  const box = canvas.getBoundingClientRect();
  const nowS = (globalThis.missionClock.nowMs() - data.begins_ms) / 1000;
  const [fromS, spanS, width] = [nowS - 7200, 43200, box.width - 128];
  const { begins_s: begins, lasts_s: lasts, state: states } = data.items;
  return begins
    .map((at, item) => [at + lasts[item] / 2, data.states[states[item]]])
    .filter(([at, is]) => is === state && at > nowS + 3600 && at < fromS + spanS)
    .filter(([at]) => begins.filter((one, item) => one < at && at < one + lasts[item]).length < 2)
    .map(([at]) => [box.left + 128 + ((at - fromS) / spanS) * width, box.top + 26 + 12]);
}"""
