from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from tests.integration.missioncontrol.audit.log_entries import private_part
from tests.integration.uplink.jobs.conftest import CONTENT, Flight
from uplink.commanding.models import Telecommand
from uplink.jobs import selectors, services, tasks
from uplink.jobs.models import Job
from uplink.transfers import storage
from uplink.transfers.models import Transfer

OUTPUT = b"\x01" * 32


def actions():
    entries = AuditEntry.objects.filter(action__startswith="job.").order_by("pk")
    return [entry.action for entry in entries]


class TestAdvanceJobs:
    def test_goes_through_all_states_to_a_verified_result(self, flight):
        assert flight.advance() == 0
        flight.transfer("ACTIVE")
        assert flight.advance() == 1
        assert flight.job.state == "UPLINKING"
        flight.transfer("SUSPENDED")
        assert flight.advance() == 0
        flight.transfer("COMPLETED", completed_at=flight.at)
        assert flight.advance() == 1
        assert (flight.job.state, flight.job.uplinked_at) == (
            "COMMANDED",
            flight.job.uplink.completed_at,
        )
        telecommand = flight.job.telecommand
        assert (telecommand.name, telecommand.state, telecommand.origin) == (
            "RUN_JOB",
            "APPROVED",
            f"job:{flight.number}",
        )
        assert telecommand.arguments == {
            "JOB": flight.number,
            "PROGRAM": "SHA256",
            "INPUT_SHA256": flight.job.input_sha256,
        }
        for state in ("RELEASED", "RADIATED", "ACCEPTED"):
            flight.telecommand(state)
            assert flight.advance() == 0
        flight.telecommand("STARTED")
        assert flight.advance() == 1
        assert (flight.job.state, flight.job.started_at) == ("RUNNING", flight.at)
        flight.telecommand("COMPLETED")
        assert flight.advance() == 1
        assert (flight.job.state, flight.job.finished_at) == ("DOWNLINKING", flight.at)
        coming = flight.downlink(state="ACTIVE")
        assert flight.advance() == 1
        assert flight.job.downlink == coming
        assert flight.advance() == 0
        storage.store(coming.stored_name, flight.result_file(OUTPUT))
        Transfer.objects.filter(pk=coming.pk).update(state="COMPLETED")
        assert flight.advance() == 1
        job = flight.job
        assert (job.state, job.downlink, job.completed_at) == ("COMPLETED", coming, flight.at)
        assert (job.output_sha256, job.output_octets) == (
            "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793",
            32,
        )
        # What the spacecraft says counts more than when the ground heard of it.
        assert job.started_at == datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
        assert job.finished_at == datetime(2026, 12, 1, 12, 31, tzinfo=UTC)
        assert selectors.read_result(job) == OUTPUT
        assert flight.advance() == 0
        assert actions() == [
            "job.submit",
            "job.uplink",
            "job.command",
            "job.start",
            "job.finish",
            "job.complete",
        ]

    def test_commands_once_however_often_it_is_called(self, flight):
        flight.uplinked()
        for _ in range(3):
            assert flight.advance() == 0
        assert Telecommand.objects.count() == 1

    def test_takes_the_result_before_any_report_of_it(self, flight):
        flight.uplinked()
        flight.telecommand("RELEASED")
        flight.downlink(flight.result_file(OUTPUT))
        assert flight.advance() == 1
        assert flight.job.state == "COMPLETED"
        flight.telecommand("COMPLETED")  # the report comes later
        assert flight.advance() == 0
        assert flight.job.state == "COMPLETED"

    def test_skips_to_the_downlink_when_reports_came_together(self, flight):
        flight.uplinked()
        flight.telecommand("COMPLETED")
        assert flight.advance() == 1
        assert flight.job.state == "DOWNLINKING"

    @pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
    def test_fails_when_the_input_did_not_get_on_board(self, flight, state):
        flight.transfer(state, condition="filestore rejection")
        assert flight.advance() == 1
        assert flight.job.state == "FAILED"
        assert flight.job.failure == "Its input did not get on board: filestore rejection."
        assert actions()[-1] == "job.fail"

    def test_fails_when_the_spacecraft_refuses_to_run_it(self, flight):
        flight.uplinked()
        flight.telecommand("FAILED", failure="The start failed, code 4.")
        assert flight.advance() == 1
        assert flight.job.failure == "RUN_JOB was not carried out: The start failed, code 4."
        assert flight.job.state == "FAILED"

    def test_fails_when_the_telecommand_cannot_be_issued(self, flight, dd1):
        dd1.telecommands = []
        dd1.save()
        flight.uplinked()
        assert flight.job.state == "FAILED"
        assert "RUN_JOB could not be issued" in flight.job.failure

    def test_waits_for_a_late_report_and_gives_up_after_a_day(self, flight):
        flight.uplinked()
        flight.telecommand("EXPIRED")
        assert flight.advance(after_s=23 * 3600) == 0
        assert flight.advance(after_s=2 * 3600) == 1
        assert flight.job.failure == (
            "No result came down within 24 h after its input was on board."
        )


class TestWrongResults:
    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"input_sha256": "00" * 32}, "its input_sha256 is"),
            ({"output_sha256": "00" * 32}, "its output_sha256 is"),
            ({"program": "y" * 3000}, "its program is"),
        ],
    )
    def test_fails_with_the_reason_and_keeps_the_file(self, flight, changes, complaint):
        flight.uplinked()
        arrived = flight.downlink(flight.result_file(**changes))
        assert flight.advance() == 1
        job = flight.job
        assert (job.state, job.downlink, job.output_sha256) == ("FAILED", arrived, "")
        assert complaint in job.failure
        assert len(job.failure) <= 1000
        entry = AuditEntry.objects.get(action="job.fail")
        assert private_part(entry)["failure"] == job.failure
        assert complaint.encode() not in bytes(entry.entry)
        with pytest.raises(selectors.NoResultError, match="is not its result"):
            selectors.read_result(job)

    @pytest.mark.parametrize("content", [b"", b"\0" * 50, b"[" * 3000 + b"\n", b"\xff\n"])
    def test_fails_on_noise(self, flight, content):
        flight.uplinked()
        flight.downlink(content)
        assert flight.advance() == 1
        assert flight.job.state == "FAILED"

    @pytest.mark.parametrize(
        "told", ["", "yesterday", None, 17, "2026-12-01T12:00:00", "0001-01-01T00:00:00+14:00"]
    )
    def test_leaves_out_times_that_are_none(self, flight, told):
        flight.uplinked()
        flight.downlink(flight.result_file(started=told, finished=told))
        assert flight.advance() == 1
        assert (flight.job.state, flight.job.started_at) == ("COMPLETED", None)

    def test_fails_when_the_file_was_lost_on_our_disk(self, flight):
        flight.uplinked()
        flight.downlink(content=None)
        assert flight.advance() == 1
        assert "cannot be read: No such file" in flight.job.failure

    def test_passes_over_a_file_of_that_name_from_before_the_job(self, flight):
        flight.downlink(b"unsolicited", at=flight.at - timedelta(days=1))
        flight.uplinked()
        assert flight.job.state == "COMMANDED"
        flight.downlink(flight.result_file(), number=2)
        flight.advance()
        assert flight.job.state == "COMPLETED"


class TestOthers:
    def test_a_job_that_breaks_does_not_stop_the_next(self, flight, submit, monkeypatch, caplog):
        second = Flight(flight.dd1, submit())
        Transfer.objects.update(state="ACTIVE")
        real = services._follow_uplink

        def broken(job, at):
            if job.number == flight.number:
                raise RuntimeError("the unforeseen")
            return real(job, at)

        monkeypatch.setattr(services, "_follow_uplink", broken)
        assert flight.advance() == 1
        assert (flight.job.state, second.job.state) == ("SUBMITTED", "UPLINKING")
        assert f"job {flight.number} is left where it is" in caplog.text

    def test_a_step_that_breaks_leaves_nothing_behind(self, flight, monkeypatch):
        flight.transfer("COMPLETED", completed_at=flight.at)

        def broken(*_args, **_kwargs):
            raise RuntimeError("the log is away")

        with monkeypatch.context() as patch:
            patch.setattr(services, "_log", broken)
            assert flight.advance() == 0
        assert not Telecommand.objects.exists()
        assert flight.advance() == 1
        assert Telecommand.objects.count() == 1

    def test_the_sweep_looks_at_every_spacecraft(self, flight):
        clock.set_clock(mission_time=flight.at, factor=1)
        flight.transfer("ACTIVE")
        assert tasks.sweep_jobs() == 1
        assert tasks.sweep_jobs() == 0
        assert flight.job.state == "UPLINKING"

    def test_the_database_refuses_completion_without_a_digest(self, flight):
        with pytest.raises(IntegrityError, match="job_completed_has_digest"), transaction.atomic():
            Job.objects.update(state="COMPLETED")

    def test_the_content_of_these_tests_is_what_the_jobs_digest_says(self, flight):
        assert flight.job.input_octets == len(CONTENT)
