from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.merkle.opening import verify_opening
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors import NotEntitledError, opening
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.kernel.organisations import acting_for
from tests import factories
from tests.integration.missioncontrol.audit.installation import installation
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT
from tests.integration.uplink.jobs.conftest import CONTENT
from uplink.jobs import selectors, services
from uplink.jobs.models import Job
from uplink.transfers import storage
from uplink.transfers.models import Transfer


class TestSubmitJob:
    def test_stores_the_job_and_queues_its_input(self, submit, carol, member):
        job = submit()
        job.refresh_from_db()
        assert (job.state, job.submitted_by, job.organisation) == ("SUBMITTED", carol, member)
        assert job.input_sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert (job.uplink.file_name, job.uplink.state) == (f"job-{job.number}.in", "WAITING")
        assert storage.read(job.uplink.stored_name) == CONTENT
        entry = AuditEntry.objects.get(action="job.submit")
        assert (entry.actor, entry.organisation) == ("operator:carol", "chip-producer-1")
        assert json.loads(bytes(entry.entry))["details"] == {
            "spacecraft": "DD-1",
            "state": "SUBMITTED",
        }

    def test_shows_in_the_log_what_runs_to_the_member_and_the_operator_only(self, submit, member):
        job = submit()
        entry = AuditEntry.objects.get(action="job.submit")
        assert job.input_sha256.encode() not in bytes(entry.entry)
        for slug in (member.slug, job.spacecraft.organisation.slug):
            with acting_for([(1, slug)]):
                opened = verify_opening(opening(entry), entry=bytes(entry.entry))
            assert opened["input_sha256"] == job.input_sha256
        with acting_for([(1, "another-member")]), pytest.raises(NotEntitledError):
            opening(entry)

    @pytest.mark.parametrize(
        ("program", "content", "complaint"),
        [
            ("DOOM", b"x", "No program 'DOOM' on board. There are: MATRIX_PRODUCT, SHA256"),
            ("sha256", b"x", "No program 'sha256'"),
            ("SHA256", b"", "is empty"),
            ("MATRIX_PRODUCT", struct.pack(">HHH", 2, 2, 2), "takes 38 octets"),
            ("IMAGE_STATISTICS", b"\x89PNG\r\n\x1a\n 1 2 3", "begins with"),
        ],
    )
    def test_refuses_what_would_only_fail_on_board(self, submit, program, content, complaint):
        with pytest.raises(services.JobRefusedError, match=complaint):
            submit(program, content)
        assert not Job.objects.exists()
        assert not Transfer.objects.exists()

    def test_refuses_somebody_of_another_organisation(self, submit):
        stranger = factories.operator(
            "stranger", Role.PAYLOAD_MEMBER, member_of=factories.organisation("elsewhere")
        )
        with pytest.raises(NotPermittedError, match=r"job\.submit"):
            submit(submitted_by=stranger)

    def test_refuses_a_retired_spacecraft(self, submit, dd1):
        dd1.active = False
        with pytest.raises(services.JobRefusedError, match="DD-1 is retired"):
            submit()

    def test_refuses_a_spacecraft_that_runs_no_jobs(self, submit, dd1):
        dd1.telecommands = []
        with pytest.raises(services.JobRefusedError, match="DD-1 runs no jobs"):
            submit()


class TestIdempotency:
    def test_returns_the_same_job_for_the_same_key(self, submit):
        first = submit(idempotency_key="k")
        assert submit(idempotency_key="k") == first
        assert (Job.objects.count(), Transfer.objects.count()) == (1, 1)
        assert AuditEntry.objects.filter(action="job.submit").count() == 1

    def test_takes_two_jobs_without_a_key(self, submit):
        assert submit() != submit()

    def test_refuses_the_key_for_another_input(self, submit):
        first = submit(idempotency_key="k")
        with pytest.raises(services.JobRefusedError, match=f"belongs to job {first.number}"):
            submit(content=b"other", idempotency_key="k")

    def test_refuses_the_key_for_another_program(self, submit):
        octets = struct.pack(">HHHff", 1, 1, 1, 2.0, 3.0)
        submit("SHA256", octets, idempotency_key="k")
        with pytest.raises(services.JobRefusedError, match="another spacecraft, program or input"):
            submit("MATRIX_PRODUCT", octets, idempotency_key="k")

    def test_refuses_the_key_for_another_spacecraft(self, submit):
        submit(idempotency_key="k")
        with pytest.raises(services.JobRefusedError, match="another spacecraft"):
            submit(spacecraft=craft.spacecraft("DD-2", ccsds_id=0x43), idempotency_key="k")

    def test_keys_of_two_organisations_are_apart(self, submit):
        other = factories.organisation("ai-laboratory-1")
        dave = factories.operator("dave", Role.PAYLOAD_MEMBER, member_of=other)
        first = submit(idempotency_key="k")
        assert submit(idempotency_key="k", organisation=other, submitted_by=dave) != first

    def test_refuses_a_key_that_is_too_long(self, submit):
        with pytest.raises(services.JobRefusedError, match="81 characters; the limit is 80"):
            submit(idempotency_key="k" * 81)

    def test_the_database_refuses_a_key_twice(self, submit):
        job = submit(idempotency_key="k")
        job.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            job.save(force_insert=True)

    @pytest.mark.django_db
    def test_takes_one_job_from_many_who_submit_it_at_once(self, tmp_path):
        with installation(tmp_path / "installation") as made:
            made.manage("migrate", "--skip-checks", "--verbosity", "0")
            status, output, errors = made.run(Path(__file__).parent / "submitters.py")
        assert status == 0, errors
        assert output.split() == ["8", "answers", "1", "job", "1", "transfer"]


class TestCancelJob:
    def test_gives_up_a_job_that_waits(self, submit, carol):
        job = submit()
        services.cancel_job(number=job.number, actor=carol, at=AT)
        job.refresh_from_db()
        assert (job.state, job.completed_at) == ("CANCELLED", AT)
        assert Transfer.objects.get().state == "CANCELLED"
        actions = AuditEntry.objects.values_list("action", "actor")
        assert ("job.cancel", "operator:carol") in list(actions)

    def test_refuses_when_the_input_goes_up_already(self, flight, carol):
        flight.transfer("ACTIVE")
        with pytest.raises(services.JobRefusedError, match="waits for its first contact"):
            services.cancel_job(number=flight.number, actor=carol, at=AT)
        assert flight.job.state == "SUBMITTED"
        assert flight.job.uplink.state == "ACTIVE"

    def test_refuses_a_second_time(self, submit, carol):
        job = submit()
        services.cancel_job(number=job.number, actor=carol, at=AT)
        with pytest.raises(services.JobRefusedError, match="is CANCELLED"):
            services.cancel_job(number=job.number, actor=carol, at=AT)

    def test_refuses_another_member(self, submit):
        stranger = factories.operator(
            "stranger", Role.PAYLOAD_MEMBER, member_of=factories.organisation("elsewhere")
        )
        with pytest.raises(NotPermittedError):
            services.cancel_job(number=submit().number, actor=stranger, at=AT)

    def test_raises_on_an_unknown_job(self, carol):
        with pytest.raises(Job.DoesNotExist):
            services.cancel_job(number=404, actor=carol, at=AT)


class TestSelectors:
    def test_lists_newest_first_by_owner_state_and_page(self, submit, member):
        other = factories.organisation("ai-laboratory-1")
        dave = factories.operator("dave", Role.PAYLOAD_MEMBER, member_of=other)
        jobs = [submit() for _ in range(3)]
        theirs = submit(organisation=other, submitted_by=dave)
        assert selectors.job_list() == [theirs, *reversed(jobs)]
        assert selectors.job_list(organisations=[member], limit=2) == [jobs[2], jobs[1]]
        assert selectors.job_list(organisations=[member], before=jobs[1].number) == [jobs[0]]
        assert selectors.job_list(organisations=[]) == []
        assert selectors.job_list(states=["COMPLETED"]) == []
        assert selectors.get_job(theirs.number) == theirs

    def test_refuses_a_result_that_is_not_there(self, submit):
        with pytest.raises(selectors.NoResultError, match="is SUBMITTED: waits for a contact"):
            selectors.read_result(submit())
