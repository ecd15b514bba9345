"""The audit explorer: filters, one entry with its proof, its private part, files."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.opening import parse_opening, verify_opening
from missioncontrol.audit.merkle.receipt import parse_receipt
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import sequence_entries
from missioncontrol.console.views import audit
from tests.integration.missioncontrol.audit.log_entries import append
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import make_stale, told
from tests.signing_in import PASSWORD

REASON = "asked for by the person whom it is about"


@pytest.fixture
def entries(mission):
    """What the filters tell apart, under a checkpoint."""
    made = [
        *append(1, action="job.submit", subject="job:1", actor="operator:mei", at=AT),
        *append(
            1,
            action="job.complete",
            subject="job:1",
            actor="process:jobs",
            organisation="ai-laboratory-1",
            at=AT + timedelta(hours=1),
            private={"program": "SHA256"},
        ),
        *append(
            1,
            action="job.complete",
            subject="job:12",
            actor="operator:mei",
            at=AT + timedelta(days=1),
        ),
    ]
    publish()
    for each in made:
        each.refresh_from_db()
    return made


def publish():
    while sequence_entries(at=AT):
        pass


@pytest.fixture
def lena(person):
    return person("lena", Role.ADMINISTRATOR, member_of="ai-laboratory-1")


@pytest.fixture
def browser(alice, entries, browser_of):
    return browser_of(alice)


def page_of(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def shown(page):
    return re.findall(r'<tr data-entry="(\w+)"', page)


def streamed(answer):
    async def read():
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(read)().decode()


class TestTheList:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("action=job.complete", [2, 1]),
            ("action=job.complete&actor=mei", [2]),
            ("actor=process:jobs", [1]),
            ("organisation=ai-laboratory-1&action=job.complete", [1]),
            ("subject=job:1", [1, 0]),
            ("q=job:1", [1, 0]),
            ("q=JOB:1&action=job.complete&subject=job:12", [2]),
            ("q=MEI&action=job.submit", [0]),
            ("action=job.complete&since=2026-12-02T12:00", [2]),
            ("subject=job:1&until=2026-12-01T12:30", [0]),
            ("subject=job:1&since=2026-12-01T14:00%2B01:00", [1]),
            ("subject=job:99", []),
            ("actor=%00", None),
        ],
    )
    def test_is_what_the_address_asks_for(self, browser, entries, query, found):
        page = page_of(browser, f"/audit/?{query}")
        if found is not None:
            assert shown(page) == [str(entries[each].log_index) for each in found]

    def test_keeps_the_filters_in_the_form(self, browser):
        page = page_of(browser, "/audit/?action=job.submit&organisation=operator&since=2026-12-01")
        assert "<option selected>job.submit</option>" in page
        assert '<option value="operator" selected>' in page
        assert 'value="2026-12-01"' in page
        assert 'id="clear-filters"' in page

    def test_says_which_time_is_none_and_shows_nothing(self, browser):
        answer = browser.get("/audit/?until=tomorrow")
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Before: &#x27;tomorrow&#x27; is no time." in page.split('id="filter-error"')[1]
        assert shown(page) == []
        assert "data-export" not in page

    def test_goes_on_in_pages_with_the_same_filters(self, browser):
        append(60, action="test.write", subject="n:1")
        page = page_of(browser, "/audit/?action=test.write")
        [older] = re.findall(r'href="(/audit/\?action=test.write&amp;cursor=\d+)">Older', page)
        assert len(shown(page)) == 50
        second = page_of(browser, older.replace("&amp;", "&"))
        assert len(shown(second)) == 10
        assert 'href="/audit/?action=test.write">Newer' in second

    def test_leads_to_those_that_wait_by_their_leaf_hash(self, browser):
        [waiting] = append(1, action="test.write")
        page = page_of(browser, "/audit/?action=test.write")
        assert shown(page) == ["pending"]
        address = f"/audit/leaf/{bytes(waiting.leaf_hash).hex()}/"
        assert address in page
        entry = page_of(browser, address)
        assert "waits for the next published checkpoint" in entry
        assert 'id="verify"' not in entry
        publish()
        waiting.refresh_from_db()
        assert browser.get(address)["Location"] == f"/audit/{waiting.log_index}/"

    @pytest.mark.parametrize("text", ["00" * 32, "00", "no-hash"])
    def test_finds_no_leaf_that_was_never_logged(self, browser, text):
        assert browser.get(f"/audit/leaf/{text}/").status_code == 404


class TestAFile:
    def test_of_json_lines_holds_what_was_hashed(self, browser, entries):
        answer = browser.get("/audit/export?as=jsonl&subject=job:1")
        assert answer["Content-Disposition"] == 'attachment; filename="log-entries.jsonl"'
        lines = [json.loads(line) for line in streamed(answer).splitlines()]
        assert [line["log_index"] for line in lines] == [
            entries[1].log_index,
            entries[0].log_index,
        ]
        for line in lines:
            assert leaf_hash(line["entry"].encode()).hex() == line["leaf_hash"]

    def test_of_csv_has_a_column_for_each_field(self, browser, entries):
        answer = browser.get("/audit/export?as=csv&subject=job:12")
        [row] = csv.DictReader(io.StringIO(streamed(answer)))
        assert (row["log_index"], row["actor"]) == (str(entries[2].log_index), "operator:mei")
        assert row["at"] == "2026-12-02T12:00:00Z"
        assert json.loads(row["entry"])["subject"] == "job:12"

    def test_is_written_page_by_page_to_the_last(self, browser, monkeypatch):
        append(7, action="test.write")
        monkeypatch.setattr(audit.selectors, "MAX_PAGE", 3)
        answer = browser.get("/audit/export?action=test.write")
        assert len(streamed(answer).splitlines()) == 7

    def test_says_in_its_name_where_it_was_cut(self, browser, monkeypatch):
        append(7, action="test.write")
        monkeypatch.setattr(audit, "MAX_EXPORTED", 5)
        answer = browser.get("/audit/export?action=test.write")
        assert 'filename="log-newest-5.jsonl"' in answer["Content-Disposition"]
        assert len(streamed(answer).splitlines()) == 5

    def test_is_refused_with_the_reason(self, browser):
        assert browser.get("/audit/export?as=xml").status_code == 404
        answer = browser.get("/audit/export?since=never")
        assert (answer.status_code, answer.content[:13]) == (422, b"From: 'never'")


class TestAnEntry:
    def test_is_shown_with_its_proof_step_by_step(self, browser, entries):
        entry = entries[0]
        page = page_of(browser, f"/audit/{entry.log_index}/")
        receipt = parse_receipt(browser.get(f"/audit/{entry.log_index}/proof").content)
        steps = re.findall(r'<li data-step="(\w+)" data-hash="([0-9a-f]{64})"', page)
        numbers = [str(number) for number in range(1, len(receipt.proof) + 1)]
        assert [name for name, _ in steps] == ["leaf", *numbers, "root"]
        assert steps[0][1] == bytes(entry.leaf_hash).hex()
        assert steps[-1][1] == steps[-2][1]
        for sibling in receipt.proof:
            assert f'class="sibling">{sibling.hex()}<' in page
        assert "The log itself" in page
        assert "&quot;subject&quot;: &quot;job:1&quot;" in page

    def test_gives_the_receipt_of_the_very_tree_that_it_shows(self, browser, entries):
        address = f"/audit/{entries[0].log_index}/"
        page = page_of(browser, address)
        [receipt_url] = re.findall(r'data-receipt-url="([^"]+)"', page)
        append(5)
        publish()
        now, then = browser.get(f"{address}proof").content, browser.get(receipt_url).content
        assert now != then
        size = re.search(r'data-size="(\d+)"', page)[1]
        assert f"\n{size}\n".encode() in parse_receipt(then).checkpoint
        assert browser.get(f"{address}proof?size=1000000").status_code == 404

    def test_that_is_not_there_is_not_found(self, browser):
        for then in ("", "entry", "proof", "opening"):
            assert browser.get(f"/audit/999999/{then}").status_code == 404


class TestThePrivatePart:
    @pytest.fixture
    def address(self, entries):
        return f"/audit/{entries[1].log_index}/"

    def test_is_read_and_saved_by_its_owner(self, lena, entries, address, browser_of):
        browser = browser_of(lena)
        page = page_of(browser, address)
        assert 'data-private="readable"' in page
        assert "SHA256" in page.split('id="private"')[1]
        opening = parse_opening(browser.get(f"{address}opening").content)
        content = verify_opening(opening, entry=bytes(entries[1].entry))
        assert content == {"program": "SHA256"}

    def test_is_kept_from_others_who_are_told_whose_it_is(self, browser, address):
        page = page_of(browser, address)
        assert 'data-private="kept"' in page
        assert "belongs to ai-laboratory-1" in page
        assert "SHA256" not in page.split('id="private"')[1].split('id="proof"')[0]
        assert browser.get(f"{address}opening").status_code == 403

    def test_that_there_is_not_is_said(self, browser, entries):
        page = page_of(browser, f"/audit/{entries[0].log_index}/")
        assert 'data-private="none"' in page
        assert browser.get(f"/audit/{entries[0].log_index}/opening").status_code == 404

    def test_is_erased_by_its_owners_administrator(self, lena, address, browser_of):
        browser = browser_of(lena)
        assert 'id="erase-opening"' in page_of(browser, address)
        answer = browser.post(f"{address}erase/", {"reason": REASON})
        assert "is erased" in told(answer)
        page = page_of(browser, address)
        assert 'data-private="erased"' in page
        assert f"by operator:lena at 2026-12-01 12:00:00Z: {REASON}" in page
        assert 'id="erase-opening"' not in page
        assert browser.get(f"{address}opening").status_code == 404
        assert AuditEntry.objects.filter(action="opening.erase").count() == 1

    def test_takes_a_fresh_proof_and_is_then_erased(self, lena, address, browser_of):
        browser, target = make_stale(browser_of(lena)), f"{address}erase/"
        asked = browser.post(target, {"reason": REASON})
        assert asked["Location"].startswith("/account/confirm/?next=")
        assert 'data-private="readable"' in page_of(browser, address)
        browser.post("/account/confirm/", {"password": PASSWORD, "next": target})
        assert 'data-private="erased"' in page_of(browser, address)

    def test_is_not_erased_without_a_reason(self, lena, address, browser_of):
        browser = browser_of(lena)
        answer = browser.post(f"{address}erase/", {"reason": " ", "next": address})
        assert "give a reason of 1 to 300 characters" in told(answer)
        assert answer["Location"] == address
        assert 'data-private="readable"' in page_of(browser, address)

    def test_is_not_erased_by_others(self, person, mei, address, browser_of):
        for who in (mei, person("ada", Role.ADMINISTRATOR)):
            answer = browser_of(who).post(f"{address}erase/", {"reason": REASON})
            assert answer.status_code == 403
        assert not AuditEntry.objects.filter(action="opening.erase").exists()
