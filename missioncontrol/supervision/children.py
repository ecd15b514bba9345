"""One supervised process: started, watched, restarted with a growing pause, stopped.

No Django here: argv and environment in, a running process out.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 15.0
# A process that ran this long is healthy again: its next restart comes at once.
HEALTHY_AFTER_S: Final = 30.0
LARGEST_LOG_OCTETS: Final = 5 << 20
_PR_SET_PDEATHSIG: Final = 1


class ChildState(StrEnum):
    """What the console shows of a process."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildDefinition:
    """What to run and where its output goes."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM


class Child:
    """A process that is kept running until :meth:`stop`.

    The caller calls :meth:`watch` a few times a second; times are monotonic
    seconds passed in.
    """

    def __init__(self, definition: ChildDefinition, *, log_folder: Path) -> None:
        self.definition = definition
        self.restarts = 0
        self.last_exit: int | None = None
        self._log_file = log_folder / f"{definition.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._pause_s = FIRST_PAUSE_S

    @property
    def pid(self) -> int | None:
        """Return the process id while it runs."""
        return self._process.pid if self._process is not None else None

    @property
    def state(self) -> ChildState:
        """Return what the process is doing now."""
        if self._process is not None:
            return ChildState.RUNNING
        return ChildState.RESTARTING if self._start_again_at else ChildState.STOPPED

    def start(self, *, at_s: float) -> None:
        """Start the process in a session of its own; its output is appended to its log."""
        self._turn_log_over()
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # argv is ours
                self.definition.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.definition.environment},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # no thread runs in the supervisor
            )
        self._started_at = at_s
        self._start_again_at = 0.0

    def watch(self, *, at_s: float) -> bool:
        """Look after the process; return whether anything changed."""
        if self._process is None:
            if self._start_again_at and at_s >= self._start_again_at:
                self.start(at_s=at_s)
                self.restarts += 1
                return True
            return False
        exit_code = self._process.poll()
        if exit_code is None:
            return False
        self._kill_group(signal.SIGKILL)  # what it had started goes with it
        self.last_exit, self._process = exit_code, None
        if at_s - self._started_at > HEALTHY_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        self._start_again_at = at_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        return True

    def ask_to_stop(self) -> None:
        """Send the stop signal; it is not started again."""
        self._start_again_at = 0.0
        self._pause_s = LONGEST_PAUSE_S
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.definition.stop_signal)

    def wait_stopped(self, *, deadline_s: float) -> None:
        """Wait until *deadline_s* (monotonic), then kill what still runs."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=max(0.0, deadline_s - time.monotonic()))
        self._kill_group(signal.SIGKILL)
        self.last_exit = self._process.wait()
        self._process = None

    def _turn_log_over(self) -> None:
        """Keep one older log beside the current one, so that logs cannot fill a disk."""
        if self._log_file.exists() and self._log_file.stat().st_size > LARGEST_LOG_OCTETS:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))

    def _kill_group(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return


def _die_with_parent() -> None:
    """End this process when the supervisor is killed, so that none is orphaned (Linux)."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):  # another system: an orphan is then possible
        return
