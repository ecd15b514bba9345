"""Have the newest checkpoint cosigned by all witnesses, again and again.

A round asks everybody for the same checkpoint: cosignatures spread over several
would make a quorum on none. It ends when all have answered, when enough have,
or when the time is up; who is still busy with an old one joins a later round.

The calling thread alone touches the database. A thread for each question does
nothing but talk to its witness and leave the answer in a queue, so that a
witness which never answers holds up nobody, not even the end of the process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Final

from django.db import transaction

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.checkpoint import SignedCheckpoint, parse_checkpoint_body
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.note import parse_note
from missioncontrol.audit.models import Checkpoint, Cosignature, Witness
from missioncontrol.audit.witness_call import (
    TIMEOUT_S,
    WitnessedCheckpoint,
    WitnessError,
    ask_witness,
    folder_prover,
)

# Wall seconds.
_FIRST_REST_S: Final = 1.0  # after a fault; doubled with each one that follows
_LONGEST_REST_S: Final = 30.0
_LINGER_S: Final = 0.3  # for the others, once a round has published

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Question:
    checkpoint_id: int
    asked_at_s: float
    shown_late: bool = False


@dataclass(frozen=True, slots=True)
class _Rest:
    until_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class _Answer:
    witness_id: int
    checkpoint: Checkpoint
    outcome: WitnessedCheckpoint | Exception


class WitnessRounds:
    """Keeps the witnesses at work. One instance in one process; a second does no harm."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        """Ask nobody yet.

        Args:
            timeout_s: Wall seconds that one answer may take.
        """
        self._timeout_s = timeout_s
        # Most witnesses know the same size: one proof for all of them.
        self._prove = lru_cache(maxsize=100)(folder_prover(selectors.log_folder()))
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._arrived: list[_Answer] = []
        self._asked: dict[int, _Question] = {}  # by witness
        self._rests: dict[int, _Rest] = {}  # by witness
        self._target: Checkpoint | None = None
        self._begun_s = 0.0
        self._cosigned: set[int] = set()  # witnesses that cosigned the target
        self._active = 0

    @property
    def active(self) -> int:
        """How many witnesses there were to ask at the last step."""
        return self._active

    def step(self, *, at: datetime, monotonic_s: float) -> int:
        """Store what came in and ask who is free; returns at once.

        Args:
            at: Now, UTC (mission time).
            monotonic_s: Now on a clock that only pauses are measured with.

        Returns:
            How many cosignatures were stored.
        """
        stored = self._take_answers(at=at, monotonic_s=monotonic_s)
        witnesses = list(Witness.objects.filter(active=True).order_by("pk"))
        self._active = len(witnesses)
        self._show_late(monotonic_s)
        self._aim(witnesses, monotonic_s)
        if self._target is not None and self._target.size:
            for witness in witnesses:
                if self._may_ask(witness, monotonic_s):
                    self._ask(witness, self._target, monotonic_s)
        return stored

    def wait(self, timeout_s: float) -> None:
        """Wait for the next answer, at most *timeout_s* wall seconds."""
        try:
            self._arrived.append(self._answers.get(timeout=timeout_s))
        except Empty:
            return

    def _take_answers(self, *, at: datetime, monotonic_s: float) -> int:
        while not self._answers.empty():
            self._arrived.append(self._answers.get())
        stored = 0
        while self._arrived:
            answer = self._arrived[0]
            if isinstance(answer.outcome, Exception):
                self._note_fault(answer, answer.outcome, monotonic_s)
            else:
                self._store(answer, answer.outcome, at=at)
                stored += 1
            # Only now: what the database refused for a moment is taken again.
            self._asked.pop(answer.witness_id, None)
            self._arrived.pop(0)
        return stored

    def _store(self, answer: _Answer, witnessed: WitnessedCheckpoint, *, at: datetime) -> None:
        size = answer.checkpoint.size
        with transaction.atomic():
            witness = Witness.objects.select_for_update().get(pk=answer.witness_id)
            Cosignature.objects.get_or_create(
                checkpoint=answer.checkpoint,
                witness=witness,
                defaults={
                    "line": witnessed.line.format().removesuffix("\n"),
                    "timestamp_s": witnessed.timestamp_s,
                },
            )
            witness.last_size = size
            witness.cosigned_size = max(witness.cosigned_size, size)
            witness.last_seen_at = at
            witness.last_error = ""
            witness.save(
                update_fields=["last_size", "cosigned_size", "last_seen_at", "last_error"]
            )
        self._rests.pop(answer.witness_id, None)
        if self._target is not None and self._target.pk == answer.checkpoint.pk:
            self._cosigned.add(answer.witness_id)

    def _note_fault(self, answer: _Answer, fault: Exception, monotonic_s: float) -> None:
        known = fault.known_size if isinstance(fault, WitnessError) else None
        rows = Witness.objects.filter(pk=answer.witness_id)
        newest = selectors.latest_checkpoint()
        if known is not None and newest is not None and known <= newest.size:
            rows.update(last_size=known)  # ahead of this round, not of the log
            return
        rows.update(last_error=str(fault)[:500] or type(fault).__name__)
        before = self._rests.get(answer.witness_id)
        length_s = min(2 * before.length_s, _LONGEST_REST_S) if before else _FIRST_REST_S
        self._rests[answer.witness_id] = _Rest(monotonic_s + length_s, length_s)
        if before is None:
            logger.warning("witness %s: %s", rows.first(), fault)

    def _show_late(self, monotonic_s: float) -> None:
        """Say of a witness that its answer is overdue, while its thread still waits."""
        for witness_id, question in self._asked.items():
            late_s = monotonic_s - question.asked_at_s
            # Two requests, each with its time to connect and its time to answer.
            if late_s > 4 * self._timeout_s and not question.shown_late:
                Witness.objects.filter(pk=witness_id).update(
                    last_error=f"It has not ended its answer after {late_s:.0f} s."
                )
                self._asked[witness_id] = _Question(
                    question.checkpoint_id, question.asked_at_s, shown_late=True
                )

    def _aim(self, witnesses: Sequence[Witness], monotonic_s: float) -> None:
        """Go over to the newest checkpoint when the round has ended."""
        newest = selectors.latest_checkpoint()
        if newest is None or (self._target is not None and newest.pk == self._target.pk):
            return
        if self._target is None or self._round_has_ended(witnesses, monotonic_s):
            self._target, self._begun_s = newest, monotonic_s
            self._cosigned = set(newest.cosignatures.values_list("witness_id", flat=True))

    def _round_has_ended(self, witnesses: Sequence[Witness], monotonic_s: float) -> bool:
        assert self._target is not None
        lasted_s = monotonic_s - self._begun_s
        asked = [each.checkpoint_id for each in self._asked.values()]
        found = sum(each.pk in self._cosigned for each in witnesses)
        published = found >= selectors.published_quorum()
        return (
            self._target.pk not in asked
            or found >= (selectors.settled_quorum() or len(witnesses))
            or (published and lasted_s > _LINGER_S)
            or lasted_s > self._timeout_s
        )

    def _may_ask(self, witness: Witness, monotonic_s: float) -> bool:
        rest = self._rests.get(witness.pk)
        return (
            witness.pk not in self._asked
            and witness.pk not in self._cosigned
            and (rest is None or monotonic_s >= rest.until_s)
        )

    def _ask(self, witness: Witness, target: Checkpoint, monotonic_s: float) -> None:
        self._asked[witness.pk] = _Question(target.pk, monotonic_s)
        question = threading.Thread(
            target=self._question, args=(witness, target), name=f"witness-{witness}", daemon=True
        )
        question.start()

    def _question(self, witness: Witness, target: Checkpoint) -> None:
        """Run in a thread of its own, without the database."""
        outcome: WitnessedCheckpoint | Exception
        try:
            outcome = ask_witness(
                url=witness.url,
                key=VerifierKey.from_vkey(witness.vkey),
                signed=_signed(target),
                known_size=witness.last_size,
                prove=self._prove,
                timeout_s=self._timeout_s,
            )
        except Exception as fault:  # whatever it is, the round must learn of it
            outcome = fault
        self._answers.put(_Answer(witness.pk, target, outcome))


def _signed(row: Checkpoint) -> SignedCheckpoint:
    """Return a checkpoint that this installation signed itself."""
    note = parse_note(row.note.encode())
    return SignedCheckpoint(checkpoint=parse_checkpoint_body(note.text), note=note)
