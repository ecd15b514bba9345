"""Run the command lines as everybody, and say how each fared."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from django.test import Client

from missioncontrol.accounts.policy import Role
from missioncontrol.client import http_log
from missioncontrol.client.command_line import main
from missioncontrol.client.tokens import TOKEN_VARIABLE
from tests.integration.access.asking import IN, Fault, Row
from tests.integration.access.cast import Subject, Whose
from tests.integration.access.recipes import granted
from tests.integration.access.recipes_commands import (
    BY_THEMSELVES,
    LOG_COMMANDS,
    ON_THE_MACHINE,
    READS_THE_LOG,
    LogCommand,
)
from tests.integration.access.scene import Scene

_ADDRESS = "http://127.0.0.1/log"
_NO_MATTER = "-"  # asks for no role


class Commanding:
    """Runs the commands; collects what is wrong."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.folder = folder
        self.faults: list[Fault] = []

    def rows(self) -> list[Row]:
        """Return the rows of the table for all commands."""
        return [
            *(_without_roles(name, "the machine") for name in ON_THE_MACHINE),
            *(_without_roles(name, "a member's own machine") for name in BY_THEMSELVES),
            *(row for command in LOG_COMMANDS for row in self._rows_of(command)),
        ]

    def _rows_of(self, command: LogCommand) -> list[Row]:
        return [
            Row(
                route=command.name,
                by="token",
                at=at,
                stranger=self._fared(command, self.scene.cast.stranger),
                without_role="",
                roles=tuple(
                    self._fared(command, self.scene.cast.with_role[role, whose]) for role in Role
                ),
            )
            for at, whose in (("own", Whose.OPERATING), ("other", Whose.MEMBER))
        ]

    def _fared(self, command: LogCommand, subject: Subject) -> str:
        outcome = self._run(command, subject)
        if (outcome == IN) != granted(READS_THE_LOG)(subject, self.scene):
            text = f"{subject.name}: {outcome}, against what is meant"
            self.faults.append(Fault(route=command.name, text=text))
        return outcome

    def _run(self, command: LogCommand, subject: Subject) -> str:
        errors = io.StringIO()
        folder = self.folder / command.name.replace(" ", "-") / subject.name.replace(" ", "-")
        with (
            _served_by_django(),
            mock.patch.dict("os.environ", {TOKEN_VARIABLE: subject.secret}),
            redirect_stdout(io.StringIO()),
            redirect_stderr(errors),
        ):
            status = main(command.arguments(_ADDRESS, folder))
        said = errors.getvalue()
        refusals = [code for code in ("401", "403") if f"answers {code}" in said]
        return IN if status == 0 else (refusals or [said])[0]


def _without_roles(name: str, by: str) -> Row:
    return Row(
        route=name,
        by=by,
        at="",
        stranger="",
        without_role=_NO_MATTER,
        roles=(_NO_MATTER,) * len(Role),
    )


@contextmanager
def _served_by_django() -> Iterator[None]:
    """Let the client's requests go straight to the product, in this transaction."""

    def fetch(_opener: object, asked: Request, *, limit: int) -> bytes | None:
        answer = Client().get(urlsplit(asked.full_url).path, headers=dict(asked.header_items()))
        if answer.status_code == 200:
            assert len(answer.content) <= limit
            return answer.content
        if answer.status_code == 404:
            return None
        error = HTTPError(asked.full_url, answer.status_code, answer.reason_phrase, {}, None)
        raise http_log._refusal(asked.full_url, error)

    with mock.patch.object(http_log, "_fetch", fetch):
        yield
