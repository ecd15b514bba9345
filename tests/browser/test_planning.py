"""Plans and the timeline, in a real browser."""

from __future__ import annotations

from tests.browser.conftest import PASSWORD


def rows(page) -> int:
    return page.locator("#timeline-table tbody tr").count()


class TestTimeline:
    def test_draws_what_is_in_view_and_lists_it(self, signed_in):
        page = signed_in("mei", "/timeline/")
        page.wait_for_function("Number(document.querySelector('#timeline').dataset.drawn) > 3")
        page.wait_for_selector("#timeline-table [data-key=live]")
        page.wait_for_selector("#timeline-table [data-key=booked]")
        page.wait_for_selector("#timeline-table [data-key=opportunity]")

    def test_is_gone_through_with_the_keyboard_alone(self, signed_in):
        page = signed_in("mei", "/timeline/")
        page.wait_for_selector("#timeline[data-drawn]")
        page.focus("#timeline")
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "document.querySelector('#timeline-selected').textContent.includes('DD-1 on ')"
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
    def test_is_approved_after_a_fresh_proof_and_published(self, signed_in, installation):
        page = signed_in("gus", "/plans/")
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
