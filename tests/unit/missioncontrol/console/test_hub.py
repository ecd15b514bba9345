"""The hub's queues, without a broker."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from typing import ClassVar

from missioncontrol.console.audience import Audience, without_commanding
from missioncontrol.console.hub import QUEUE_LENGTH, Client, Hub
from missioncontrol.pipelines.executor.pass_message import pass_message

EVERYTHING = Audience(
    telemetry_of=frozenset({"DD-1"}), telecommands_of=frozenset({"DD-1"}), passes=True, jobs=True
)
A_MEMBER = Audience(telemetry_of=frozenset(), telecommands_of=frozenset(), passes=True, jobs=False)


def client() -> Client:
    return Client(session_key="key", operator_id=1, audience=EVERYTHING)


class TestClient:
    async def test_gives_messages_in_order(self):
        one = client()
        for number in range(3):
            one.offer(str(number))
        assert [await one.next_text() for _ in range(3)] == ["0", "1", "2"]

    async def test_forgets_the_oldest_when_its_line_is_slow(self):
        one = client()
        for number in range(QUEUE_LENGTH + 5):
            one.offer(str(number))
        assert one.dropped == 5
        assert await one.next_text() == "5"

    async def test_waits_for_the_next(self):
        one = client()
        waiting = asyncio.create_task(one.next_text())
        await asyncio.sleep(0)
        assert not waiting.done()
        one.offer("now")
        assert await asyncio.wait_for(waiting, 1) == "now"

    async def test_sends_nothing_more_once_it_is_to_be_closed(self):
        one = client()
        one.offer("secret")
        one.end(4401)
        assert await one.next_text() is None


class TestAudience:
    def test_of_an_operator_takes_everything(self):
        for kind in ("telemetry", "alarm", "pass", "job", "refresh", "clock", "beat"):
            assert EVERYTHING.takes({"type": kind, "spacecraft": "DD-1"}), kind

    def test_takes_no_telemetry_of_another_spacecraft(self):
        assert not EVERYTHING.takes({"type": "telemetry", "spacecraft": "DD-2"})

    def test_of_a_member_takes_what_its_pages_show(self):
        taken = {
            kind
            for kind in ("telemetry", "alarm", "pass", "job", "refresh", "clock", "beat")
            if A_MEMBER.takes({"type": kind, "spacecraft": "DD-1"})
        }
        assert taken == {"pass", "refresh", "clock", "beat"}


class TestThePassMessage:
    MESSAGE: ClassVar = {
        "type": "pass",
        "contact": 3,
        "state": "PASS",
        "spacecraft": "DD-1",
        "frames_good": 7,
        "telecommand_frames": 2,
        "transfers": [{"id": 1, "file_name": "job-2.in"}],
    }

    async def test_is_whole_for_who_may_see_telecommands_only(self):
        hub, whole, reduced = Hub(), client(), client()
        reduced.audience = A_MEMBER
        hub._clients = {whole, reduced}
        hub._broadcast(self.MESSAGE)
        assert json.loads(await whole.next_text()) == self.MESSAGE
        assert json.loads(await reduced.next_text()) == {
            "type": "pass",
            "contact": 3,
            "state": "PASS",
            "spacecraft": "DD-1",
            "frames_good": 7,
        }

    def test_has_no_other_key_that_tells_what_is_commanded(self):
        source = inspect.getsource(pass_message)
        keys = set(re.findall(r'^ {8}"(\w+)":', source, re.MULTILINE))
        assert keys - set(without_commanding(dict.fromkeys(keys))) == {
            "cop1",
            "file_cltus",
            "refusal",
            "telecommand_frames",
            "telecommand_frames_accepted",
            "transfers",
            "uplink_octets",
        }
        assert set(without_commanding(dict.fromkeys(keys))) == {
            "type",
            "contact",
            "state",
            "spacecraft",
            "antenna",
            "at",
            "elapsed_s",
            "remaining_s",
            "connected",
        }
