from __future__ import annotations

import json
import signal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from missioncontrol.audit import selectors, services
from missioncontrol.audit.management.commands import run_log_sequencer
from missioncontrol.kernel import broker
from missioncontrol.kernel.live import LIVE_CHANNEL, LOG_CHANNEL
from tests.integration.missioncontrol.audit.log_entries import append, publish


@pytest.fixture
def heard():
    """Return what consoles heard since the last call."""
    listener = broker.connection().pubsub(ignore_subscribe_messages=True)
    listener.subscribe(LIVE_CHANNEL)
    listener.get_message(timeout=1)

    def take():
        messages = []
        while message := listener.get_message(timeout=0.1):
            messages.append(json.loads(message["data"]))
        return messages

    yield take
    listener.close()


@pytest.fixture
def signals_kept():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


class TestNews:
    def test_reaches_consoles_at_most_once_a_second_and_never_without_growth(self, heard):
        news = run_log_sequencer._News()
        news.tell(at_s=0.0)
        assert heard() == []
        for tenth in range(25):  # 2.4 seconds
            news.add(1)
            news.tell(at_s=tenth / 10)
        assert heard() == [{"type": "refresh", "part": "audit"}] * 3
        news.tell(at_s=3.1)  # what came since the last time is not kept back for ever
        assert len(heard()) == 1
        news.tell(at_s=9.0)
        assert heard() == []


@pytest.mark.django_db(transaction=True)
class TestStep:
    def test_goes_on_after_the_database_was_locked(self, monkeypatch, caplog):
        command, news = run_log_sequencer.Command(), run_log_sequencer._News()
        with monkeypatch.context() as patch:
            patch.setattr(services, "sequence_entries", locked)
            pause_s = command._step(news)
        assert pause_s == 1.0
        assert "the log waits for the database: database is locked" in caplog.text
        append(3)
        assert command._step(news) == 0.1
        assert selectors.published_size() == 3

    def test_does_not_rest_after_a_full_batch(self, monkeypatch):
        monkeypatch.setattr(services, "MAX_BATCH", 2)
        append(2)
        step = run_log_sequencer.Command()._step
        news = run_log_sequencer._News()
        assert [step(news), step(news)] == [0.0, 0.1]

    def test_tells_the_streams_of_events_at_once_what_was_published_and_nothing_else(self):
        listener = broker.connection().pubsub(ignore_subscribe_messages=True)
        listener.subscribe(LOG_CHANNEL)
        listener.get_message(timeout=1)
        command, news = run_log_sequencer.Command(), run_log_sequencer._News()
        append(3)
        for _ in range(3):
            command._step(news)
        assert listener.get_message(timeout=1) is not None
        assert listener.get_message(timeout=0.1) is None
        listener.close()

    @pytest.mark.usefixtures("signals_kept")
    def test_refusal_ends_the_process_with_its_text(self, settings, tmp_path):
        publish()
        settings.LOG_DIR = tmp_path / "empty"
        with pytest.raises(CommandError, match="Restore LOG_DIR, with its signing key"):
            call_command("run_log_sequencer")


def locked(*, at):
    raise OperationalError("database is locked")
