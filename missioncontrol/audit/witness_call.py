"""Ask one witness for its cosignature on one checkpoint, and believe nothing unverified.

No Django here. Whatever the other side does (nothing, nonsense, endless
octets), it costs the calling thread some seconds and ends in one exception.

Source: C2SP tlog-witness, "add-checkpoint".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import SignedCheckpoint
from missioncontrol.audit.merkle.cosignature import verify_cosignatures
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.note import Note, SignatureLine, parse_signature_line
from missioncontrol.audit.merkle.text_fields import read_decimal, show, write_base64
from missioncontrol.audit.merkle.tiles import TileNodes
from missioncontrol.audit.merkle.tree import consistency_proof

TIMEOUT_S: Final = 2.0  # to connect; then for the whole answer
_MAX_ANSWER_OCTETS: Final = 16_384
_MEANING: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "it finds the request malformed",
    HTTPStatus.FORBIDDEN: "it does not know the key that signed this log",
    HTTPStatus.NOT_FOUND: "it does not witness this log",
    HTTPStatus.CONFLICT: "it changed its mind about the size that it knows",
    HTTPStatus.UNPROCESSABLE_ENTITY: "it saw another history of this log",
}

ConsistencyProver = Callable[[int, int], Sequence[bytes]]  # (old size, new size) -> proof


class WitnessError(Exception):
    """The witness gave no cosignature that holds. The text says what it did.

    Attributes:
        known_size: The size that the witness says it knows, where it said so.
    """

    def __init__(self, message: str, *, known_size: int | None = None) -> None:
        self.known_size = known_size
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedCheckpoint:
    """A cosignature that was verified."""

    line: SignatureLine
    timestamp_s: int  # POSIX time that the witness signed


def folder_prover(folder: LogFolder) -> ConsistencyProver:
    """Return what proves, from the tiles in *folder*, that the log only grew."""

    def prove(old: int, new: int) -> Sequence[bytes]:
        nodes = TileNodes(size=new, read_tile=folder.read_tile)
        return consistency_proof(old=old, new=new, read_node=nodes)

    return prove


def ask_witness(
    *,
    url: str,
    key: VerifierKey,
    signed: SignedCheckpoint,
    known_size: int,
    prove: ConsistencyProver,
    timeout_s: float = TIMEOUT_S,
) -> WitnessedCheckpoint:
    """Return a witness's cosignature on a checkpoint.

    A witness that knows another size than we thought (409) is asked once more,
    from there.

    Args:
        url: The witness's address; ``/add-checkpoint`` follows.
        key: The witness's key.
        signed: The checkpoint.
        known_size: What the witness cosigned last, as far as we know.
        prove: Gives consistency proofs.
        timeout_s: Wall seconds to connect, and again for the whole answer.

    Raises:
        WitnessError: It is away, refuses, or answers what does not verify.
        VerificationError: Our own tiles are missing or damaged.
    """
    size = signed.checkpoint.size
    old = min(known_size, size)
    status, body = _post(url, _request(signed, old, prove), timeout_s=timeout_s)
    if status == HTTPStatus.CONFLICT:
        old = _conflicting_size(body, size=size)
        status, body = _post(url, _request(signed, old, prove), timeout_s=timeout_s)
    if status != HTTPStatus.OK:
        said = body[:200].decode(errors="replace").strip()
        meaning = _MEANING.get(status, "unexpected")
        raise WitnessError(f"It answers {status} ({meaning}): {show(said)}.")
    return _verified(body, key=key, signed=signed)


def _request(signed: SignedCheckpoint, old: int, prove: ConsistencyProver) -> bytes:
    hashes = prove(old, signed.checkpoint.size)
    lines = [f"old {old}", *(write_base64(value) for value in hashes), ""]
    return "".join(f"{line}\n" for line in lines).encode() + signed.note.format()


def _conflicting_size(body: bytes, *, size: int) -> int:
    """Return the size that the witness knows, if we can prove from there."""
    try:
        known = read_decimal(body.decode("ascii").removesuffix("\n"), field="Its size")
    except ValueError as fault:  # FormatError and UnicodeDecodeError are ValueErrors
        raise WitnessError("It answers 409 without the size that it knows.") from fault
    if known > size:
        raise WitnessError(
            f"It knows this log at size {known}; it was asked about size {size}.",
            known_size=known,
        )
    return known


def _verified(body: bytes, *, key: VerifierKey, signed: SignedCheckpoint) -> WitnessedCheckpoint:
    """Return the cosignature in an answer after it held."""
    try:
        lines = [parse_signature_line(line) for line in _lines(body)]
        own = tuple(line for line in lines if (line.name, line.key_id) == (key.name, key.key_id))
        found = verify_cosignatures(Note(text=signed.note.text, signatures=own), witnesses=[key])
    except VerificationError as fault:
        raise WitnessError(f"Its cosignature is refused. {fault}") from fault
    if not found:
        names = ", ".join(f"{show(line.name)} (key {line.key_id.hex()})" for line in lines)
        raise WitnessError(
            f"Its answer is signed by {names or 'nobody'}, not by {show(key.name)} "
            f"(key {key.key_id.hex()}), with which it is registered."
        )
    # Of two lines of one key the later one was taken; it is the one that is kept.
    kept = max(own, key=lambda line: line.payload[:8])
    return WitnessedCheckpoint(line=kept, timestamp_s=found[0].timestamp_s)


def _lines(body: bytes) -> list[str]:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise WitnessError(f"Its answer is not UTF-8 at octet {error.start}.") from error
    return text.removesuffix("\n").split("\n") if text else []


def _post(url: str, body: bytes, *, timeout_s: float) -> tuple[int, bytes]:
    """Return status and octets of the answer."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        try:
            connection.request(
                "POST",
                f"{parts.path.rstrip('/')}/add-checkpoint",
                body,
                {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"},
            )
            return _answer(connection, until_s=time.monotonic() + timeout_s)
        finally:
            connection.close()
    except TimeoutError as error:
        raise WitnessError(f"It did not answer within {timeout_s:g} s.") from error
    except (OSError, HTTPException, ValueError) as error:
        what = str(error) or type(error).__name__
        raise WitnessError(f"It cannot be reached: {what}.") from error


def _answer(connection: HTTPConnection, *, until_s: float) -> tuple[int, bytes]:
    response = connection.getresponse()
    octets = bytearray()
    while chunk := response.read1(4096):
        octets += chunk
        if len(octets) > _MAX_ANSWER_OCTETS:
            raise WitnessError(f"Its answer is longer than {_MAX_ANSWER_OCTETS} octets.")
        if time.monotonic() > until_s:
            raise TimeoutError
    return response.status, bytes(octets)
