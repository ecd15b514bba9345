"""Open one websocket as everybody, all at once, and say what each hears."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings

from missioncontrol.accounts.policy import Role
from missioncontrol.asgi import application
from missioncontrol.console.hub import FLUSH_EVERY_S
from tests.integration.access.asking import IN, Fault, Row
from tests.integration.access.cast import By, Cast, Subject, Whose
from tests.integration.access.recipes import Meant
from tests.integration.access.scene import Scene

_CLOSED = {4401: "401", 4403: "403"}
_SILENT = "nothing"
_PATIENCE_S = 10.0
_KNOCK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One kind of message; ``publish`` is None for one that comes by itself."""

    kind: str
    meant: Meant
    publish: Callable[[Scene], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRecipe:
    """How one websocket is opened, and what it tells whom.

    Args:
        address: As ``routes`` writes it.
        by: What the ticket is asked for with.
        ticket: Asks for a ticket; empty where none is given.
        meant: Whether somebody may open it.
        first: Kind of the message by which one knows that it is open.
        knock: Publishes that message, where it does not come by itself to everybody.
        messages: What it tells, the last of which everybody hears.
        path: What stands in the braces of the address.
        query: Further query of the address.
    """

    address: str
    by: By
    ticket: Callable[[Subject, Cast], str]
    meant: Meant
    first: str
    messages: Sequence[Message]
    knock: Callable[[Scene], None] | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


SOCKETS: list[SocketRecipe] = []


class Ear:
    """Somebody's end of the socket."""

    def __init__(self, recipe: SocketRecipe, subject: Subject, ticket: str) -> None:
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
        if recipe.by is By.SESSION and subject.session_key:
            cookie = f"{settings.SESSION_COOKIE_NAME}={subject.session_key}"
            headers.append((b"cookie", cookie.encode()))
        scope = {
            "type": "websocket",
            "path": recipe.address.format(**recipe.path),
            "query_string": f"ticket={ticket}{recipe.query}".encode(),
            "headers": headers,
            "subprotocols": [],
        }
        self._socket = ApplicationCommunicator(application, scope)
        self._recipe = recipe
        self.heard: set[str] = set()
        self.outcome = ""

    async def open(self) -> None:
        """Open it, and wait until it tells something or is closed."""
        await self._socket.send_input({"type": "websocket.connect"})
        accepted = await self._socket.receive_output(timeout=_PATIENCE_S)
        assert accepted["type"] == "websocket.accept"
        self.outcome = await self._until(self._recipe.first)

    async def listen(self, last: str) -> None:
        """Listen until the message that everybody hears."""
        if self.outcome == IN and last not in self.heard:
            await self._until(last)

    async def close(self) -> None:
        await self._socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._socket.wait(timeout=_PATIENCE_S)

    async def _until(self, kind: str) -> str:
        while True:
            event = await self._socket.receive_output(timeout=_PATIENCE_S)
            if event["type"] == "websocket.close":
                return _CLOSED[event["code"]]
            told = json.loads(event["text"])
            self.heard.add(_kind(told))
            if kind in self.heard:
                return IN


def _kind(told: dict[str, Any]) -> str:
    """Return a message's kind; of a refresh with its part, which tells two apart."""
    if "type" not in told:
        return "replay" if "replay" in told else "values"
    return ":".join(filter(None, (told["type"], told.get("part"))))


class Listening:
    """Lets everybody open one websocket; collects what is wrong."""

    def __init__(self, recipe: SocketRecipe, scene: Scene) -> None:
        self.recipe = recipe
        self.scene = scene
        self.faults: list[Fault] = []

    async def rows(self) -> list[Row]:
        """Return the rows of the table for this socket."""
        cast = self.scene.cast
        subjects = [cast.stranger, *cast.people()]
        tickets = await sync_to_async(
            lambda: [self.recipe.ticket(each, cast) for each in subjects]
        )()
        ears = {
            subject.name: Ear(self.recipe, subject, ticket)
            for subject, ticket in zip(subjects, tickets, strict=True)
        }
        try:
            await self._open(ears)
            await self._tell(ears)
        finally:
            await asyncio.gather(*(ear.close() for ear in ears.values()))
        return [*self._connected(ears, subjects), *self._heard(ears, subjects)]

    async def _open(self, ears: dict[str, Ear]) -> None:
        opening = asyncio.gather(*(ear.open() for ear in ears.values()))
        while self.recipe.knock is not None and not opening.done():
            await sync_to_async(self.recipe.knock)(self.scene)
            await asyncio.wait([opening], timeout=_KNOCK_EVERY_S)
        await opening

    async def _tell(self, ears: dict[str, Ear]) -> None:
        *others, last = self.recipe.messages
        for message in others:
            await self._publish(message)
        await asyncio.sleep(2 * FLUSH_EVERY_S)  # what is sent in batches is sent by then
        await self._publish(last)
        await asyncio.gather(*(ear.listen(last.kind) for ear in ears.values()))

    async def _publish(self, message: Message) -> None:
        if message.publish is not None:
            await sync_to_async(message.publish)(self.scene)

    def _connected(self, ears: dict[str, Ear], subjects: list[Subject]) -> list[Row]:
        route = f"OPEN {self.recipe.address}"
        outcomes = {name: ear.outcome for name, ear in ears.items()}
        return self._compared(route, outcomes, subjects, self.recipe.meant)

    def _heard(self, ears: dict[str, Ear], subjects: list[Subject]) -> list[Row]:
        rows = []
        for message in self.recipe.messages:
            outcomes = {
                name: (IN if message.kind in ear.heard else _SILENT)
                if ear.outcome == IN
                else ear.outcome
                for name, ear in ears.items()
            }
            route = f"HEAR {self.recipe.address} {message.kind}"
            rows += self._compared(route, outcomes, subjects, message.meant)
        return rows

    def _compared(
        self, route: str, outcomes: dict[str, str], subjects: list[Subject], meant: Meant
    ) -> list[Row]:
        for subject in subjects:
            if (outcomes[subject.name] == IN) != meant(subject, self.scene):
                text = f"{subject.name}: {outcomes[subject.name]}, against what is meant"
                self.faults.append(Fault(route=route, text=text))
        return [
            Row(
                route=route,
                by=self.recipe.by.value,
                at=at,
                stranger=outcomes[self.scene.cast.stranger.name],
                without_role=outcomes[self.scene.cast.without_role.name],
                roles=tuple(
                    outcomes[self.scene.cast.with_role[role, whose].name] for role in Role
                ),
            )
            for at, whose in (("own", Whose.OPERATING), ("other", Whose.MEMBER))
        ]
