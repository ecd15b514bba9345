from __future__ import annotations

import json
import logging

import pytest
from django.db import transaction
from kombu import pools

from missioncontrol.accounts.models import Organisation
from missioncontrol.celery import app
from missioncontrol.kernel import broker, dispatch, live
from missioncontrol.kernel.dispatch import send_after_commit

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "uplink.jobs.tasks.sweep_jobs"


@pytest.fixture
def sent(monkeypatch):
    names = []
    monkeypatch.setattr(
        dispatch.current_app,
        "send_task",
        lambda name, kwargs, retry: names.append((name, kwargs, retry)),
    )
    return names


@pytest.fixture
def away(settings):
    """Both ways to the broker lead nowhere."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    broker.connection.cache_clear()
    url, app.conf.broker_url = app.conf.broker_url, settings.REDIS_URL
    _forget_connections()
    yield
    app.conf.broker_url = url
    _forget_connections()
    broker.connection.cache_clear()


def _forget_connections():
    """A pool that was closed stays closed: let Celery and kombu make new ones."""
    pools.reset()
    app._pool = None
    app.amqp._producer_pool = None


def organisation():
    return Organisation.objects.create(slug="made", name="Made", kind="operator")


class TestSendAfterCommit:
    def test_sends_when_the_transaction_commits(self, sent):
        with transaction.atomic():
            send_after_commit(TASK, spacecraft_id=7)
            assert sent == []
        assert sent == [(TASK, {"spacecraft_id": 7}, False)]

    def test_sends_nothing_when_it_is_rolled_back(self, sent):
        with transaction.atomic():
            send_after_commit(TASK)
            transaction.set_rollback(True)
        assert sent == []

    def test_puts_the_task_into_its_queue(self):
        send_after_commit(TASK)
        [message] = broker.connection().lrange("general", 0, -1)
        assert json.loads(message)["headers"]["task"] == TASK

    def test_a_broker_that_is_away_does_not_fail_the_change(self, away, caplog):
        with caplog.at_level(logging.WARNING), transaction.atomic():
            organisation()
            send_after_commit(TASK)
        assert Organisation.objects.count() == 1
        assert f"{TASK} not queued, its sweep will do the work" in caplog.text


class TestLive:
    @pytest.fixture
    def heard(self):
        subscriber = broker.connection().pubsub(ignore_subscribe_messages=True)
        subscriber.subscribe(live.LIVE_CHANNEL)
        subscriber.get_message(timeout=1.0)
        yield lambda: subscriber.get_message(timeout=0.3)
        subscriber.close()

    def test_tells_when_the_transaction_commits(self, heard):
        with transaction.atomic():
            live.publish_after_commit({"type": "refresh", "part": "jobs"})
            assert heard() is None
        assert json.loads(heard()["data"]) == {"type": "refresh", "part": "jobs"}

    def test_tells_nothing_when_it_is_rolled_back(self, heard):
        with transaction.atomic():
            live.publish_after_commit({"type": "refresh", "part": "jobs"})
            transaction.set_rollback(True)
        assert heard() is None

    def test_a_broker_that_is_away_does_not_fail_the_change(self, away):
        with transaction.atomic():
            organisation()
            live.publish_after_commit({"type": "refresh", "part": "jobs"})
        assert Organisation.objects.count() == 1
