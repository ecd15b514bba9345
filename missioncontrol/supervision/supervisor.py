"""Keeps the processes of one installation running and tells the console about them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from missioncontrol.kernel import broker, clock
from missioncontrol.kernel.processes import ProcessState, tell_processes
from missioncontrol.supervision.children import Child, ChildDefinition, ChildState

STOP_WITHIN_S: Final = 2.5
_WATCH_EVERY_S: Final = 0.2
_TELL_EVERY_S: Final = 2.0

logger = logging.getLogger(__name__)


class BrokerNotReadyError(RuntimeError):
    """The broker did not answer in time."""


class Supervisor:
    """Starts children in order, restarts the dead, stops all in reverse order."""

    def __init__(self, *, log_folder: Path) -> None:
        log_folder.mkdir(parents=True, exist_ok=True)
        self._log_folder = log_folder
        self._children: list[Child] = []
        self._told_at = 0.0

    def start(self, definitions: Sequence[ChildDefinition]) -> None:
        """Start more processes; they come after those already started."""
        for definition in definitions:
            child = Child(definition, log_folder=self._log_folder)
            child.start(at_s=time.monotonic())
            self._children.append(child)

    def watch(self) -> None:
        """Look after the children once; call it in a loop."""
        at_s = time.monotonic()
        changed = False
        for child in self._children:
            if child.watch(at_s=at_s):
                changed = True
                if child.state is ChildState.RESTARTING:
                    logger.warning(
                        "%s ended with code %s; it is started again",
                        child.definition.name,
                        child.last_exit,
                    )
        if changed or at_s - self._told_at > _TELL_EVERY_S:
            self._told_at = at_s
            _keep_clock()
            self._tell()
        time.sleep(_WATCH_EVERY_S)

    def stop(self) -> None:
        """Stop everything within about four seconds; the broker is the last to go."""
        deadline_s = time.monotonic() + STOP_WITHIN_S
        product = [child for child in self._children if child.definition.name != "broker"]
        for child in product:
            child.ask_to_stop()
        for child in product:
            child.wait_stopped(deadline_s=deadline_s)
        for child in self._children:
            if child not in product:
                child.ask_to_stop()
                child.wait_stopped(deadline_s=time.monotonic() + 1.0)

    def _tell(self) -> None:
        at = clock.wall_now()
        states = [
            ProcessState(
                name=child.definition.name,
                state=child.state.value,
                pid=child.pid,
                restarts=child.restarts,
                last_exit=child.last_exit,
                seen=at,
            )
            for child in self._children
        ]
        try:
            tell_processes(states)
        except RedisError as error:
            logger.warning("the state of the processes could not be told: %s", error)


def _keep_clock() -> None:
    """Note mission time; a database that is away for a while stops nobody."""
    try:
        clock.keep()
    except DatabaseError as error:
        logger.warning("mission time could not be noted, the database is away: %s", error)
        connection.close()  # one that broke is not used again


def wait_for_broker(*, within_s: float) -> None:
    """Return when the broker answers.

    Raises:
        BrokerNotReadyError: it did not within *within_s* seconds.
    """
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            broker.connection().ping()
        except RedisError as error:
            if time.monotonic() > deadline_s:
                raise BrokerNotReadyError(
                    f"The broker did not answer within {within_s:g} s: {error}. "
                    "Its output is in logs/broker.log."
                ) from error
            time.sleep(0.05)
        else:
            return
