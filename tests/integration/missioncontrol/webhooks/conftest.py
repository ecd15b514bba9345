"""Two members and the operator, a receiver, and a sender that goes step by step."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.selectors import published_size
from missioncontrol.audit.services import append_entry, sequence_entries
from missioncontrol.webhooks import services
from missioncontrol.webhooks.courier import Courier
from missioncontrol.webhooks.dispatcher import Dispatcher
from tests import factories
from tests.integration.missioncontrol.webhooks.receiver import receiving

AT = datetime(2026, 12, 1, tzinfo=UTC)
TIMEOUT_S = 0.6


@pytest.fixture
def lab(db):
    return factories.organisation("lab", kind="laboratory")


@pytest.fixture
def rival(db):
    return factories.organisation("rival", kind="laboratory")


@pytest.fixture
def operating(db):
    return factories.organisation("operations")


@pytest.fixture
def mei(lab):
    return factories.operator("mei", Role.ADMINISTRATOR, member_of=lab)


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def make(receiver):
    """Return what makes a webhook to the receiver."""

    def make(organisation, types=("*",), *, url="", name="hook"):
        return services.create_webhook(
            organisation=organisation,
            name=name,
            url=url or receiver.url,
            types=list(types),
            actor="process:test",
            at=AT,
            wall_at=datetime.now(UTC),
        )

    return make


@pytest.fixture
def tell(db):
    """Return what logs and publishes entries, and says at which indices they stand."""

    def tell(*actions, organisation="lab"):
        with transaction.atomic():
            for action in actions:
                append_entry(
                    action=action,
                    subject="job:7",
                    actor="process:test",
                    at=AT,
                    organisation=organisation,
                )
        while sequence_entries(at=AT):
            pass
        end = published_size()
        return list(range(end - len(actions), end))

    return tell


class Sender:
    """A dispatcher whose clock stands still until the test sets it forward."""

    def __init__(self, allowed_hosts):
        self.courier = Courier(allowed_hosts=allowed_hosts, timeout_s=TIMEOUT_S)
        self.dispatcher = Dispatcher(self.courier)
        self.wall_at = datetime.now(UTC)

    def run(self, *, within_s=10.0):
        """Go on until nothing is under way and nothing is due."""
        deadline = time.monotonic() + within_s
        while self.dispatcher.step(at=AT, wall_at=self.wall_at) or self.dispatcher.is_busy:
            assert time.monotonic() < deadline, "it is still busy"
            self.dispatcher.wait(0.02)

    def wait(self, **later):
        """Let time pass, then go on."""
        self.wall_at += timedelta(**later)
        self.run()


@pytest.fixture
def sender(receiver):
    sender = Sender(["127.0.0.1"])
    yield sender
    sender.courier.stop()
