"""Commanding, transfers and jobs."""

from __future__ import annotations

from datetime import timedelta

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.services import sequence_entries
from tests import factories
from tests.integration.service_scenarios import scenario, unlogged
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT
from tests.integration.uplink.commanding.conftest import Page, Report
from uplink.commanding import services as commanding
from uplink.commanding.services import changes
from uplink.jobs import services as jobs
from uplink.transfers import services as transfers
from uplink.transfers.models import Transfer

CONTACT = 12
SENT_AT = AT + timedelta(seconds=5)

unlogged("a part of the services that call it, which log", changes.advance, changes.note)
unlogged("a counter, whose numbers stand in the packets", commanding.reserve_sequence_counts)
unlogged("whose file it is follows from the job in its name, which logs", transfers.hand_to)
unlogged("names", jobs.input_file_name, jobs.result_file_name)


def submitted():
    return commanding.submit_telecommand(
        spacecraft=craft.spacecraft(),
        name="PAYLOAD_POWER",
        arguments={"UNIT": "GPU1", "STATE": "ON"},
        submitted_by=factories.operator("alice", Role.OPERATOR),
        at=AT,
    )


def approved():
    telecommand = submitted()
    bob = factories.operator("bob", Role.APPROVER)
    commanding.approve_telecommand(telecommand_id=telecommand.pk, approver=bob, at=AT)
    while sequence_entries(at=AT):
        pass
    return telecommand


def released():
    telecommand = approved()
    assert commanding.release_telecommand(
        telecommand_id=telecommand.pk, contact_id=CONTACT, at=SENT_AT
    )
    telecommand.refresh_from_db()
    return telecommand


@scenario(commanding.submit_telecommand)
def submit(call):
    call(
        spacecraft=craft.spacecraft(),
        name="PING",
        arguments={},
        submitted_by=factories.operator("alice", Role.OPERATOR),
        at=AT,
    )


@scenario(commanding.submit_by_policy)
def submit_by_policy(call):
    arguments = {"JOB": 1, "PROGRAM": "SHA256", "INPUT_SHA256": "00" * 32}
    spacecraft = craft.spacecraft()
    call(spacecraft=spacecraft, name="RUN_JOB", arguments=arguments, policy="jobs", at=AT)


@scenario(commanding.approve_telecommand)
def approve(call):
    call(telecommand_id=submitted().pk, approver=factories.operator("bob", Role.APPROVER), at=AT)


@scenario(commanding.reject_telecommand)
def reject(call):
    telecommand = submitted()
    call(
        telecommand_id=telecommand.pk,
        approver=telecommand.submitted_by,
        reason="not today",
        at=AT,
    )


@scenario(commanding.release_telecommand)
def release(call):
    call(telecommand_id=approved().pk, contact_id=CONTACT, at=AT)


@scenario(commanding.record_radiated)
def radiate(call):
    call(telecommand_id=released().pk, at=SENT_AT)


@scenario(commanding.record_not_radiated)
def take_back(call):
    call(telecommand_id=released().pk, reason="the station refused", at=SENT_AT)


@scenario(commanding.process_verification)
def verify(call):
    telecommand = released()
    done = Report(1, telecommand.request_id, "COMPLETION", SENT_AT)
    call(
        spacecraft=telecommand.spacecraft,
        at=SENT_AT,
        read_reports=lambda _spacecraft, _cursor: Page([done], 1),
    )


@scenario(commanding.expire_overdue)
def expire(call):
    telecommand = released()
    call(spacecraft=telecommand.spacecraft, at=AT + timedelta(days=30))


def file(**fields):
    values = {
        "spacecraft": craft.spacecraft(),
        "file_name": "table.bin",
        "content": b"octets",
        "actor": "process:test",
        "at": AT,
    }
    return values | fields


@scenario(transfers.start_uplink)
def send_a_file(call):
    call(**file())


@scenario(transfers.cancel_transfer)
def cancel_a_file(call):
    transfer = transfers.start_uplink(**file())
    call(transfer_id=transfer.pk, actor=factories.operator("alice", Role.OPERATOR), at=AT)


@scenario(transfers.end)
def end_a_file(call):
    transfer = transfers.start_uplink(**file())
    call(transfer, Transfer.State.COMPLETED, condition="", actor="process:test", at=AT)


@scenario(transfers.log)
def log_a_file(call):
    call("transfer.fail", transfers.start_uplink(**file()), actor="process:test", at=AT)


def job():
    member = factories.organisation("laboratory")
    return {
        "spacecraft": craft.spacecraft(),
        "organisation": member,
        "submitted_by": factories.operator("carol", Role.PAYLOAD_MEMBER, member_of=member),
        "program": "SHA256",
        "input_octets": b"octets",
        "at": AT,
    }


@scenario(jobs.submit_job)
def submit_a_job(call):
    call(**job())


@scenario(jobs.cancel_job)
def cancel_a_job(call):
    submitted_job = jobs.submit_job(**job())
    call(number=submitted_job.number, actor=submitted_job.submitted_by, at=AT)


@scenario(jobs.advance_jobs)
def advance_a_job(call):
    submitted_job = jobs.submit_job(**job())
    Transfer.objects.update(state=Transfer.State.COMPLETED, completed_at=AT)
    call(spacecraft=submitted_job.spacecraft, at=AT)
