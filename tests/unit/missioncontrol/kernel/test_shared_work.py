from __future__ import annotations

import asyncio

from django.db import OperationalError

from missioncontrol.kernel.organisations import acting_for, context_or_none
from missioncontrol.kernel.shared_work import SharedWork, every


class Counted:
    """Work that tells how often it was begun and ended."""

    def __init__(self):
        self.begun = self.ended = 0
        self.contexts = []

    async def __call__(self):
        self.begun += 1
        self.contexts.append(context_or_none())
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1


class TestSharedWork:
    async def test_begins_with_the_first_and_ends_with_the_last(self):
        work = Counted()
        shared = SharedWork(work)
        shared.begin()
        shared.begin()
        await asyncio.sleep(0)
        await shared.end()
        assert (work.begun, work.ended) == (1, 0)
        await shared.end()
        assert (work.begun, work.ended) == (1, 1)

    async def test_can_be_begun_again(self):
        work = Counted()
        shared = SharedWork(work)
        for _ in range(3):
            shared.begin()
            await asyncio.sleep(0)
            await shared.end()
        assert (work.begun, work.ended) == (3, 3)

    async def test_is_not_done_for_the_organisations_of_who_came_first(self):
        work = Counted()
        shared = SharedWork(work)
        with acting_for([(1, "first")]):
            shared.begin()
            await asyncio.sleep(0)
        await shared.end()
        assert work.contexts == [None]

    async def test_that_ends_by_itself_is_told_of(self, caplog):
        async def broken():
            raise RuntimeError("no more")

        shared = SharedWork(broken)
        shared.begin()
        await asyncio.sleep(0.01)
        await shared.end()
        assert "work in the background ended" in caplog.text
        assert "no more" in caplog.text


class TestEvery:
    async def test_goes_on_whatever_one_turn_costs(self, caplog):
        turns = []

        async def work():
            turns.append(len(turns))
            if len(turns) == 1:
                raise OperationalError("the server closed the connection")
            if len(turns) == 2:
                raise RuntimeError("a bug")

        task = asyncio.create_task(every(0.001, work))
        while len(turns) < 4:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        assert "waits for the database: the server closed" in caplog.text
        assert "failed; it is tried again" in caplog.text
