"""What an operator does by a form: the rules that hold, and what is shown when they do not."""

from __future__ import annotations

import struct

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.kernel.models import ClockAnchor
from missioncontrol.scheduling.models import Contact
from telemetry.models import Alarm
from tests import factories
from tests.signing_in import signed_in
from uplink.commanding.models import Telecommand
from uplink.commanding.services import submit_telecommand
from uplink.jobs.models import Job


def told(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def ask(mission, operator, name="PING", **arguments) -> Telecommand:
    return submit_telecommand(
        spacecraft=mission,
        name=name,
        arguments=arguments,
        submitted_by=operator,
        at=clock.now(),
    )


class TestSubmittingATelecommand:
    URL = "/commands/submit/"

    def test_asks_a_second_person(self, mission, alice, browser_of):
        answer = browser_of(alice).post(
            self.URL,
            {"spacecraft": "DD-1", "telecommand": "SET_TM_RATE", "argument-PERIOD_S": "10"},
        )
        telecommand = Telecommand.objects.get()
        assert (telecommand.state, telecommand.arguments) == ("SUBMITTED", {"PERIOD_S": 10})
        assert answer.status_code == 302
        assert "waits for a second operator" in told(answer)

    def test_shows_the_form_again_with_what_is_allowed(self, mission, alice, browser_of):
        answer = browser_of(alice).post(
            self.URL,
            {"spacecraft": "DD-1", "telecommand": "SET_TM_RATE", "argument-PERIOD_S": "61"},
        )
        page = answer.content.decode()
        assert answer.status_code == 422
        assert 'value="61"' in page
        assert "Allowed: a whole number from 1 to 60 s." in page
        # A live refresh asks for the page, not for the address of the form.
        assert 'data-refresh-url="/commands/"' in page
        assert not Telecommand.objects.exists()

    def test_of_no_such_name_is_refused(self, mission, alice, browser_of):
        answer = browser_of(alice).post(self.URL, {"spacecraft": "DD-1", "telecommand": "EXPLODE"})
        assert "no telecommand 'EXPLODE'" in told(answer)

    def test_for_no_such_spacecraft_is_not_found(self, mission, alice, browser_of):
        answer = browser_of(alice).post(self.URL, {"spacecraft": "DD-9", "telecommand": "PING"})
        assert answer.status_code == 404

    def test_takes_the_role(self, mission, mei, browser_of):
        answer = browser_of(mei).post(self.URL, {"spacecraft": "DD-1", "telecommand": "PING"})
        assert answer.status_code == 403
        assert not Telecommand.objects.exists()


class TestApproving:
    def test_ones_own_is_refused_by_the_two_person_rule(self, mission, alice, browser_of):
        telecommand = ask(mission, alice)
        answer = browser_of(alice).post(f"/commands/{telecommand.pk}/approve/")
        telecommand.refresh_from_db()
        assert telecommand.state == "SUBMITTED"
        assert "A second operator must approve it" in told(answer)

    def test_a_colleagues_goes_on(self, mission, alice, bob, browser_of):
        telecommand = ask(mission, alice)
        answer = browser_of(bob).post(
            f"/commands/{telecommand.pk}/approve/", {"next": "/commands/?state=SUBMITTED"}
        )
        telecommand.refresh_from_db()
        assert (telecommand.state, telecommand.approved_by) == ("APPROVED", bob)
        assert answer["Location"] == "/commands/?state=SUBMITTED"

    def test_a_hazardous_one_takes_the_tick(self, mission, alice, bob, browser_of):
        telecommand = ask(mission, alice, "PAYLOAD_POWER", UNIT="GPU0", STATE="OFF")
        browser, url = browser_of(bob), f"/commands/{telecommand.pk}/approve/"
        answer = browser.post(url)
        telecommand.refresh_from_db()
        assert telecommand.state == "SUBMITTED"
        assert "tick that you have checked" in told(answer)
        browser.post(url, {"hazard_checked": "on"})
        telecommand.refresh_from_db()
        assert telecommand.state == "APPROVED"

    def test_takes_the_role(self, mission, alice, mei, browser_of):
        telecommand = ask(mission, alice)
        answer = browser_of(mei).post(f"/commands/{telecommand.pk}/approve/")
        assert answer.status_code == 403
        assert "approver" in answer.content.decode()

    def test_of_no_such_telecommand_is_not_found(self, mission, alice, browser_of):
        assert browser_of(alice).post("/commands/99/approve/").status_code == 404

    def test_is_never_done_by_get(self, mission, alice, bob, browser_of):
        telecommand = ask(mission, alice)
        assert browser_of(bob).get(f"/commands/{telecommand.pk}/approve/").status_code == 405

    def test_is_never_done_without_a_csrf_token(self, mission, alice, bob):
        telecommand = ask(mission, alice)
        browser = signed_in(bob, enforce_csrf_checks=True)
        answer = browser.post(f"/commands/{telecommand.pk}/approve/")
        assert answer.status_code == 403
        assert "The form was not taken" in answer.content.decode()
        telecommand.refresh_from_db()
        assert telecommand.state == "SUBMITTED"

    def test_does_not_lead_away_from_the_console(self, mission, alice, bob, browser_of):
        telecommand = ask(mission, alice)
        answer = browser_of(bob).post(
            f"/commands/{telecommand.pk}/approve/", {"next": "https://elsewhere.example/"}
        )
        assert answer["Location"] == "/commands/"


class TestRejecting:
    def test_takes_a_reason(self, mission, alice, bob, browser_of):
        telecommand = ask(mission, alice)
        browser, url = browser_of(bob), f"/commands/{telecommand.pk}/reject/"
        assert "give a reason" in told(browser.post(url, {"reason": " "}))
        browser.post(url, {"reason": "Not over Kashi."})
        telecommand.refresh_from_db()
        assert (telecommand.state, telecommand.rejection_reason) == ("REJECTED", "Not over Kashi.")

    def test_ones_own_is_allowed(self, mission, alice, browser_of):
        telecommand = ask(mission, alice)
        browser_of(alice).post(f"/commands/{telecommand.pk}/reject/", {"reason": "A mistake."})
        telecommand.refresh_from_db()
        assert telecommand.state == "REJECTED"


class TestSubmittingAJob:
    URL = "/jobs/submit/"

    def form(self, **changes):
        values = {
            "program": "SHA256",
            "organisation": "ai-laboratory-1",
            "spacecraft": "DD-1",
            "input": SimpleUploadedFile("input.bin", b"some octets"),
        }
        return {name: value for name, value in (values | changes).items() if value is not None}

    def test_takes_it(self, mission, mei, browser_of):
        answer = browser_of(mei).post(self.URL, self.form())
        job = Job.objects.get()
        assert (job.program, job.input_octets, job.submitted_by) == ("SHA256", 11, mei)
        assert answer["Location"] == f"/jobs/{job.number}/"

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"program": "BITCOIN"}, "No program &#x27;BITCOIN&#x27; on board"),
            ({"input": None}, "No input file was chosen"),
            ({"input": SimpleUploadedFile("e", b"")}, "is empty"),
            (
                {
                    "program": "MATRIX_PRODUCT",
                    "input": SimpleUploadedFile("m", struct.pack(">3H", 2, 2, 2)),
                },
                "which takes 38 octets",
            ),
        ],
    )
    def test_shows_why_it_does_not(self, mission, mei, browser_of, changes, text):
        answer = browser_of(mei).post(self.URL, self.form(**changes))
        assert answer.status_code == 422
        assert text in answer.content.decode()
        assert not Job.objects.exists()

    def test_for_another_member_is_refused(self, mission, mei, browser_of):
        answer = browser_of(mei).post(self.URL, self.form(organisation="ai-laboratory-2"))
        assert answer.status_code == 403
        assert not Job.objects.exists()

    def test_can_be_taken_back_before_its_input_goes_up(self, mission, mei, browser_of):
        browser = browser_of(mei)
        browser.post(self.URL, self.form())
        job = Job.objects.get()
        assert 'id="cancel-job"' in browser.get(f"/jobs/{job.number}/").content.decode()
        browser.post(f"/jobs/{job.number}/cancel/")
        job.refresh_from_db()
        assert job.state == "CANCELLED"
        answer = browser.post(f"/jobs/{job.number}/cancel/")
        assert "is CANCELLED" in told(answer)


class TestAcknowledging:
    @pytest.fixture
    def alarm(self, mission):
        return Alarm.objects.create(
            spacecraft=mission,
            parameter="PWR_BATT_V",
            severity="caution",
            value="46.2",
            limit="WARNING below 47",
            raised_at=clock.now(),
        )

    def test_notes_who_has_seen_it(self, alarm, alice, browser_of):
        answer = browser_of(alice).post(f"/alarms/{alarm.pk}/acknowledge/", {"next": "/"})
        alarm.refresh_from_db()
        assert alarm.acknowledged_by == alice
        assert answer["Location"] == "/"

    def test_twice_tells_who_was_faster(self, alarm, alice, bob, browser_of):
        browser_of(alice).post(f"/alarms/{alarm.pk}/acknowledge/")
        answer = browser_of(bob).post(f"/alarms/{alarm.pk}/acknowledge/")
        assert "acknowledged by alice" in told(answer)

    def test_takes_the_role(self, alarm, person, browser_of):
        watcher = person("watcher", Role.FLIGHT_DYNAMICS)
        assert browser_of(watcher).post(f"/alarms/{alarm.pk}/acknowledge/").status_code == 403


class TestCancellingAPass:
    def test_frees_the_antenna_with_an_entry(self, mission, alice, browser_of):
        station = factories.ground_station("Kiruna", owner=mission.organisation)
        profile = mission.mission_profiles.get()
        contact = factories.contact(mission, factories.antenna(station), profile)
        browser = browser_of(alice)
        browser.post(f"/passes/{contact.pk}/cancel/")
        contact.refresh_from_db()
        assert contact.state == Contact.State.CANCELLED
        entry = AuditEntry.objects.get(action="contact.cancelled")
        assert entry.actor == "operator:alice"
        assert "Allowed: nothing" in told(browser.post(f"/passes/{contact.pk}/cancel/"))


class TestTheClock:
    def test_runs_at_the_factor_that_was_set(self, mission, alice, browser_of):
        before = clock.now()
        browser_of(alice).post("/clock/", {"factor": "60"})
        assert clock.factor() == 60
        assert clock.now() >= before
        entry = AuditEntry.objects.get(action="clock.set")
        assert b'"factor":60' in bytes(entry.entry)

    @pytest.mark.parametrize("factor", ["0", "-3", "1e9", "fast", "", "nan"])
    def test_is_left_alone_by_nonsense(self, mission, alice, browser_of, factor):
        answer = browser_of(alice).post("/clock/", {"factor": factor})
        assert clock.factor() == 1.0
        assert told(answer)

    def test_of_a_flight_is_left_alone(self, mission, alice, browser_of):
        ClockAnchor.objects.all().delete()
        clock.forget()
        answer = browser_of(alice).post("/clock/", {"factor": "60"})
        assert "Mission time is UTC here" in told(answer)

    def test_takes_the_role(self, mission, mei, browser_of):
        assert browser_of(mei).post("/clock/", {"factor": "60"}).status_code == 403
