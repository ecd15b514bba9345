"""Every page over a mission in which everything has happened already."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from django.db import OperationalError, transaction
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.audit.models import AuditEntry
from missioncontrol.console.presentation import isolation
from missioncontrol.console.presentation.isolation import isolation_notice
from missioncontrol.console.views import passes
from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.scheduling.models import Contact, Plan
from telemetry.models import BadFrame
from tests import signing_in
from tests.browser import scene
from uplink.jobs.models import Job
from uplink.transfers.models import Transfer

PAGES = {
    "now": [],
    "passes": [],
    "pass_detail": Contact,
    "contact_requests": [],
    "calendar_feeds": [],
    "timeline": [],
    "plans": [],
    "plan_detail": Plan,
    "telemetry": [],
    "packets": ["DD-1"],
    "gaps": ["DD-1"],
    "bad_frames": [],
    "bad_frame": BadFrame,
    "commands": [],
    "jobs": [],
    "job_detail": Job,
    "alarms": [],
    "stations": [],
    "audit": [],
    "consortium": [],
}
# Of ada, an administrator, by their addresses.
PAGES_FOR_PEOPLE = [
    "/account/",
    "/account/password/",
    "/account/passkeys/add/",
    "/account/second-factor/codes/add/",
    "/account/tokens/new/",
    "/consortium/operator/",
    "/consortium/operator/accounts/new/",
    "/consortium/operator/single-sign-on/",
]
MARKS = {
    "now": "Pass under way",
    "passes": 'data-station="KASHI"',
    "pass_detail": "N(S) 0, N(R) 1 of the CLCW",
    "contact_requests": "AI Laboratory One",
    "calendar_feeds": "Make a calendar",
    "timeline": 'data-items-url="/timeline/items"',
    "plans": "Drive fault in azimuth",
    "plan_detail": 'data-kind="DROPPED"',
    "telemetry": 'data-parameter="PWR_BATT_V"',
    "packets": "PowerHousekeeping",
    "gaps": 'data-gap="100"',
    "bad_frames": "does not match (CRC)",
    "bad_frame": '<th scope="row">00c0</th>',
    "commands": "One second fills the recorder",
    "jobs": "IMAGE_STATISTICS",
    "job_detail": "Only members of AI Laboratory One can read it",
    "alarms": "below 47 or above 57",
    "stations": 'data-spacecraft-name="DD-1"',
    "audit": "telecommand.approve",
    "consortium": "Research Institute Two",
}


@pytest.fixture(scope="module")
def _scene(django_db_setup, django_db_blocker, broker, tmp_path_factory):
    """The scene, made once for this module and rolled back after it."""
    folder = tmp_path_factory.mktemp("scene")
    own = override_settings(
        LOG_DIR=folder / "log", ARCHIVE_DIR=folder / "archive", FILES_DIR=folder / "files"
    )
    around = transaction.atomic()
    around._from_testcase = True  # as Django's own test cases: durable blocks may be inside
    with django_db_blocker.unblock(), around:
        clock.forget()
        with own, acting_for_everybody():
            scene.build()
        yield folder
        transaction.set_rollback(True)
    clock.forget()


@pytest.fixture
def _in_scene(_scene, db, settings):
    settings.LOG_DIR = _scene / "log"
    settings.ARCHIVE_DIR = _scene / "archive"
    settings.FILES_DIR = _scene / "files"
    clock.set_clock(mission_time=scene.AT, factor=1.0)


def signed_in(name: str) -> Client:
    return signing_in.signed_in(Operator.objects.get(username=name))


def oldest(rows, *, after: int = 0) -> int:
    """The key of the scene's first row (or of one after it): databases count on between tests."""
    return rows.objects.order_by("pk").values_list("pk", flat=True)[after]


def address(name: str) -> str:
    given = PAGES[name]
    arguments = given if isinstance(given, list) else [oldest(given)]
    return reverse(f"console:{name}", args=arguments)


@pytest.mark.usefixtures("_in_scene")
class TestEveryPage:
    @pytest.mark.parametrize("name", PAGES)
    def test_shows_an_operator_what_happened(self, name):
        answer = signed_in("alice").get(address(name))
        assert answer.status_code == 200
        assert MARKS[name] in answer.content.decode()

    @pytest.mark.parametrize("name", PAGES)
    def test_answers_a_stranger_with_401_and_the_way_in(self, name):
        answer = Client().get(address(name))
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert f'name="next" value="{address(name)}"' in answer.content.decode()

    @pytest.mark.parametrize("name", PAGES)
    def test_tells_who_has_no_role_which_one_it_takes(self, name):
        answer = signed_in("noor").get(address(name))
        assert answer.status_code == 403
        assert "It takes the role operator" in answer.content.decode()

    @pytest.mark.parametrize("name", PAGES)
    def test_changes_nothing_when_it_is_posted_to(self, name):
        assert signed_in("alice").post(address(name)).status_code == 405

    @pytest.mark.parametrize("name", PAGES)
    def test_is_well_formed_with_every_id_once(self, name):
        page = PageCheck()
        page.feed(signed_in("alice").get(address(name)).content.decode())
        page.close()
        assert page.open == []
        assert sorted(page.ids) == sorted(set(page.ids))

    @pytest.mark.parametrize("name", PAGES)
    def test_forbids_the_browser_what_it_does_not_need(self, name):
        answer = signed_in("alice").get(address(name))
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy


@pytest.mark.usefixtures("_in_scene")
class TestEveryPageForPeople:
    @pytest.mark.parametrize("path", PAGES_FOR_PEOPLE)
    def test_is_well_formed_with_every_id_once(self, path):
        answer = signed_in("ada").get(path)
        assert answer.status_code == 200
        page = PageCheck()
        page.feed(answer.content.decode())
        page.close()
        assert page.open == []
        assert sorted(page.ids) == sorted(set(page.ids))

    @pytest.mark.parametrize("path", PAGES_FOR_PEOPLE)
    def test_answers_a_stranger_with_401_and_the_way_in(self, path):
        answer = Client().get(path)
        assert answer.status_code == 401
        assert f'name="next" value="{path}"' in answer.content.decode()


class PageCheck(HTMLParser):
    """Follows the tags of a page."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "use", "circle", "rect", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag, f"</{tag}> closes another element, {self.getpos()}"


@pytest.mark.usefixtures("_in_scene")
class TestAMember:
    def test_sees_no_telemetry_and_no_way_to_it(self):
        browser = signed_in("mei")
        assert browser.get(address("telemetry")).status_code == 403
        page = browser.get(address("now")).content.decode()
        assert 'href="/telemetry/' not in page
        assert "PWR_BATT_V" not in page

    def test_sees_of_a_pass_nothing_that_it_commands_or_transfers(self):
        theirs, ours = signed_in("mei"), signed_in("alice")
        file_name = Transfer.objects.get(state=Transfer.State.ACTIVE).file_name
        for name in ("pass_detail", "now"):
            shown = ours.get(address(name)).content.decode()
            hidden = theirs.get(address(name)).content.decode()
            for mark in (file_name, "data-transfer", "telecommand_frames"):
                assert mark in shown
                assert mark not in hidden
        for mark in ("PING", "N(S) 0", 'id="items"', 'id="transfers"', "2 files to go"):
            shown = ours.get(address("pass_detail")).content.decode()
            assert mark in shown
            assert mark not in theirs.get(address("pass_detail")).content.decode()

    def test_sees_neither_processes_nor_what_keeps_members_apart(self):
        theirs = signed_in("mei").get("/").content.decode()
        assert 'id="part-processes"' not in theirs
        assert 'id="isolation"' not in theirs

    def test_reads_the_result_of_its_job(self):
        browser = signed_in("mei")
        page = browser.get(address("job_detail")).content.decode()
        assert 'id="result-preview"' in page
        answer = browser.get(reverse("console:job_result", args=[oldest(Job)]))
        assert json.loads(answer.content)["width"] == 64
        assert answer["Repr-Digest"].startswith("sha-256=:")

    def test_result_is_not_for_the_operators_of_the_spacecraft(self):
        answer = signed_in("alice").get(reverse("console:job_result", args=[oldest(Job)]))
        assert answer.status_code == 403

    def test_finds_no_result_before_the_end(self):
        answer = signed_in("mei").get(reverse("console:job_result", args=[oldest(Job, after=1)]))
        assert answer.status_code == 404

    def test_does_not_see_that_anothers_job_exists(self):
        person = Operator.objects.get(username="noor")
        person.memberships.create(
            organisation=Organisation.objects.get(slug="insurer-1"), role="payload_member"
        )
        browser = signed_in("noor")
        assert browser.get(address("job_detail")).status_code == 404
        assert "AI Laboratory One" not in browser.get(address("jobs")).content.decode()


@pytest.mark.usefixtures("_in_scene")
class TestTheFirstPage:
    @pytest.fixture(autouse=True)
    def _found_out_anew(self):
        isolation_notice.cache_clear()
        yield
        isolation_notice.cache_clear()

    def notice(self) -> str:
        page = signed_in("alice").get("/").content.decode()
        assert 'id="part-processes"' in page
        return page.split('id="isolation"')[1].split("</p>")[0] if "isolation" in page else ""

    @pytest.mark.only_on("sqlite")
    def test_says_on_sqlite_that_it_is_for_one_organisation_or_for_trial(self):
        assert "For one organisation or for trial: SQLite has no row-level" in self.notice()

    @pytest.mark.only_on("postgresql")
    def test_says_on_postgresql_what_the_role_could_do(self, monkeypatch):
        faults = ["it owns the tables and could switch their policies off"]
        monkeypatch.setattr(isolation, "isolation_faults", lambda: faults)
        assert "could pass by row-level security (it owns the tables" in self.notice()

    def test_says_nothing_where_all_is_well(self, monkeypatch):
        monkeypatch.setattr(isolation, "isolation_faults", list)
        assert self.notice() == ""

    def test_finds_it_out_once(self, monkeypatch):
        asked = []
        monkeypatch.setattr(isolation, "isolation_faults", lambda: asked.append(1) or [])
        self.notice()
        self.notice()
        assert asked == [1]


@pytest.mark.usefixtures("_in_scene")
class TestFilters:
    @pytest.mark.parametrize(
        "query",
        [
            "passes/?day=2026-12-02&station=KASHI&state=SCHEDULED",
            "passes/?day=nonsense",
            "passes/?day=9999-12-31",
            "telemetry/?spacecraft=DD-1&q=battery&only=out&plot=PWR_BATT_V&span=900",
            "telemetry/DD-1/?subsystem=Power&span=7",
            "telemetry/DD-1/?start=2026-12-01T00:00:00Z&end=2026-12-01T12:00:00Z&span=x",
            "telemetry/DD-1/?start=soon&end=9999-12-31T23:59:59-14:00",
            "telemetry/DD-1/packets/?apid=100&before=2026-12-01T12:00:00",
            "telemetry/DD-1/packets/?apid=nonsense&before=0001-01-01&page=9999",
            "telemetry/DD-1/gaps/?span=86400&until=2026-12-01T12:00",
            "telemetry/DD-1/gaps/?span=7&until=9999-12-31T23:59:59",
            "telemetry/bad-frames/?page=2&station=KASHI",
            "telemetry/bad-frames/?page=-1",
            "commands/?state=SUBMITTED&spacecraft=DD-1&telecommand=PAYLOAD_POWER&for=DD-1",
            "commands/?telecommand=NO_SUCH&page=x",
            "jobs/?state=COMPLETED&organisation=ai-laboratory-1&page=1",
            "alarms/?page=3",
            "audit/?q=job:1&action=job.submit&actor=mei",
            "audit/?q=words&cursor=x",
        ],
    )
    def test_are_taken_whatever_they_say(self, query):
        assert signed_in("alice").get(f"/{query}").status_code == 200

    def test_mark_the_rows_that_do_not_fit_as_hidden(self):
        page = signed_in("alice").get("/telemetry/DD-1/?q=battery+voltage").content.decode()
        rows = [line for line in page.split("<tr ") if line.startswith("data-parameter=")]
        shown = [row.split('"')[1] for row in rows if " hidden>" not in row.split("<td>")[0]]
        assert shown == ["PWR_BATT_V"]

    def test_find_one_subject_exactly(self):
        page = signed_in("alice").get("/audit/?q=job:1").content.decode()
        assert "job.complete" in page
        assert ">telecommand:" not in page


@pytest.mark.usefixtures("_in_scene")
class TestSamples:
    URL = "/telemetry/DD-1/samples"

    def test_are_numbers_over_time(self):
        answer = signed_in("alice").get(
            self.URL,
            {
                "parameter": "PWR_BATT_V",
                "start": "2026-12-01T11:30:00Z",
                "end": "2026-12-01T12:26:00Z",
                "points": "50",
            },
        )
        content = answer.json()
        assert (content["parameter"], content["unit"]) == ("PWR_BATT_V", "V")
        assert len(content["times_s"]) == len(content["mean"]) > 20
        assert content["times_s"] == sorted(content["times_s"])
        assert content["minimum"][-1] == pytest.approx(46.2)

    @pytest.mark.parametrize(
        ("wrong", "text"),
        [
            ({"parameter": "NO_SUCH"}, "has no parameter 'NO_SUCH'"),
            ({"start": "yesterday"}, "start is 'yesterday'"),
            ({"start": "2026-12-01T12:00:00"}, "with its zone"),
            ({"end": "2026-12-01T00:00:00Z"}, "is not after the start"),
            ({"parameter": "PWR_MODE"}, "PWR_MODE is enumerated"),
        ],
    )
    def test_are_refused_with_the_reason(self, wrong, text):
        asked = {
            "parameter": "PWR_BATT_V",
            "start": "2026-12-01T11:30:00Z",
            "end": "2026-12-01T12:26:00Z",
        }
        answer = signed_in("alice").get(self.URL, asked | wrong)
        assert answer.status_code == 422
        assert text in answer.json()["refused"]

    def test_of_no_spacecraft_are_not_found(self):
        answer = signed_in("alice").get("/telemetry/DD-9/samples")
        assert answer.status_code == 404


@pytest.mark.usefixtures("_in_scene")
class TestDownloads:
    def test_give_a_bad_frame_as_it_came(self):
        frame = BadFrame.objects.earliest("pk")
        answer = signed_in("alice").get(reverse("console:bad_frame_octets", args=[frame.pk]))
        assert answer.content == bytes(frame.octets)

    def test_give_an_entry_and_its_proof(self):
        entry = AuditEntry.objects.get(log_index=3)
        browser = signed_in("alice")
        assert browser.get("/audit/3/entry").content == bytes(entry.entry)
        assert browser.get("/audit/3/proof").content.startswith(b"c2sp.org/tlog-proof@v1")

    def test_find_no_entry_beyond_the_log(self):
        assert signed_in("alice").get("/audit/999999/proof").status_code == 404


@pytest.mark.usefixtures("_in_scene")
class TestDatabaseAway:
    @pytest.mark.parametrize(
        ("fault", "status", "words"),
        [
            (OperationalError("the server closed the connection"), 503, "does not answer"),
            (RuntimeError("of ours"), 500, "has failed to draw this page"),
        ],
    )
    def test_is_said_as_such(self, monkeypatch, fault, status, words):
        def fail(*_, **__):
            raise fault

        browser = signed_in("alice")
        browser.raise_request_exception = False
        monkeypatch.setattr(passes, "render", fail)
        answer = browser.get("/passes/")
        assert answer.status_code == status
        assert words in answer.content.decode()
        assert answer.get("Retry-After") == ("5" if status == 503 else None)
