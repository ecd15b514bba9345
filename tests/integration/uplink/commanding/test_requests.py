from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import live
from missioncontrol.kernel.errors import NotPermittedError
from tests.integration.missioncontrol.audit.log_entries import private_part
from tests.integration.uplink.commanding.conftest import AT
from uplink.commanding import selectors, services
from uplink.commanding.models import Telecommand

LATER = AT + timedelta(minutes=1)


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "actor"))


class TestSubmitTelecommand:
    def test_stores_it_with_its_definition_and_logs_it(self, submitted, alice):
        telecommand = Telecommand.objects.get()
        assert (telecommand.state, telecommand.submitted_by) == ("SUBMITTED", alice)
        assert telecommand.arguments == {"UNIT": "GPU1", "STATE": "ON"}
        assert telecommand.hazardous
        assert telecommand.definition["apid"] == 201
        [entry] = AuditEntry.objects.all()
        assert (entry.action, entry.actor, entry.at) == (
            "telecommand.submit",
            "operator:alice",
            AT,
        )
        assert entry.subject == f"telecommand:{telecommand.pk}"
        assert json.loads(bytes(entry.entry))["details"] == {
            "spacecraft": "DD-1",
            "name": "PAYLOAD_POWER",
            "hazardous": True,
        }
        assert private_part(entry) == {"arguments": {"UNIT": "GPU1", "STATE": "ON"}}

    def test_tells_the_consoles_after_the_commit(
        self, dd1, alice, monkeypatch, django_capture_on_commit_callbacks
    ):
        sent = []
        monkeypatch.setattr(live, "publish", sent.append)
        with django_capture_on_commit_callbacks(execute=True):
            services.submit_telecommand(
                spacecraft=dd1, name="PING", arguments={}, submitted_by=alice, at=AT
            )
            assert sent == []
        assert sent == [{"type": "refresh", "part": "commands"}]

    @pytest.mark.parametrize(
        ("name", "arguments", "text"),
        [
            (
                "SET_TM_RATE",
                {"PERIOD_S": 600},
                "Not submitted for DD-1: SET_TM_RATE cannot be made of these arguments. "
                "PERIOD_S: 600; allowed: a whole number from 1 to 60 s.",
            ),
            (
                "PONG",
                {},
                "Not submitted for DD-1: There is no telecommand 'PONG'. "
                "Defined are: PAYLOAD_POWER, PING, RUN_JOB, SET_TM_RATE.",
            ),
        ],
    )
    def test_refuses_what_is_not_defined_and_changes_nothing(
        self, dd1, alice, name, arguments, text
    ):
        with pytest.raises(services.TelecommandRefusedError) as refusal:
            services.submit_telecommand(
                spacecraft=dd1, name=name, arguments=arguments, submitted_by=alice, at=AT
            )
        assert str(refusal.value) == text
        assert not Telecommand.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_refuses_a_retired_spacecraft(self, dd1, alice):
        dd1.active = False
        with pytest.raises(services.TelecommandRefusedError, match="takes no telecommands"):
            services.submit_telecommand(
                spacecraft=dd1, name="PING", arguments={}, submitted_by=alice, at=AT
            )

    @pytest.mark.parametrize("who", ["bob", "stranger"])
    def test_refuses_who_may_not_command_this_spacecraft(self, dd1, who, request):
        with pytest.raises(NotPermittedError, match=r"telecommand\.submit"):
            services.submit_telecommand(
                spacecraft=dd1,
                name="PING",
                arguments={},
                submitted_by=request.getfixturevalue(who),
                at=AT,
            )


class TestSubmitByPolicy:
    ARGUMENTS = {"JOB": 17, "PROGRAM": "SHA256", "INPUT_SHA256": "00" * 32}  # noqa: RUF012

    def submit(self, dd1, name="RUN_JOB", arguments=None, policy="job-pipeline"):
        return services.submit_by_policy(
            spacecraft=dd1,
            name=name,
            arguments=self.ARGUMENTS if arguments is None else arguments,
            policy=policy,
            at=AT,
            origin="job:17",
        )

    def test_approves_in_one_entry_in_the_name_of_the_policy(self, dd1):
        telecommand = self.submit(dd1)
        telecommand.refresh_from_db()
        assert (telecommand.state, telecommand.approval_policy) == ("APPROVED", "job-pipeline")
        assert (telecommand.submitted_by, telecommand.approved_by) == (None, None)
        assert actions() == [("telecommand.issue", "process:job-pipeline")]
        assert telecommand.approval_entry == AuditEntry.objects.get()
        assert selectors.telecommand_list(origin="job:17") == [telecommand]

    @pytest.mark.parametrize(
        ("name", "arguments"), [("PING", {}), ("PAYLOAD_POWER", {"UNIT": "GPU0", "STATE": "ON"})]
    )
    def test_refuses_a_telecommand_that_needs_two_persons(self, dd1, name, arguments):
        with pytest.raises(services.TelecommandRefusedError, match=f"{name} .* needs two persons"):
            self.submit(dd1, name, arguments)
        assert not Telecommand.objects.exists()

    def test_refuses_a_policy_without_a_name(self, dd1):
        with pytest.raises(services.TelecommandRefusedError, match="has no name"):
            self.submit(dd1, policy="")

    def test_an_operators_own_still_needs_a_second_person(self, dd1, alice):
        telecommand = services.submit_telecommand(
            spacecraft=dd1, name="RUN_JOB", arguments=self.ARGUMENTS, submitted_by=alice, at=AT
        )
        assert telecommand.state == "SUBMITTED"


class TestApproveTelecommand:
    def test_stores_the_approval_with_its_entry(self, submitted, bob):
        services.approve_telecommand(telecommand_id=submitted.pk, approver=bob, at=LATER)
        submitted.refresh_from_db()
        assert (submitted.state, submitted.approved_by, submitted.approved_at) == (
            "APPROVED",
            bob,
            LATER,
        )
        assert submitted.approval_entry == AuditEntry.objects.get(action="telecommand.approve")
        assert actions()[-1] == ("telecommand.approve", "operator:bob")

    def test_refuses_the_submitter(self, submitted, alice):
        with pytest.raises(services.ApprovalRefusedError) as refusal:
            services.approve_telecommand(telecommand_id=submitted.pk, approver=alice, at=AT)
        assert str(refusal.value) == (
            f"PAYLOAD_POWER #{submitted.pk} for DD-1 was submitted by alice. "
            "A second operator must approve it."
        )
        submitted.refresh_from_db()
        assert submitted.state == "SUBMITTED"
        assert actions() == [("telecommand.submit", "operator:alice")]

    def test_refuses_the_role_of_another_organisation(self, submitted, stranger):
        with pytest.raises(NotPermittedError, match=r"telecommand\.approve"):
            services.approve_telecommand(telecommand_id=submitted.pk, approver=stranger, at=AT)

    def test_refuses_a_second_approval(self, approved, bob):
        with pytest.raises(
            services.ApprovalRefusedError, match="is APPROVED; only SUBMITTED can be approved"
        ):
            services.approve_telecommand(telecommand_id=approved.pk, approver=bob, at=LATER)
        assert len(actions()) == 2

    def test_raises_on_an_unknown_telecommand(self, bob):
        with pytest.raises(Telecommand.DoesNotExist):
            services.approve_telecommand(telecommand_id=404, approver=bob, at=AT)


class TestRejectTelecommand:
    def test_stores_who_and_why(self, submitted, bob):
        services.reject_telecommand(
            telecommand_id=submitted.pk, approver=bob, reason=" not now ", at=LATER
        )
        submitted.refresh_from_db()
        assert (submitted.state, submitted.rejected_by, submitted.rejection_reason) == (
            "REJECTED",
            bob,
            "not now",
        )
        assert actions()[-1] == ("telecommand.reject", "operator:bob")

    def test_lets_the_submitter_withdraw_even_an_approved_one(self, approved, alice):
        services.reject_telecommand(
            telecommand_id=approved.pk, approver=alice, reason="too early", at=LATER
        )
        approved.refresh_from_db()
        assert approved.state == "REJECTED"

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
    def test_refuses_without_a_reason(self, submitted, bob, reason):
        with pytest.raises(services.ApprovalRefusedError, match="1 to 200 characters"):
            services.reject_telecommand(
                telecommand_id=submitted.pk, approver=bob, reason=reason, at=AT
            )

    def test_refuses_what_is_released(self, released, bob):
        with pytest.raises(services.ApprovalRefusedError, match="is RELEASED; only SUBMITTED or"):
            services.reject_telecommand(
                telecommand_id=released.pk, approver=bob, reason="no", at=LATER
            )

    def test_refuses_a_stranger(self, submitted, stranger):
        with pytest.raises(NotPermittedError):
            services.reject_telecommand(
                telecommand_id=submitted.pk, approver=stranger, reason="no", at=AT
            )


class TestTheDatabase:
    def test_refuses_the_submitter_as_approver(self, submitted, alice):
        submitted.approved_by = alice
        with pytest.raises(IntegrityError, match="second_person_approves"), transaction.atomic():
            submitted.save()

    def test_refuses_the_submitter_as_approver_of_many(self, submitted, alice):
        with pytest.raises(IntegrityError, match="second_person_approves"), transaction.atomic():
            Telecommand.objects.filter(pk=submitted.pk).update(approved_by=alice)

    @pytest.mark.parametrize(
        "state", ["APPROVED", "RELEASED", "RADIATED", "ACCEPTED", "STARTED", "COMPLETED", "FAILED"]
    )
    def test_refuses_every_further_state_without_an_approval(self, submitted, state):
        with pytest.raises(IntegrityError, match="goes_on_only_approved"), transaction.atomic():
            Telecommand.objects.filter(pk=submitted.pk).update(
                state=state, packet=b"x", request_id=1, released_at=AT
            )

    def test_refuses_an_approval_without_a_person_or_a_policy(self, submitted):
        entry = AuditEntry.objects.get()
        with pytest.raises(IntegrityError, match="goes_on_only_approved"), transaction.atomic():
            Telecommand.objects.filter(pk=submitted.pk).update(
                state="APPROVED", approval_entry=entry
            )

    def test_refuses_an_approval_without_an_entry_in_the_log(self, submitted, bob):
        with pytest.raises(IntegrityError, match="goes_on_only_approved"), transaction.atomic():
            Telecommand.objects.filter(pk=submitted.pk).update(state="APPROVED", approved_by=bob)

    def test_refuses_a_policy_for_a_hazardous_telecommand(self, submitted):
        with pytest.raises(IntegrityError, match="hazardous_by_two"), transaction.atomic():
            Telecommand.objects.filter(pk=submitted.pk).update(
                approval_policy="job-pipeline", submitted_by=None
            )

    def test_refuses_a_policy_for_what_a_person_submitted(self, dd1, alice):
        ping = services.submit_telecommand(
            spacecraft=dd1, name="PING", arguments={}, submitted_by=alice, at=AT
        )
        with pytest.raises(IntegrityError, match="policy_is_no_person"), transaction.atomic():
            Telecommand.objects.filter(pk=ping.pk).update(approval_policy="job-pipeline")

    def test_refuses_a_release_without_a_packet(self, approved):
        with pytest.raises(IntegrityError, match="released_has_packet"), transaction.atomic():
            Telecommand.objects.filter(pk=approved.pk).update(state="RELEASED")
