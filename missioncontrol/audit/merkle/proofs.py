"""Checking Merkle proofs. Every function raises; none returns False.

Source: RFC 9162 sections 2.1.3.2 and 2.1.4.2, for the proofs of RFC 6962.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from missioncontrol.audit.merkle.errors import ProofError, SplitViewError
from missioncontrol.audit.merkle.hashing import HASH_OCTETS, abbreviate, node_hash
from missioncontrol.audit.merkle.text_fields import MAX_DECIMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """One step from the leaf to the root: two hashes that are joined into one."""

    sibling: bytes
    is_left: bool  # whether the sibling stands before what was reached so far
    joined: bytes


def inclusion_steps(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes]
) -> list[ProofStep]:
    """Return where *proof* leads from *leaf*, step by step; nothing of it is verified."""
    node, last, found = index, size - 1, leaf
    steps = []
    for sibling in proof:
        is_left = bool(node % 2) or node == last
        found = node_hash(sibling, found) if is_left else node_hash(found, sibling)
        steps.append(ProofStep(sibling=sibling, is_left=is_left, joined=found))
        # The right edge: levels without a sibling have no hash of their own.
        while is_left and node and node % 2 == 0:
            node, last = node // 2, last // 2
        node, last = node // 2, last // 2
    return steps


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the entry at *index* has the hash *leaf* in the tree of *root*.

    Args:
        leaf: Leaf hash of the entry, 32 octets.
        index: Position of the entry, from 0.
        size: Size in the checkpoint.
        proof: Sibling hashes from the leaf to the root, as PATH gives them.
        root: Root in the checkpoint, 32 octets.

    Raises:
        ProofError: It is not, or the proof is not of the length that *index*
            and *size* call for.
    """
    if not 0 <= index < size <= MAX_DECIMAL:
        raise ProofError(f"Entry {index} cannot be in a log of size {size}.")
    what = f"Entry {index} is not in the log of size {size}"
    _require_hashes(what, leaf, root, *proof)
    _require_length(what, proof, _inclusion_length(index, size))
    steps = inclusion_steps(leaf=leaf, index=index, size=size, proof=proof)
    found = steps[-1].joined if steps else leaf
    if found != root:
        raise ProofError(
            f"{what}: the proof leads to root {abbreviate(found)}, "
            f"the checkpoint says {abbreviate(root)}."
        )


def verify_consistency(
    *, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of *old* entries is the start of the tree of *new* entries.

    Args:
        old: Size of the earlier checkpoint, at least 1. Nothing needs proving
            from an empty log, so a proof from there is refused.
        new: Size of the later checkpoint.
        old_root: Root of the earlier checkpoint, 32 octets.
        new_root: Root of the later checkpoint, 32 octets.
        proof: Hashes as PROOF gives them; empty where the sizes are equal.

    Raises:
        SplitViewError: Same size, different roots.
        ProofError: The proof does not lead to both roots, or is not of the
            length that the sizes call for.
    """
    if not 1 <= old <= new <= MAX_DECIMAL:
        raise ProofError(
            f"A log of size {new} cannot be proved to extend one of size {old}; "
            f"the older size must be from 1 to {new}."
        )
    what = f"The log of size {new} does not extend the log of size {old}"
    _require_hashes(what, old_root, new_root, *proof)
    _require_length(what, proof, _consistency_length(old, new))
    if old == new:
        _require_same_root(old, old_root, new_root)
        return
    found_old, found_new = _roots_from_consistency(old, new, old_root, proof)
    for size, found, said in ((old, found_old, old_root), (new, found_new, new_root)):
        if found != said:
            raise ProofError(
                f"{what}: for size {size} the proof leads to root {abbreviate(found)}, "
                f"the checkpoint says {abbreviate(said)}."
            )


def _roots_from_consistency(
    old: int, new: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the roots of the old and the new tree that *proof* leads to."""
    # A power of two is one full subtree, which the proof leaves out: it is the old root.
    path = [old_root, *proof] if old.bit_count() == 1 else proof
    node, last = old - 1, new - 1
    while node % 2:
        node, last = node // 2, last // 2
    found_old = found_new = path[0]
    for sibling in path[1:]:
        if node % 2 or node == last:
            found_old = node_hash(sibling, found_old)
            found_new = node_hash(sibling, found_new)
            while node and node % 2 == 0:
                node, last = node // 2, last // 2
        else:
            found_new = node_hash(found_new, sibling)
        node, last = node // 2, last // 2
    return found_old, found_new


def _inclusion_length(index: int, size: int) -> int:
    """Return the number of hashes in PATH(index, D[size])."""
    # Below the point where the paths of this entry and of the last one part,
    # every level has a sibling; above it, only where the path turns right.
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def _consistency_length(old: int, new: int) -> int:
    """Return the number of hashes in PROOF(old, D[new]), for 1 <= old <= new."""
    if old == new:
        return 0
    # The path of the old tree's last entry, from its largest full subtree up.
    full_levels = (old & -old).bit_length() - 1
    seed = 0 if old.bit_count() == 1 else 1
    return _inclusion_length(old - 1, new) - full_levels + seed


def _require_length(what: str, proof: Sequence[bytes], needed: int) -> None:
    if len(proof) != needed:
        raise ProofError(f"{what}: the proof has {len(proof)} hashes, {needed} are needed.")


def _require_hashes(what: str, *hashes: bytes) -> None:
    for value in hashes:
        if len(value) != HASH_OCTETS:
            raise ProofError(f"{what}: a hash has {len(value)} octets, {HASH_OCTETS} are needed.")


def _require_same_root(size: int, old_root: bytes, new_root: bytes) -> None:
    if old_root != new_root:
        raise SplitViewError(
            f"Two checkpoints of size {size} have different roots, {abbreviate(old_root)} and "
            f"{abbreviate(new_root)}: the log shows two histories. Keep both checkpoints as "
            "evidence."
        )
