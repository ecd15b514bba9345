from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from missioncontrol.kernel import clock
from missioncontrol.pipelines.executor import pass_run, process
from missioncontrol.pipelines.executor.process import PassExecutor
from missioncontrol.pipelines.models import PassStep, StepKind
from missioncontrol.scheduling.models import Contact

pytestmark = pytest.mark.timeout(60)


class InlineThread:
    """Runs its target at once: the test database belongs to one thread."""

    def __init__(self, *, target, args, name, daemon) -> None:
        self._run = lambda: target(*args)

    def start(self) -> None:
        self._run()

    def is_alive(self) -> bool:
        return False


def is_served() -> bool:
    return PassStep.objects.filter(kind=StepKind.SERVE).exists()


@pytest.fixture
def executor(stage, monkeypatch):
    monkeypatch.setattr(process, "Thread", InlineThread)
    monkeypatch.setattr(process, "close_old_connections", lambda: None)
    monkeypatch.setattr(process.connection, "close", lambda: None)
    return PassExecutor(stop=threading.Event(), surroundings=stage.surroundings())


class TestPassExecutor:
    def test_carries_out_a_contact_whose_pre_pass_has_begun(self, stage, executor):
        stage.end_when = is_served
        executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.COMPLETED
        assert stage.contact.lease_holder == executor.name
        assert stage.contact.lease_expires_at is None

    def test_leaves_a_contact_alone_that_is_not_due(self, stage, executor):
        Contact.objects.update(
            aos=clock.now() + timedelta(seconds=600), los=clock.now() + timedelta(seconds=900)
        )
        executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert (stage.contact.state, stage.contact.lease_epoch) == ("SCHEDULED", 0)

    def test_leaves_a_contact_alone_that_another_executor_holds(self, stage, executor):
        stage.claim("another")
        executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert (stage.contact.state, stage.contact.lease_holder) == ("SCHEDULED", "another")

    def test_closes_a_contact_that_nobody_carried_out(self, stage, executor):
        at = stage.contact.los + timedelta(seconds=1)
        executor.look(at)
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.MISSED
        assert "No pass executor was running" in stage.contact.failure

    def test_gives_a_contact_back_when_it_is_asked_to_stop(self, stage, executor):
        stage.every_nudge = executor._stop.set
        executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.PASS
        assert stage.contact.lease_expires_at is None

    def test_tries_again_after_a_run_that_broke(self, stage, executor, monkeypatch):
        faults = iter([RuntimeError("the file entity broke")])

        def break_once() -> None:
            for fault in faults:
                raise fault

        stage.every_nudge = break_once
        executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.PASS
        executor.look(clock.now())  # too early
        stage.contact.refresh_from_db()
        assert stage.contact.lease_epoch == 1
        executor._not_before_s.clear()
        stage.end_when = is_served
        executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert (stage.contact.state, stage.contact.lease_epoch) == ("COMPLETED", 2)

    def test_outlives_a_database_that_is_away(self, stage, executor, monkeypatch):
        looks = []

        def look(at):
            looks.append(at)
            if len(looks) == 1:
                raise OperationalError("the server closed the connection")
            executor._stop.set()

        monkeypatch.setattr(executor, "look", look)
        executor.run()
        assert len(looks) == 2

    def test_leaves_a_contact_to_its_lease_when_it_cannot_give_it_back(
        self, stage, executor, monkeypatch
    ):
        def away(*_, **__):
            raise OperationalError("the server closed the connection")

        stage.every_nudge = away
        monkeypatch.setattr(process, "release_lease", away)
        executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.PASS
        assert stage.contact.lease_expires_at is not None
        monkeypatch.undo()
        assert executor._not_before_s.keys() == {stage.contact.pk}

    def test_closes_a_contact_that_breaks_every_run_long_after_its_end(
        self, stage, executor, monkeypatch
    ):
        Contact.objects.update(
            state=Contact.State.PASS,
            aos=clock.now() - timedelta(hours=2),
            los=clock.now() - timedelta(hours=1),
        )
        monkeypatch.setattr(pass_run, "pass_report", lambda *_, **__: 1 / 0)
        for _ in range(5):
            executor._not_before_s.clear()
            executor.look(clock.now())
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.FAILED
        assert "The executor broke 5 times, last: ZeroDivisionError" in stage.contact.failure
