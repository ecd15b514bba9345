"""Receipts: proof of one entry that can be checked offline, for ever.

A receipt carries the entry's place, the way to the root, and the checkpoint
with its signatures. The entry itself travels beside it.

Source: C2SP tlog-proof (``c2sp.org/tlog-proof@v1``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from missioncontrol.audit.merkle.checkpoint import Checkpoint, open_checkpoint
from missioncontrol.audit.merkle.cosignature import (
    Cosignature,
    require_quorum,
    verify_cosignatures,
)
from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.note import MAX_NOTE_OCTETS
from missioncontrol.audit.merkle.proofs import verify_inclusion
from missioncontrol.audit.merkle.text_fields import (
    read_base64,
    read_decimal,
    read_hash,
    show,
    write_base64,
)

MAX_PROOF_HASHES: Final = 63  # the longest path in a tree of at most 2**63 - 1 entries
MAX_RECEIPT_OCTETS: Final = MAX_NOTE_OCTETS + 100_000  # the note, 63 hashes, extra data

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt as read; nothing in it is verified."""

    index: int
    proof: tuple[bytes, ...]  # from the leaf's sibling to the root's child
    checkpoint: bytes  # the signed note, verbatim
    extra: bytes | None = None  # covered by no signature


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedReceipt:
    """What a receipt proved about the entry."""

    index: int
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]  # of the witnesses that the caller knows


def format_receipt(receipt: Receipt) -> bytes:
    """Return the receipt as it is handed out.

    Raises:
        FormatError: It could not be read again as it is.
    """
    lines = [_HEADER]
    if receipt.extra is not None:
        lines.append(_EXTRA + write_base64(receipt.extra))
    lines.append(f"{_INDEX}{receipt.index}")
    lines += [write_base64(value) for value in receipt.proof]
    octets = "".join(f"{line}\n" for line in [*lines, ""]).encode() + receipt.checkpoint
    if parse_receipt(octets) != receipt:
        raise FormatError(f"The receipt of entry {receipt.index} cannot be written.")
    return octets


def parse_receipt(octets: bytes) -> Receipt:
    """Return the parts of a receipt.

    Raises:
        FormatError: Not a receipt of version 1.
    """
    if len(octets) > MAX_RECEIPT_OCTETS:
        raise FormatError(
            f"The receipt has {len(octets)} octets; the limit is {MAX_RECEIPT_OCTETS}."
        )
    head, separator, checkpoint = octets.partition(b"\n\n")
    if not separator:
        raise FormatError("The receipt has no empty line before its checkpoint.")
    header, *lines = _read_head(head)
    if header != _HEADER:
        raise FormatError(f"The receipt begins with {show(header)}, not with {_HEADER}.")
    extra = None
    if lines and lines[0].startswith(_EXTRA):
        extra = read_base64(lines.pop(0).removeprefix(_EXTRA), field="The receipt's extra data")
    if not lines or not lines[0].startswith(_INDEX):
        raise FormatError("The receipt has no index line.")
    index = read_decimal(lines.pop(0).removeprefix(_INDEX), field="The receipt's index")
    if len(lines) > MAX_PROOF_HASHES:
        raise FormatError(
            f"The receipt's proof has {len(lines)} hashes; the limit is {MAX_PROOF_HASHES}."
        )
    proof = tuple(
        read_hash(line, field=f"Hash {at} of the receipt's proof") for at, line in enumerate(lines)
    )
    return Receipt(index=index, proof=proof, checkpoint=checkpoint, extra=extra)


def verify_receipt(
    receipt: Receipt,
    *,
    entry: bytes,
    origin: str,
    log_keys: Sequence[VerifierKey],
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
) -> VerifiedReceipt:
    """Check that *entry* stands in the log at the receipt's index.

    Args:
        receipt: As parsed.
        entry: The entry's octets, verbatim.
        origin: The log that the caller trusts.
        log_keys: Its keys, type 0x01.
        witnesses: Witnesses that the caller knows, type 0x04.
        quorum: How many of them must have cosigned; 0 relies on the log alone.

    Raises:
        FormatError: The checkpoint in it is none.
        SignatureError: The log did not sign, or a known signature is wrong.
        OriginError: Another log's checkpoint.
        QuorumError: Too few distinct witnesses.
        ProofError: The entry is not at that place.
    """
    signed = open_checkpoint(receipt.checkpoint, origin=origin, log_keys=log_keys)
    cosignatures = verify_cosignatures(signed.note, witnesses=witnesses)
    require_quorum(cosignatures, quorum=quorum)
    verify_inclusion(
        leaf=leaf_hash(entry),
        index=receipt.index,
        size=signed.checkpoint.size,
        proof=receipt.proof,
        root=signed.checkpoint.root,
    )
    return VerifiedReceipt(
        index=receipt.index,
        checkpoint=signed.checkpoint,
        cosignatures=tuple(cosignatures),
    )


def _read_head(head: bytes) -> list[str]:
    try:
        return head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"The receipt is not ASCII at octet {error.start}.") from error
