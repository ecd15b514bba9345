"""Proofs made from the published tiles: of one entry, and that the log only grew."""

from __future__ import annotations

from dataclasses import dataclass

from missioncontrol.audit.merkle.receipt import Receipt, format_receipt
from missioncontrol.audit.merkle.tiles import TileNodes
from missioncontrol.audit.merkle.tree import consistency_proof as tree_consistency_proof
from missioncontrol.audit.merkle.tree import inclusion_proof as tree_inclusion_proof
from missioncontrol.audit.models import AuditEntry, Checkpoint
from missioncontrol.audit.selectors.log import (
    NotPublishedError,
    cosigned_note,
    log_folder,
    published_checkpoint,
    published_size,
)
from missioncontrol.kernel.errors import RefusedError


class SizesRefusedError(RefusedError):
    """Between these sizes of the log there is nothing to prove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That one entry stands in the published tree (RFC 6962 section 2.1.1)."""

    index: int
    size: int  # of the tree that the proof is for
    root: bytes
    hashes: tuple[bytes, ...]  # from the leaf's sibling to the root's child
    checkpoint: str  # the signed note of that tree, with its cosignatures


def inclusion_proof(entry: AuditEntry, *, size: int | None = None) -> InclusionProof:
    """Return the proof that *entry* stands in the tree as last published.

    Args:
        entry: Which.
        size: In an earlier published tree, of so many entries, of which there is a checkpoint.

    Raises:
        NotPublishedError: It does not yet, or not in that tree.
        VerificationError: A tile on the way is missing or damaged.
    """
    published = published_checkpoint()
    checkpoint = published if size is None else _published_at(size, published)
    if (
        published is None
        or checkpoint is None
        or entry.log_index is None
        or entry.log_index >= checkpoint.size
    ):
        raise NotPublishedError(
            f"The entry {entry} stands under no published checkpoint"
            + (" yet. Ask again in a moment." if size is None else f" of size {size}.")
        )
    size = checkpoint.size
    # Through the tiles as they are now: between two batches no tiles were written.
    nodes = TileNodes(size=published.size, read_tile=log_folder().read_tile)
    hashes = tree_inclusion_proof(index=entry.log_index, size=size, read_node=nodes)
    return InclusionProof(
        index=entry.log_index,
        size=size,
        root=bytes(checkpoint.root),
        hashes=tuple(hashes),
        checkpoint=cosigned_note(checkpoint.note),
    )


def _published_at(size: int, published: Checkpoint | None) -> Checkpoint | None:
    if published is None or size > published.size:
        return None
    return Checkpoint.objects.filter(size=size).first()


def receipt(entry: AuditEntry, *, size: int | None = None) -> str:
    """Return a proof of *entry* that can be checked offline (C2SP tlog-proof).

    The entry's octets travel beside it.

    Args:
        entry: Which.
        size: See ``inclusion_proof``.

    Raises:
        NotPublishedError: The entry stands under no published checkpoint yet.
        VerificationError: A tile on the way is missing or damaged.
    """
    proof = inclusion_proof(entry, size=size)
    octets = format_receipt(
        Receipt(index=proof.index, proof=proof.hashes, checkpoint=proof.checkpoint.encode())
    )
    return octets.decode()


def consistency_proof(*, old: int, new: int) -> tuple[bytes, ...]:
    """Return the proof that the log of *new* entries continues that of *old* (RFC 6962).

    Raises:
        SizesRefusedError: *old* is larger than *new*, or *new* than what is published.
        VerificationError: A tile on the way is missing or damaged.
    """
    published = published_size()
    if not 0 <= old <= new <= published:
        raise SizesRefusedError(
            f"There is no proof from size {old} to size {new}: the old size must not be larger "
            f"than the new one, and {published} entries are published."
        )
    nodes = TileNodes(size=published, read_tile=log_folder().read_tile)
    return tuple(tree_consistency_proof(old=old, new=new, read_node=nodes))
