"""Operations: taken once, by one worker, and not lost with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import IntegrityError, transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.operations import runners, services, tasks
from missioncontrol.operations.models import Operation
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)
TASK = "missioncontrol.operations.tasks.run_operation"


@pytest.fixture
def alice():
    return factories.operator("alice", Role.OPERATOR)


@pytest.fixture
def start(alice):
    def start(kind=Operation.Kind.LOG_VERIFY, age=timedelta(0), **parameters):
        return services.start_operation(
            kind=kind,
            parameters=parameters,
            organisation=alice.home,
            asked_by=alice,
            at=AT,
            wall_at=clock.wall_now() - age,
        )

    return start


@pytest.fixture
def runner(monkeypatch):
    """Return what lets operations be carried out by a function."""
    return lambda function: monkeypatch.setattr(runners, "run", function)


@pytest.fixture
def sent(monkeypatch):
    names = []
    monkeypatch.setattr(
        current_app,
        "send_task",
        lambda name, kwargs, **_: names.append((name, kwargs["operation_id"])),
    )
    return names


def logged(operation):
    entries = AuditEntry.objects.filter(subject=f"operation:{operation.pk}").order_by("pk")
    return [json.loads(bytes(each.entry)) for each in entries]


def begin(operation, ago=timedelta(0)):
    return services.begin_operation(operation_id=operation.pk, wall_at=clock.wall_now() - ago)


class TestStart:
    def test_keeps_it_and_sends_it_when_it_commits(
        self, start, sent, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            operation = start(depth=3)
            assert sent == []
        assert sent == [(TASK, operation.pk)]
        [entry] = logged(operation)
        assert (entry["action"], entry["actor"]) == ("operation.start", "operator:alice")
        assert entry["details"] == {"kind": "log.verify", "parameters": {"depth": 3}}

    def test_refuses_whoever_has_no_role_for_it(self, start, alice):
        alice.memberships.update(role=Role.APPROVER)
        with pytest.raises(NotPermittedError, match=r"log\.verify"):
            start()

    def test_has_a_runner_for_every_kind(self):
        assert set(runners._RUNNERS) == set(Operation.Kind)

    def test_is_named_as_the_action_that_it_takes(self, start):
        assert {Operation(kind=kind).action.value for kind in Operation.Kind} == set(
            Operation.Kind.values
        )


class TestRun:
    def test_keeps_the_result_and_logs_it(self, start, runner):
        runner(lambda operation, **_: {"found": operation.pk})
        operation = start()
        tasks.run_operation(operation_id=operation.pk)
        operation.refresh_from_db()
        assert (operation.state, operation.progress) == ("SUCCEEDED", 1.0)
        assert operation.result == {"found": operation.pk}
        assert operation.asked_at <= operation.started_at <= operation.ended_at
        assert [each["action"] for each in logged(operation)] == [
            "operation.start",
            "operation.finish",
        ]

    def test_happens_once_however_often_the_message_comes(self, start, runner):
        runs = []
        runner(lambda operation, **_: runs.append(operation.pk) or {})
        operation = start()
        for _ in range(3):
            tasks.run_operation(operation_id=operation.pk)
        assert runs == [operation.pk]

    def test_tells_how_far_it_is(self, start, runner, monkeypatch):
        monkeypatch.setattr(tasks, "_TELL_EVERY_S", 0.0)
        seen = []

        def run(operation, *, at, tell):
            for progress in (0.25, 0.75, 7.0, -1.0):
                tell(progress)
                operation.refresh_from_db()
                seen.append(operation.progress)
            return {}

        runner(run)
        tasks.run_operation(operation_id=start().pk)
        assert seen == [0.25, 0.75, 1.0, 0.0]

    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (runners.OperationFailedError("It was in vain."), "It was in vain."),
            (SoftTimeLimitExceeded(), "took longer than 240 s and was stopped"),
            (ZeroDivisionError("the inside"), "The product failed at this"),
        ],
    )
    def test_keeps_why_it_failed(self, start, runner, error, text):
        def run(*_, **__):
            raise error

        runner(run)
        operation = start()
        tasks.run_operation(operation_id=operation.pk)
        operation.refresh_from_db()
        assert (operation.state, operation.result) == ("FAILED", None)
        assert text in operation.error
        assert "the inside" not in operation.error
        assert logged(operation)[-1]["details"]["error"] == operation.error

    def test_by_a_worker_that_lost_it_changes_nothing(self, start):
        operation = start()
        lost = begin(operation)
        Operation.objects.update(state="WAITING", started_at=None)
        begin(operation)  # another worker
        services.note_progress(lost, 0.5)
        services.finish_operation(lost, result={}, at=AT, wall_at=clock.wall_now())
        services.fail_operation(lost, error="x", at=AT, wall_at=clock.wall_now())
        operation.refresh_from_db()
        assert (operation.state, operation.progress, operation.attempt) == ("RUNNING", 0.0, 2)
        assert len(logged(operation)) == 1


class TestCancel:
    def test_refuses_what_has_begun(self, start, alice):
        operation = start()
        begin(operation)
        with pytest.raises(services.OperationRefusedError, match="is carried out; only one"):
            services.cancel_operation(
                operation_id=operation.pk, actor=alice, at=AT, wall_at=clock.wall_now()
            )

    def test_refuses_whoever_could_not_have_asked(self, start):
        bob = factories.operator("bob", Role.APPROVER)
        with pytest.raises(NotPermittedError):
            services.cancel_operation(
                operation_id=start().pk, actor=bob, at=AT, wall_at=clock.wall_now()
            )


class TestSweep:
    LONG_AGO = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT) + timedelta(seconds=20)

    def test_sends_what_waits_for_too_long_again(
        self, start, sent, django_capture_on_commit_callbacks
    ):
        old, _young = start(age=timedelta(seconds=20)), start()
        with django_capture_on_commit_callbacks(execute=True):
            assert tasks.sweep_operations() == 1
        assert sent == [(TASK, old.pk)]

    def test_begins_anew_what_lost_its_worker(self, start, runner):
        runner(lambda operation, **_: {})
        operation = start()
        begin(operation, ago=self.LONG_AGO)
        assert tasks.sweep_operations() >= 1
        tasks.run_operation(operation_id=operation.pk)
        operation.refresh_from_db()
        assert (operation.state, operation.attempt) == ("SUCCEEDED", 2)

    def test_leaves_what_may_still_run(self, start):
        operation = start()
        begin(operation, ago=timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT))
        tasks.sweep_operations()
        operation.refresh_from_db()
        assert operation.state == "RUNNING"

    def test_gives_up_what_takes_every_worker_with_it(self, start):
        operation = start()
        for _ in range(services.MAX_ATTEMPTS):
            assert begin(operation, ago=self.LONG_AGO) is not None
            tasks.sweep_operations()
        operation.refresh_from_db()
        assert operation.state == "FAILED"
        assert operation.error.startswith("3 workers began it and none ended it")
        assert logged(operation)[-1]["action"] == "operation.fail"


class TestDatabase:
    @pytest.mark.parametrize("fields", [{"progress": 1.5}, {"state": "FAILED"}, {"ended_at": AT}])
    def test_refuses_what_cannot_be(self, start, fields):
        operation = start()
        with pytest.raises(IntegrityError), transaction.atomic():
            Operation.objects.filter(pk=operation.pk).update(**fields)


class TestVerification:
    def test_of_a_log_that_never_began_fails(self, start):
        operation = start()
        tasks.run_operation(operation_id=operation.pk)
        operation.refresh_from_db()
        assert operation.error.startswith("The log has no key yet")
