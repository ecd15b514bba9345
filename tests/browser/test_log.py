"""Checking the log in the browser itself, and the witness board."""

from __future__ import annotations

import json
import re

import pytest

from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from tests.browser import members
from tests.browser.conftest import NARROW
from tests.browser.looks import NAMELESS, TOO_FAINT

ENTRY = 40  # some entry of the scene, published and settled


def verify(page):
    """Press the button and return what it comes to, in a word and in words."""
    page.click("#verify")
    page.wait_for_selector("#verify:not([disabled])")
    verdict = page.locator("#verdict")
    return verdict.get_attribute("data-result"), verdict.text_content()


def results(page, attribute):
    rows = page.locator(f"[{attribute}]")
    return {row.get_attribute(attribute): row.get_attribute("data-result") for row in rows.all()}


def tamper(page, address, change):
    """Let the browser get something else from *address* than the server sends."""

    def answer(route):
        given = route.fetch()
        route.fulfill(response=given, body=change(given.body()))

    page.route(re.compile(address), answer)


def flip(octets, place):
    return octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]


class TestVerifyInThisBrowser:
    def test_does_every_step_and_finds_it_right(self, signed_in):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        assert results(page, "data-step")["leaf"] is None
        result, words = verify(page)
        assert result == "right"
        assert re.search(r"the log and \d\d of its members signed the root", words)
        steps, signatures = results(page, "data-step"), results(page, "data-signature")
        assert {"leaf", "1", "root"} <= set(steps)
        assert set(steps.values()) | set(signatures.values()) == {"right"}
        assert len(signatures) >= 20

    @pytest.mark.parametrize("index", [0, 1, 63, 64, 90])
    def test_does_so_for_any_entry(self, signed_in, index):
        assert verify(signed_in("alice", f"/audit/{index}/"))[0] == "right"

    def test_refuses_an_entry_of_which_an_octet_was_changed(self, signed_in):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        tamper(page, rf"/audit/{ENTRY}/entry$", lambda octets: flip(octets, 20))
        result, words = verify(page)
        assert (result, words[:8]) == ("wrong", "Refused:")
        steps = results(page, "data-step")
        assert set(steps.values()) == {"wrong"}
        assert "are not those that this page shows" in page.text_content("[data-step=leaf]")

    def test_refuses_a_receipt_with_another_sibling_and_shows_where(self, signed_in):
        def change(octets):
            lines = octets.split(b"\n")
            lines[3] = b"A" * 43 + b"="  # the sibling of step 2
            return b"\n".join(lines)

        page = signed_in("alice", f"/audit/{ENTRY}/")
        tamper(page, rf"/audit/{ENTRY}/proof", change)
        assert verify(page)[0] == "wrong"
        steps = results(page, "data-step")
        assert (steps["leaf"], steps["1"], steps["2"]) == ("right", "right", "wrong")
        assert steps["root"] == "wrong"

    @pytest.mark.parametrize("kind", ["log", "witness"])
    def test_refuses_a_signature_that_was_changed(self, signed_in, kind):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        row = page.locator(f"[data-signature][data-kind={kind}]").last
        name = row.get_attribute("data-signature").rsplit("+", 1)[0]

        def change(octets):
            return re.sub(
                rf"(\u2014 {re.escape(name)} \S{{60}})(.)",
                lambda found: found[1] + ("B" if found[2] == "A" else "A"),
                octets.decode(),
            ).encode()

        tamper(page, rf"/audit/{ENTRY}/proof", change)
        assert verify(page)[0] == "wrong"
        assert row.get_attribute("data-result") == "wrong"
        assert "is wrong" in row.text_content()
        assert results(page, "data-step")["root"] == "right"

    def test_refuses_a_log_that_now_shows_another_history(self, signed_in):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        other = "missioncontrol.local/log\n{size}\n{root}\n\n\u2014 x AAAA\n"
        size = page.get_attribute("#proof", "data-size")
        forked = other.format(size=size, root="A" * 43 + "=").encode()
        tamper(page, "/api/v1/audit/checkpoint", lambda _octets: forked)
        assert verify(page)[0] == "wrong"
        assert "two histories" in page.text_content("[data-signature=growth]")

    def test_refuses_another_key_than_ones_own(self, signed_in):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        page.click("text=With your own copy of the log's key")
        page.fill("#own-vkey", log_key("missioncontrol.local/log"))
        assert verify(page)[0] == "wrong"
        assert "No line is a signature by the log's key" in page.text_content("#signatures")
        for text, told in (
            (members.witness_key(0).verifier.to_vkey(), "is a witness's; the log's is needed."),
            (log_key("other.example/log"), "the key is that of other.example/log."),
            ("nonsense", "no public key: it is written name+identifier+key."),
        ):
            page.fill("#own-vkey", text)
            result, words = verify(page)
            assert (result, words.startswith("Refused: "), told in words) == ("wrong", True, True)
        page.fill("#own-vkey", page.evaluate(_SERVED_KEY))
        assert verify(page)[0] == "right"

    def test_proves_that_a_log_which_grew_meanwhile_begins_with_this_tree(
        self, signed_in, installation
    ):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        publish(installation)
        assert verify(page)[0] == "right"
        told = page.text_content("[data-signature=growth]")
        assert re.search(r"It has grown to \d+ entries and begins with this tree", told)

    def test_decides_nothing_where_a_document_cannot_be_had(self, signed_in, complaints):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        page.route(re.compile("/api/v1/audit/log"), lambda route: route.fulfill(status=503))
        result, words = verify(page)
        assert (result, words[:20]) == ("open", "Nothing was decided.")
        complaints.lines.clear()

    def test_says_so_where_the_browser_knows_no_ed25519(self, signed_in):
        page = signed_in("alice", f"/audit/{ENTRY}/")
        page.evaluate(
            "() => { crypto.subtle.importKey = () => Promise.reject(new Error('unknown')); }"
        )
        result, words = verify(page)
        assert result == "open"
        assert "The hashes lead to the root." in words
        assert set(results(page, "data-signature").values()) == {"open"}


def log_key(name):
    key = SigningKey(name=name, type=KeyType.ED25519, seed=bytes(32))
    return key.verifier.to_vkey()


_SERVED_KEY = "async () => (await (await fetch('/api/v1/audit/log')).json()).vkey"


def publish(installation):
    code = "from tests.browser import members; members.publish()"
    installation.manage("shell", "--no-imports", "-c", code)


class TestTheExplorer:
    def test_keeps_what_was_asked_for_in_the_address(self, signed_in):
        page = signed_in("alice", "/audit/")
        page.select_option("#filter-action", "telecommand.submit")
        page.fill("#filter-actor", "bob")
        page.click("#entry-filters button")
        page.wait_for_selector("#clear-filters")
        assert "action=telecommand.submit" in page.url
        actors = page.locator("#entries tbody td:nth-child(5)").all_text_contents()
        assert actors
        assert all("operator:bob" in each for each in actors)

    def test_gives_what_it_shows_as_a_file(self, signed_in):
        page = signed_in("alice", "/audit/?action=telecommand.submit")
        page.click("text=Take away…")
        with page.expect_download() as download:
            page.click("[data-export=jsonl]")
        assert download.value.suggested_filename == "log-entries.jsonl"
        with open(download.value.path()) as stream:
            lines = [json.loads(line) for line in stream]
        assert lines
        assert {json.loads(line["entry"])["action"] for line in lines} == {"telecommand.submit"}

    def test_leads_to_an_entry_and_its_octets(self, signed_in):
        page = signed_in("mei", "/audit/?action=job.submit")
        page.click("#entries tbody th a >> nth=-1")
        assert page.locator("#private[data-private=readable]").count() == 1
        assert "IMAGE_STATISTICS" in page.text_content("#private")
        with page.expect_download() as download:
            page.click("text=Save the octets")
        with open(download.value.path(), "rb") as stream:
            assert stream.read().decode() == page.text_content("#octets-shown")


class TestTheWitnessBoard:
    def test_lets_a_witness_be_registered_and_retired(self, signed_in):
        page = signed_in("ada", "/audit/witnesses/")
        page.fill("#witness-name", "spare")
        page.select_option("#witness-organisation", "insurer-1")
        page.fill("#witness-vkey", "no key at all")
        page.fill("#witness-url", "https://witness.insurer.example")
        page.click("#register-witness")
        assert "This is no witness's key." in page.text_content("#register-error")
        page.fill("#witness-vkey", members.witness_key(99).verifier.to_vkey())
        page.click("#register-witness")
        assert "spare of Insurer One" in page.text_content("#messages")
        row = page.locator("tr[data-witness=spare]")
        assert row.get_attribute("data-state") == "never"
        row.locator("summary").click()
        page.click("#retire-spare")
        assert "spare is retired" in page.text_content("#messages")
        assert "24 of 24" not in page.text_content("#quorum-words")


PAGES = {
    "/audit/": "ada",
    f"/audit/{ENTRY}/": "ada",
    "/audit/witnesses/": "ada",
    "/webhooks/": "lena",
    "/webhooks/1/": "lena",
    "/webhooks/new/": "lena",
    "/webhooks/1/change/": "lena",
}


class TestEveryPage:
    @pytest.mark.parametrize("address", PAGES)
    def test_is_read_and_worked_by_everybody(self, signed_in, address):
        page = signed_in(PAGES[address], address)
        if page.locator("#verify").count():
            verify(page)
        page.evaluate(
            "document.querySelectorAll('main details').forEach((each) => each.open = true)"
        )
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(TOO_FAINT) == []

    @pytest.mark.parametrize("address", PAGES)
    def test_fits_a_telephone(self, signed_in, address):
        page = signed_in(PAGES[address], address, viewport=NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
