"""The hub over a log in memory: whoever listens, however slowly, from wherever."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.accounts.credentials import Credential
from missioncontrol.events import log_hub as module
from missioncontrol.events.event import Event
from missioncontrol.events.event_types import ALL, EventTypes
from missioncontrol.events.listeners import EndOfStream, Listener, StreamEndedError
from missioncontrol.events.log_hub import LogHub
from missioncontrol.events.selectors import EventPage

TYPES = ["job.submit", "job.complete", "contact.book"]


def event(number: int) -> Event:
    return Event(
        id=number,
        type=TYPES[number % len(TYPES)],
        organisation=("a", "b")[number % 2],
        timestamp="2026-12-01T00:00:00Z",
        data={},
    )


class Log:
    """What the database would answer, and how often it was asked."""

    def __init__(self, published: int = 0) -> None:
        self.published = published
        self.asked = 0
        self.fails = 0

    async def read(self, function, *_arguments, **named):
        await asyncio.sleep(0)
        self.asked += 1
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the entry was changed")
        if function is module.published_size:
            return self.published
        begin, end = named["begin"], named["end"]
        types, organisation = named.get("types", ALL), named.get("organisation", "")
        found = [
            each
            for each in map(event, range(begin, end))
            if types.take(each.type) and organisation in {"", each.organisation}
        ][: named.get("limit", 500)]
        full = len(found) == named.get("limit", 500)
        return EventPage(events=found, next_id=found[-1].id + 1 if full else max(begin, end))


@pytest.fixture
def log(monkeypatch):
    log = Log()
    told = asyncio.Event()

    async def messages(_channel):
        while True:
            await told.wait()
            told.clear()
            yield b""

    monkeypatch.setattr(module, "read", log.read)
    monkeypatch.setattr(module, "messages_of", messages)
    monkeypatch.setattr(module, "TURN_EVERY_S", 0.01)
    log.told = told
    return log


def listener() -> Listener:
    credential = Credential(operator_id=1, session_key="", token_id=1)
    return Listener(credential=credential, may=lambda _: True, task=None)


@asynccontextmanager
async def stream(hub, *, begin=None, types=ALL, organisation="", beat_s=5.0):
    one = listener()
    async with hub.followed_by(one):
        events = hub.events(
            one, begin=begin, types=types, organisation=organisation, beat_s=beat_s
        )
        async with aclosing(events) as batches:
            yield one, batches


async def take(batches, count: int, *, pause_s: float = 0.0) -> list[int]:
    numbers: list[int] = []
    while len(numbers) < count:
        numbers += [each.id for each in await anext(batches)]
        await asyncio.sleep(pause_s)
    return numbers


class TestStream:
    async def test_begins_with_what_comes_where_nothing_else_is_asked(self, log):
        log.published = 7
        async with stream(LogHub()) as (_, batches):
            first = asyncio.create_task(take(batches, 3))
            await asyncio.sleep(0.03)
            log.published = 10
            assert await first == [7, 8, 9]

    async def test_begins_where_it_is_asked_and_goes_on_without_a_seam(self, log, monkeypatch):
        monkeypatch.setattr(module, "MAX_BATCH", 3)
        log.published = 10
        async with stream(LogHub(), begin=2) as (_, batches):
            assert await take(batches, 8) == list(range(2, 10))
            log.published = 15
            assert await take(batches, 5) == list(range(10, 15))

    async def test_has_only_what_was_asked_for(self, log):
        log.published = 20
        async with stream(LogHub(), begin=0, types=EventTypes(["job.*"]), organisation="b") as (
            _,
            batches,
        ):
            expected = [n for n in range(40) if n % 3 in {0, 1} and n % 2]
            task = asyncio.create_task(take(batches, len(expected)))
            await asyncio.sleep(0.03)
            log.published = 40
            assert await task == expected

    async def test_waits_for_what_is_not_published_yet(self, log):
        log.published = 5
        async with stream(LogHub(), begin=8) as (_, batches):
            task = asyncio.create_task(take(batches, 1))
            await asyncio.sleep(0.03)
            log.published = 8
            await asyncio.sleep(0.03)
            assert not task.done()
            log.published = 9
            assert await task == [8]

    async def test_shows_that_it_lives(self, log):
        async with stream(LogHub(), beat_s=0.02) as (_, batches):
            assert await anext(batches) == []
            assert await anext(batches) == []

    async def test_hears_at_once_of_a_publication(self, log, monkeypatch):
        monkeypatch.setattr(module, "TURN_EVERY_S", 60.0)
        async with stream(LogHub(), begin=0) as (_, batches):
            task = asyncio.create_task(take(batches, 1))
            await asyncio.sleep(0.03)
            log.published = 1
            log.told.set()
            assert await asyncio.wait_for(task, 1) == [0]

    async def test_goes_on_after_the_database_failed(self, log, caplog):
        async with stream(LogHub(), begin=0) as (_, batches):
            task = asyncio.create_task(take(batches, 2))
            await asyncio.sleep(0.03)
            log.fails, log.published = 3, 2
            assert await asyncio.wait_for(task, 1) == [0, 1]
        assert "tried again" in caplog.text

    async def test_ends_when_it_is_told_to(self, log):
        async with stream(LogHub()) as (one, batches):
            one.end(EndOfStream.NOT_SIGNED_IN, "over")
            with pytest.raises(StreamEndedError, match="over"):
                await anext(batches)

    async def test_sends_nothing_more_once_it_ends(self, log):
        log.published = 10
        async with stream(LogHub(), begin=0) as (one, batches):
            one.end(EndOfStream.NOT_PERMITTED, "over")
            with pytest.raises(StreamEndedError):
                await anext(batches)


class TestSlowLine:
    async def test_is_cut_off_and_told_where_to_go_on(self, log, monkeypatch):
        hub = LogHub()
        monkeypatch.setattr(hub, "_kept", module.deque(maxlen=10))
        async with stream(hub, begin=0) as (_, batches):
            log.published = 1
            assert await take(batches, 1) == [0]
            log.published = 50
            await asyncio.sleep(0.05)
            with pytest.raises(StreamEndedError, match="after 0; nothing is lost") as caught:
                await anext(batches)
            assert caught.value.end is EndOfStream.TOO_SLOW
        async with stream(hub, begin=1) as (_, batches):
            assert await take(batches, 49) == list(range(1, 50))

    async def test_that_was_never_near_the_end_may_take_its_time(self, log, monkeypatch):
        monkeypatch.setattr(module, "MAX_BATCH", 4)
        hub = LogHub()
        monkeypatch.setattr(hub, "_kept", module.deque(maxlen=10))
        log.published = 100
        async with stream(hub, begin=0) as (_, batches):
            assert await take(batches, 100, pause_s=0.001) == list(range(100))


class TestHub:
    async def test_reads_each_event_once_for_all_its_streams(self, log):
        hub = LogHub()
        async with stream(hub, begin=0) as (_, first):
            task = asyncio.create_task(take(first, 40))
            await asyncio.sleep(0.03)
            begun = log.asked
            others = [asyncio.create_task(_follow(hub, 40)) for _ in range(50)]
            await asyncio.sleep(0.03)
            log.published = 40
            assert await task == list(range(40))
            assert [await each for each in others] == [list(range(40))] * 50
            turns = log.asked - begun
            assert turns < 30

    async def test_works_only_while_somebody_listens(self, log):
        hub = LogHub()
        async with stream(hub) as (_, batches):
            task = asyncio.create_task(anext(batches))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait([task])
        asked = log.asked
        await asyncio.sleep(0.05)
        assert log.asked == asked > 0

    async def test_begins_anew_with_the_next_listener(self, log):
        hub = LogHub()
        log.published = 3
        async with stream(hub, begin=0) as (_, batches):
            assert await take(batches, 3) == [0, 1, 2]
        log.published = 6
        async with stream(hub) as (_, batches):
            task = asyncio.create_task(take(batches, 1))
            await asyncio.sleep(0.03)
            log.published = 7
            assert await task == [6]


async def _follow(hub, count):
    async with stream(hub, begin=0) as (_, batches):
        return await take(batches, count)


@given(
    published=st.lists(st.integers(0, 30), min_size=1, max_size=8),
    kept=st.integers(1, 40),
    batch=st.integers(1, 9),
    reconnects=st.lists(st.integers(1, 12), max_size=6),
)
@settings(max_examples=60)
def test_resuming_by_number_loses_and_doubles_nothing(published, kept, batch, reconnects):
    """However the log grows, how little is kept, and how often the line breaks off."""
    total = sum(published)
    got = asyncio.run(_resumed(published, total, kept, batch, list(reconnects)))
    assert got == list(range(total))


async def _resumed(published, total, kept, batch, reconnects):
    log = Log()
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "read", log.read)
    patch.setattr(module, "messages_of", _nothing)
    patch.setattr(module, "TURN_EVERY_S", 0.0)
    patch.setattr(module, "MAX_BATCH", batch)
    hub = LogHub()
    patch.setattr(hub, "_kept", module.deque(maxlen=kept))
    growing = asyncio.create_task(_grow(log, published))
    got: list[int] = []
    try:
        while len(got) < total:
            breaks_after = reconnects.pop() if reconnects else total
            async with stream(hub, begin=len(got)) as (_, batches):
                try:
                    while len(got) < total and breaks_after > 0:
                        new = [each.id for each in await anext(batches)]
                        got += new[:breaks_after]  # the rest was under way when it broke off
                        breaks_after -= len(new)
                except StreamEndedError as end:
                    if end.end is not EndOfStream.TOO_SLOW:
                        raise
    finally:
        await growing
        patch.undo()
    return got


async def _grow(log, published):
    for count in published:
        log.published += count
        await asyncio.sleep(0.001)


async def _nothing(_channel):
    await asyncio.Event().wait()
    yield None
