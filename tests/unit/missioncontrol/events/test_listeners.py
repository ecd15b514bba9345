"""Who may go on listening, with nobody's database."""

from __future__ import annotations

import asyncio

import pytest

from missioncontrol.accounts.credentials import Credential
from missioncontrol.events import listeners as module
from missioncontrol.events.listeners import EndOfStream, Listeners, StreamEndedError


def credential(number: int, operator: int = 1) -> Credential:
    return Credential(operator_id=operator, session_key="", token_id=number)


def always(_principal) -> bool:
    return True


@pytest.fixture
def in_force(monkeypatch):
    """The credentials that hold, with what their owners may."""
    held = {}

    async def read(_function, credentials, *, wall_at):
        return {each: held[each] for each in credentials if each in held}

    monkeypatch.setattr(module, "read", read)
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.01)
    return held


class TestWatch:
    async def test_ends_the_stream_of_who_is_no_longer_signed_in(self, in_force):
        in_force[credential(1)] = in_force[credential(2)] = "rights"
        open_streams = Listeners()
        async with (
            open_streams.listening(credential(1), always) as one,
            open_streams.listening(credential(2), always) as two,
        ):
            await one.wait(0.05)
            del in_force[credential(1)]
            with pytest.raises(StreamEndedError, match="revoked or expired") as caught:
                await one.wait(1)
            assert caught.value.end is EndOfStream.NOT_SIGNED_IN
            await two.wait(0.05)

    async def test_ends_the_stream_of_who_lost_the_right(self, in_force):
        in_force[credential(1)] = "rights"
        open_streams = Listeners()
        async with open_streams.listening(credential(1), lambda may: may == "rights") as one:
            await one.wait(0.05)
            in_force[credential(1)] = "none"
            with pytest.raises(StreamEndedError) as caught:
                await one.wait(1)
            assert caught.value.end is EndOfStream.NOT_PERMITTED

    async def test_goes_on_while_the_database_is_away(self, in_force, monkeypatch, caplog):
        from django.db import OperationalError

        in_force[credential(1)] = "rights"
        read, failing = module.read, asyncio.Event()

        async def away(*arguments, **named):
            if not failing.is_set():
                failing.set()
                raise OperationalError("no connection")
            return await read(*arguments, **named)

        monkeypatch.setattr(module, "read", away)
        open_streams = Listeners()
        async with open_streams.listening(credential(1), always) as one:
            await one.wait(0.05)
            assert "no connection" in caplog.text
            del in_force[credential(1)]
            with pytest.raises(StreamEndedError):
                await one.wait(1)

    @pytest.mark.parametrize(
        ("ended", "limit"), [(False, "STALLED_AFTER_S"), (True, "WATCH_EVERY_S")]
    )
    async def test_breaks_off_where_the_line_takes_nothing(
        self, in_force, monkeypatch, ended, limit
    ):
        in_force[credential(1)] = "rights"
        monkeypatch.setattr(module, limit, 0.01)
        open_streams = Listeners()

        async def send():
            async with open_streams.listening(credential(1), always) as one:
                if ended:
                    one.end(EndOfStream.NOT_PERMITTED, "over")
                with one.sending():
                    await asyncio.Event().wait()

        sending = asyncio.create_task(send())
        await asyncio.wait([sending], timeout=1)
        assert sending.cancelled()

    async def test_lets_a_line_be_slow_for_a_while(self, in_force):
        in_force[credential(1)] = "rights"
        open_streams = Listeners()

        async def send():
            async with open_streams.listening(credential(1), always) as one:
                with one.sending():
                    await asyncio.sleep(0.1)
                await asyncio.sleep(0.1)

        await asyncio.create_task(send())


class TestRoom:
    async def test_is_limited_for_all_and_for_each(self, in_force, monkeypatch):
        monkeypatch.setattr(module, "MAX_STREAMS", 3)
        monkeypatch.setattr(module, "MAX_STREAMS_OF_ONE", 2)
        open_streams = Listeners()
        async with (
            open_streams.listening(credential(1), always),
            open_streams.listening(credential(2), always),
        ):
            with pytest.raises(StreamEndedError, match="2 of them yours") as caught:
                open_streams.require_room(credential(3))
            assert caught.value.end is EndOfStream.NO_ROOM
            async with open_streams.listening(credential(4, operator=2), always):
                with pytest.raises(StreamEndedError, match="3 streams are open here, 0 of them"):
                    open_streams.require_room(credential(5, operator=3))
        open_streams.require_room(credential(3))


@pytest.mark.parametrize("end", list(EndOfStream))
def test_codes_are_of_the_private_range(end):
    """RFC 6455 section 7.4.2."""
    assert 4000 <= end <= 4999
