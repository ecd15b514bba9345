"""The witness board: what it shows of quorums, registering and retiring."""

from __future__ import annotations

import re

import pytest

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry, Witness
from missioncontrol.audit.services import sequence_entries
from tests.browser.members import cosign_newest, register_witnesses, witness_key
from tests.integration.missioncontrol.console.conftest import AT
from tests.integration.missioncontrol.console.people import make_stale, told

BOARD = "/audit/witnesses/"


@pytest.fixture
def ada(person):
    return person("ada", Role.ADMINISTRATOR)


@pytest.fixture
def quorums(settings):
    settings.AUDIT_PUBLISHED_QUORUM, settings.AUDIT_SETTLED_QUORUM = 13, 17


@pytest.fixture
def witnessed(mission, quorums):
    """23 witnesses, two of them away, and a checkpoint that the others cosigned."""
    register_witnesses(at=AT)
    while sequence_entries(at=AT):
        pass
    cosign_newest(at=AT)


def form(**changes):
    return {
        "name": "insurer",
        "organisation": "insurer-1",
        "vkey": witness_key(40).verifier.to_vkey(),
        "url": "https://witness.insurer.example",
        **changes,
    }


def sentences(page):
    words = page.split('id="quorum-words"')[1].split("</ul>")[0]
    return re.findall(r"<li>(.*?)</li>", words)


class TestTheBoard:
    def test_shows_every_member_of_the_quorums(self, alice, witnessed, browser_of):
        page = browser_of(alice).get(BOARD).content.decode()
        states = re.findall(r'<tr data-witness="[\w-]+" data-state="(\w+)"', page)
        assert sorted(states) == ["away"] * 2 + ["cosigning"] * 21
        seats = re.findall(r'class="seat" data-status="(\w+)"', page)
        assert seats == ["normal"] * 21 + ["serious"] * 2 + ["off"]
        assert re.findall(r">(\d+ \w+)</text></g>", page)[-2:] == ["13 published", "17 settled"]
        assert "Without a witness: Insurer One." in page
        assert "connect timeout" in page

    def test_says_what_may_happen_in_words(self, alice, witnessed, browser_of):
        first, published, settled = sentences(browser_of(alice).get(BOARD).content.decode())
        assert first.startswith("23 of 24 members run a witness; 21 have cosigned the newest")
        assert published == "Published takes 13: it has them, and 8 more may go away."
        assert settled == "Settled takes 17: it has them, and 4 more may go away."

    def test_says_how_many_are_missing(self, alice, witnessed, browser_of):
        Witness.objects.exclude(name__endswith="1").update(cosigned_size=0)
        _, published, settled = sentences(browser_of(alice).get(BOARD).content.decode())
        assert published == "Published takes 13: 10 are missing."
        assert settled == "Settled takes 17: 14 are missing."

    def test_without_witnesses_says_whom_one_must_trust(self, alice, quorums, browser_of):
        page = browser_of(alice).get(BOARD).content.decode()
        [only] = sentences(page)
        assert only.startswith("No member has registered a witness.")
        assert "mc witness init" in page

    def test_without_a_quorum_says_that_they_do_not_count(self, alice, browser_of, settings):
        register_witnesses(at=AT)
        page = browser_of(alice).get(BOARD).content.decode()
        assert "demands no quorum" in sentences(page)[-1]
        assert "13 published" not in page

    def test_has_nothing_to_press_for_who_may_not(self, alice, witnessed, browser_of):
        main = browser_of(alice).get(BOARD).content.decode().split("<main")[1]
        assert "<form" not in main


class TestRegistering:
    def test_has_a_witness_asked_from_now_on(self, ada, witnessed, browser_of):
        browser = browser_of(ada)
        answer = browser.post(f"{BOARD}register/", form())
        assert "insurer of Insurer One is asked for each checkpoint" in told(answer)
        page = browser.get(BOARD).content.decode()
        assert 'data-witness="insurer" data-state="never"' in page
        assert AuditEntry.objects.filter(action="witness.register", actor="operator:ada").exists()

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"vkey": "no-key"}, "This is no witness"),
            ({"url": "ftp://witness.example"}, "is not the address of a witness"),
            ({"organisation": ""}, "Choose the member"),
            ({"organisation": "operator"}, "and one voice. Retire that first."),
        ],
    )
    def test_is_refused_at_the_form(self, ada, witnessed, browser_of, changes, text):
        answer = browser_of(ada).post(f"{BOARD}register/", form(**changes))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert text in page.split('id="register-error"')[1]
        assert 'value="insurer"' in page
        assert Witness.objects.count() == 23

    def test_takes_a_fresh_proof(self, ada, witnessed, browser_of):
        answer = make_stale(browser_of(ada)).post(f"{BOARD}register/", form())
        assert answer["Location"].startswith("/account/confirm/")
        assert Witness.objects.count() == 23

    @pytest.mark.parametrize("act", ["register", "retire"])
    def test_is_for_administrators_of_who_operates_the_mission(
        self, alice, person, witnessed, browser_of, act
    ):
        lena = person("lena", Role.ADMINISTRATOR, member_of="ai-laboratory-1")
        for who in (alice, lena):
            answer = browser_of(who).post(f"{BOARD}{act}/", form(name="witness-1"))
            assert answer.status_code == 403
        assert Witness.objects.filter(active=True).count() == 23


class TestRetiring:
    def test_ends_its_voice(self, ada, witnessed, browser_of):
        browser = browser_of(ada)
        answer = browser.post(f"{BOARD}retire/", {"name": "witness-1"})
        assert "witness-1 is retired" in told(answer)
        page = browser.get(BOARD).content.decode()
        assert "Retired: witness-1." in page
        name = Organisation.objects.get(slug="operator").name
        assert f"{name}</option>" in page  # it may register another one

    def test_of_nobody_is_refused(self, ada, witnessed, browser_of):
        answer = browser_of(ada).post(f"{BOARD}retire/", {"name": "nobody"})
        assert "There is no active witness nobody." in told(answer)
