from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action, may
from missioncontrol.fleet.models import Mission
from missioncontrol.kernel import clock
from missioncontrol.pipelines.demo import matrix_product_input
from missioncontrol.scheduling.models import Contact
from uplink.commanding.models import Telecommand
from uplink.jobs.models import Job
from uplink.jobs.programs import Program, check_input

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"
    settings.LOG_DIR = tmp_path / "log"


def seed() -> dict:
    out = StringIO()
    call_command("seed_demo", "--json", stdout=out)
    return json.loads(out.getvalue())


class TestSeedDemo:
    def test_makes_everything_that_a_demo_begins_with(self):
        document = seed()
        assert Mission.objects.get().name == "demo"
        assert clock.factor() == 30
        people = {row["username"]: row["password"] for row in document["operators"]}
        for username, password in people.items():
            assert Operator.objects.get(username=username).check_password(password)
        contact = Contact.objects.get(pk=document["next_contact"]["id"])
        assert document["next_contact"]["station"] == contact.antenna.station.name == "KASHI"
        ping = Telecommand.objects.get()
        assert (ping.pk, ping.name, ping.state) == (document["telecommand"], "PING", "SUBMITTED")
        assert ping.submitted_by.username == "operator"
        job = Job.objects.get()
        assert (job.number, job.organisation.kind) == (document["job"], "ai_laboratory")
        assert document["service_account"]["token"].startswith("mc_")

    def test_gives_each_account_what_it_needs_and_no_more(self):
        seed()
        operator, approver, pipeline = (
            Operator.objects.get(username=name)
            for name in ("operator", "approver", "demo-pipeline")
        )
        assert may(operator, Action.TELECOMMAND_SUBMIT)
        assert may(operator, Action.MISSION_LOAD)
        assert may(approver, Action.TELECOMMAND_APPROVE)
        assert may(pipeline, Action.JOB_SUBMIT)
        assert not may(pipeline, Action.TELECOMMAND_SUBMIT)
        assert not pipeline.has_usable_password()

    def test_changes_nothing_and_shows_no_secret_the_second_time(self):
        first = seed()
        second = seed()
        assert {row["password"] for row in second["operators"]} == {None}
        assert second["service_account"]["token"] is None
        assert (second["job"], second["telecommand"]) == (first["job"], first["telecommand"])
        assert second["next_contact"] == first["next_contact"]
        assert (Job.objects.count(), Telecommand.objects.count(), Operator.objects.count()) == (
            1,
            1,
            3,
        )

    def test_leaves_a_running_clock_alone(self):
        seed()
        clock.set_clock(mission_time=clock.now(), factor=7)
        seed()
        assert clock.factor() == 7

    def test_tells_people_how_to_sign_in(self):
        out = StringIO()
        call_command("seed_demo", stdout=out)
        assert "Sign in as operator  " in out.getvalue()
        assert "Next contact: DD-1 over KASHI-1" in out.getvalue()


class TestMatrixProductInput:
    def test_is_an_input_that_the_program_takes(self):
        check_input(Program.MATRIX_PRODUCT, matrix_product_input(64))
        assert len(matrix_product_input(64)) == 6 + 2 * 64 * 64 * 4
