"""The sky of a pass, asking for contacts, and reservations, in a real browser."""

from __future__ import annotations

from tests.browser.conftest import NARROW


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


class TestReservations:
    def test_are_given_back_after_a_second_look_also_on_a_telephone(self, signed_in):
        page = signed_in("alice", "/stations/", viewport=NARROW)
        page.click("main >> text=Reservations")
        page.click("#reservations summary")
        page.click("text=Give it back")
        page.wait_for_selector("#messages >> text=is given back")
        page.wait_for_selector("#reservations tr[data-state=CANCELLING]")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
