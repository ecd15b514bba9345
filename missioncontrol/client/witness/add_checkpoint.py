"""The request ``POST /add-checkpoint`` as octets.

Source: C2SP tlog-witness, "add-checkpoint".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.note import MAX_NOTE_OCTETS
from missioncontrol.audit.merkle.text_fields import (
    read_decimal,
    read_hash,
    show,
    write_base64,
)

MAX_PROOF_HASHES: Final = 63
MAX_REQUEST_OCTETS: Final = MAX_NOTE_OCTETS + 4096  # the old size and 63 hashes make 2,864

_OLD: Final = "old "


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """What a log asks of a witness; nothing in it is verified."""

    old_size: int  # what the witness cosigned last, as the log believes
    proof: tuple[bytes, ...]  # consistency proof from there
    checkpoint: bytes  # the signed note, verbatim


def format_add_checkpoint(*, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """Return the body of a request."""
    lines = [f"{_OLD}{old_size}", *(write_base64(value) for value in proof), ""]
    return "".join(f"{line}\n" for line in lines).encode() + checkpoint


def parse_add_checkpoint(octets: bytes) -> AddCheckpoint:
    """Return the parts of a request.

    Raises:
        FormatError: Not of this form.
    """
    head, separator, checkpoint = octets.partition(b"\n\n")
    if not separator:
        raise FormatError("The request has no empty line before its checkpoint.")
    try:
        old, *hashes = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"The request is not ASCII at octet {error.start}.") from error
    if not old.startswith(_OLD):
        raise FormatError(f"The request begins with {show(old)}, not with 'old <size>'.")
    if len(hashes) > MAX_PROOF_HASHES:
        raise FormatError(f"The proof has {len(hashes)} hashes; the limit is {MAX_PROOF_HASHES}.")
    return AddCheckpoint(
        old_size=read_decimal(old.removeprefix(_OLD), field="The old size"),
        proof=tuple(
            read_hash(line, field=f"Hash {at} of the proof") for at, line in enumerate(hashes)
        ),
        checkpoint=checkpoint,
    )
