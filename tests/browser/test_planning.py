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


class TestSky:
    def test_moves_the_spacecraft_along_its_track_while_it_is_up(self, signed_in):
        page = signed_in("alice", "/passes/1/")
        marker = page.locator("#sky .sky-now")
        page.wait_for_selector("#sky .sky-now[visibility=visible]")
        before = marker.get_attribute("transform")
        page.wait_for_function(
            "([marker, before]) => marker.getAttribute('transform') !== before",
            arg=[marker.element_handle(), before],
        )
        page.click("text=1 min")
        page.wait_for_selector("#look-angles tr[data-event=TCA]")
        assert page.locator("#look-angles tbody tr").count() < 20


class TestContactRequests:
    def test_are_asked_for_by_the_form_and_withdrawn(self, signed_in):
        page = signed_in("mei", "/passes/")
        page.click("text=Requests")
        page.click("#ask")
        page.fill("#request-minimum-count", "3")
        page.click("text=What it is worth")
        page.fill("#request-value", "55.5")
        page.click("#request-form button[type=submit]")
        page.wait_for_selector("#messages >> text=is filed")
        row = page.locator("#contact-requests tbody tr").first
        row.locator("button").click()
        page.wait_for_selector("#contact-requests tr[data-state=WITHDRAWN]")
