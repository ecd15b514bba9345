"""What a witness answers, whatever carries the request to it.

Source: C2SP tlog-witness, "add-checkpoint"; the checks stand in its order.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from missioncontrol.audit.merkle.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    open_checkpoint,
    parse_checkpoint_body,
    verify_extension,
)
from missioncontrol.audit.merkle.cosignature import cosign
from missioncontrol.audit.merkle.errors import FormatError, ProofError, SignatureError
from missioncontrol.audit.merkle.hashing import EMPTY_ROOT
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import Note, lines_of_known_keys, parse_note
from missioncontrol.audit.merkle.succession import read_announcement
from missioncontrol.audit.merkle.text_fields import show
from missioncontrol.client.errors import UsageError
from missioncontrol.client.witness.add_checkpoint import AddCheckpoint, parse_add_checkpoint
from missioncontrol.client.witness.ledger import Ledger

TEXT: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, body and content type of an answer."""

    status: HTTPStatus
    body: bytes
    content_type: str = TEXT


class _RefusedError(Exception):
    """The request is answered with *answer*."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        self.answer = Answer(status=status, body=f"{text}\n".encode())
        super().__init__(text)


class Witness:
    """Cosigns the logs that it was told of. Safe to call from many threads."""

    def __init__(self, *, key: SigningKey, logs: Sequence[VerifierKey], ledger: Ledger) -> None:
        """Take the witness's key, the keys of its logs, and its opened ledger.

        Args:
            key: Of type 0x04.
            logs: Of type 0x01; a log's origin is the name of its key. Two keys
                of one name are one log, either of which may sign (a rotation).
            ledger: What was cosigned before, and which keys were followed.

        Raises:
            UsageError: A key of the wrong type.
            VerificationError: The ledger holds what none of the keys signed.
        """
        if key.type is not KeyType.COSIGNATURE_V1:
            raise UsageError(f"{key.name} is not a witness's key. Make one with mc witness init.")
        for log in logs:
            if log.type is not KeyType.ED25519:
                raise UsageError(f"{log.name} is not the key of a log (type 0x01).")
        self._key = key
        self._ledger = ledger
        self._keys = _by_origin(logs)
        for origin in self._keys:
            self._follow_ledger(origin)
        self._locks = {origin: threading.Lock() for origin in self._keys}
        for origin in self._keys:
            self._last(origin)

    def latest(self) -> Mapping[str, int]:
        """Return the size cosigned last by origin, 0 where there is none."""
        return {origin: self._last(origin).size for origin in self._keys}

    def log_keys(self) -> list[VerifierKey]:
        """Return the keys that may sign for the logs, those followed among them."""
        return [key for keys in self._keys.values() for key in keys]

    def follow(self, key: VerifierKey, octets: bytes) -> VerifierKey | None:
        """Take over the successor that one of the logs' keys announced.

        The history stays bound: what a new key signs must continue what was
        cosigned under the old one.

        Args:
            key: One of ``log_keys()``.
            octets: Its announcement.

        Returns:
            The successor; None where it was known already.

        Raises:
            VerificationError: *key* did not sign that.
            OSError: The ledger cannot be written. Nothing was taken over.
        """
        successor = read_announcement(octets, old=key, origin=key.name).key
        with self._locks[key.name]:
            if successor in self._keys[key.name]:
                return None
            self._ledger.keep_announcement(key, octets)
            # A new list: threads that verify go on with the one they have.
            self._keys[key.name] = [*self._keys[key.name], successor]
        return successor

    def _follow_ledger(self, origin: str) -> None:
        keys = self._keys[origin]
        for key in keys:  # grows on the way
            octets = self._ledger.read_announcement(key)
            if octets is not None:
                successor = read_announcement(octets, old=key, origin=origin).key
                if successor not in keys:
                    keys.append(successor)

    def add_checkpoint(self, body: bytes, *, at: datetime) -> Answer:
        """Answer one request; a cosignature is on the disk before this returns it.

        Args:
            body: As received.
            at: Now, aware UTC; stands in the cosignature.

        Raises:
            OSError: The ledger cannot be written. Nothing was cosigned.
        """
        try:
            request, checkpoint = _read_request(body)
            signed = self._open(request, checkpoint)
            if request.old_size > checkpoint.size:
                raise _RefusedError(
                    HTTPStatus.BAD_REQUEST,
                    f"The old size {request.old_size} is larger than the checkpoint's "
                    f"{checkpoint.size}.",
                )
            with self._locks[checkpoint.origin]:
                return self._extend(request, signed, body=body, at=at)
        except _RefusedError as refusal:
            return refusal.answer

    def _open(self, request: AddCheckpoint, checkpoint: Checkpoint) -> SignedCheckpoint:
        """Return the checkpoint once its log is known and its signature held."""
        keys = self._keys.get(checkpoint.origin)
        if keys is None:
            raise _RefusedError(
                HTTPStatus.NOT_FOUND, f"The log {show(checkpoint.origin)} is not witnessed here."
            )
        try:
            return open_checkpoint(request.checkpoint, origin=checkpoint.origin, log_keys=keys)
        except SignatureError as fault:
            raise _RefusedError(HTTPStatus.FORBIDDEN, str(fault)) from fault

    def _extend(
        self, request: AddCheckpoint, signed: SignedCheckpoint, *, body: bytes, at: datetime
    ) -> Answer:
        """Compare with what was cosigned last, store, cosign. The log's lock is held."""
        new = signed.checkpoint
        last = self._last(new.origin)
        if new.size == last.size and new.root != last.root:
            self._ledger.keep_evidence(new.origin, body)
        if request.old_size != last.size:
            return Answer(
                status=HTTPStatus.CONFLICT,
                body=f"{last.size}\n".encode(),
                content_type=SIZE,
            )
        try:
            verify_extension(last, new, proof=request.proof)
        except ProofError as fault:
            self._ledger.keep_evidence(new.origin, body)
            raise _RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(fault)) from fault
        self._ledger.keep(new.origin, self._trusted_part(signed).format())
        line = cosign(new, key=self._key, at=at)
        return Answer(status=HTTPStatus.OK, body=line.format().encode())

    def _trusted_part(self, signed: SignedCheckpoint) -> Note:
        """Return the note without the lines of keys that nobody here knows."""
        keys = self._keys[signed.checkpoint.origin]
        known = lines_of_known_keys(signed.note, keys=keys, key_type=KeyType.ED25519)
        lines = dict.fromkeys(line for _, line in known)
        return Note(text=signed.note.text, signatures=tuple(lines))

    def _last(self, origin: str) -> Checkpoint:
        octets = self._ledger.read(origin)
        if octets is None:
            return Checkpoint(origin=origin, size=0, root=EMPTY_ROOT)
        keys = self._keys[origin]
        return open_checkpoint(octets, origin=origin, log_keys=keys).checkpoint


def _read_request(body: bytes) -> tuple[AddCheckpoint, Checkpoint]:
    try:
        request = parse_add_checkpoint(body)
        return request, parse_checkpoint_body(parse_note(request.checkpoint).text)
    except FormatError as fault:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, str(fault)) from fault


def _by_origin(logs: Sequence[VerifierKey]) -> dict[str, list[VerifierKey]]:
    found: dict[str, list[VerifierKey]] = {}
    for log in logs:
        found.setdefault(log.name, []).append(log)
    return found
