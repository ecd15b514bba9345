"""The process that sends, killed: nothing is lost, and nothing new goes under an old id."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.missioncontrol.audit.installation import ROOT
from tests.integration.missioncontrol.events.served import served
from tests.integration.missioncontrol.webhooks.receiver import receiving

KILLS = 2
EVENTS = 60
COMMAND = [ROOT / "manage.py", "run_webhook_deliveries"]
HASTY = Path(__file__).with_name("hasty_deliveries.py")


@pytest.fixture(scope="module")
def product(tmp_path_factory, broker, migrated):
    folder = tmp_path_factory.mktemp("sending") / "installation"
    with served(folder, migrated, web=False, WEBHOOK_ALLOWED_HOSTS="127.0.0.1") as product:
        for name in ("lab", "rival"):
            product.do("account", username=name, organisation=name, roles=["payload_member"])
        yield product


def wait_until(condition, *, within_s):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_that_is_killed_loses_nothing_and_repeats_only_under_the_same_id(product):
    failed = set()

    def mood(message):
        """Be slow, and fail at some messages once: a kill finds each kind under way."""
        time.sleep(0.005)
        if message.event["id"] % 20 or message.id in failed:
            return 200
        failed.add(message.id)
        return 500

    with ExitStack() as stack:
        receivers = [stack.enter_context(receiving()) for _ in range(3)]
        for receiver in receivers:
            receiver.mood = mood
        secrets = [
            product.do("webhook", organisation="lab", url=each.url, types=["job.*"])
            for each in receivers
        ]
        process = product.run(HASTY)
        for kill in range(KILLS):
            share = EVENTS // KILLS
            product.do(
                "append", count=share, action="job.submit", organisation="lab", first=kill * share
            )
            product.do("publish")
            before = len(receivers[0].got)
            wait_until(lambda: len(receivers[0].got) > before, within_s=60)  # noqa: B023
            process.kill()
            process.wait()
            process = product.run(HASTY)
        arrived = {"DELIVERED": EVENTS * len(receivers)}
        wait_until(
            lambda: product.do("delivery_states", organisation="lab") == arrived, within_s=120
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert "The webhook deliveries have stopped." in product.said()
        for receiver, secret in zip(receivers, secrets, strict=True):
            told = {}
            for message, event in zip(receiver.got, receiver.verified(secret), strict=True):
                assert told.setdefault(message.id, event) == event
            numbers = sorted(each["data"]["details"]["number"] for each in told.values())
            assert numbers == list(range(EVENTS))
            assert len(receiver.got) < EVENTS * 2


def test_that_is_stopped_notes_what_is_under_way(product):
    with receiving() as receiver:
        receiver.mood = lambda _: time.sleep(0.5) or 200
        product.do("webhook", organisation="rival", url=receiver.url, types=["job.*"])
        process = product.run(*COMMAND)
        product.do("append", count=10, action="job.submit", organisation="rival")
        product.do("publish")
        wait_until(lambda: receiver.got, within_s=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert len(receiver.got) < 10
        assert product.do("delivery_states", organisation="rival") == {
            "DELIVERED": len(receiver.got),
            "WAITING": 10 - len(receiver.got),
        }
