"""Verifying a complete log, entry by entry, and naming where it goes wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from missioncontrol.audit.merkle.checkpoint import Checkpoint
from missioncontrol.audit.merkle.errors import LogMismatchError
from missioncontrol.audit.merkle.hashing import abbreviate, leaf_hash
from missioncontrol.audit.merkle.tree import TreeFrontier


def verify_log(
    entries: Iterable[tuple[bytes, bytes]],
    *,
    checkpoint: Checkpoint,
    earlier: Sequence[Checkpoint] = (),
) -> None:
    """Check that stored entries are the ones *checkpoint* was signed for.

    Reads each entry once and keeps O(log n) in memory, so a log larger than
    memory can be streamed through.

    Args:
        entries: (octets, stored leaf hash) of every entry from index 0 on. The
            stored hash comes from the level 0 tiles: beside the root it is what
            tells one wrong entry from all the others.
        checkpoint: Verified; its size is the number of entries expected. More
            entries may follow, which it says nothing about.
        earlier: Verified older checkpoints of the same log, in any order. The
            root at each is compared too, which narrows a rewritten history
            (entries and hashes both changed) to the span between two of them.

    Raises:
        LogMismatchError: The first thing that is wrong, with its index where
            an entry can be named.
    """
    known = _by_size((*earlier, checkpoint))
    frontier = TreeFrontier()
    confirmed = _confirm(frontier, known, confirmed=0)
    if checkpoint.size == 0:
        return
    for index, (octets, stored) in enumerate(entries):
        computed = leaf_hash(octets)
        if computed != stored:
            raise LogMismatchError(
                f"Entry {index} was changed: its octets hash to {abbreviate(computed)}, the "
                f"log has {abbreviate(stored)} at this place.",
                index=index,
            )
        frontier.append(computed)
        confirmed = _confirm(frontier, known, confirmed=confirmed)
        if frontier.size == checkpoint.size:
            return
    raise LogMismatchError(
        f"The log ends after {frontier.size} entries; the checkpoint was signed for "
        f"{checkpoint.size}. Entry {frontier.size} and all that follow are missing.",
        index=frontier.size,
    )


def _by_size(checkpoints: Sequence[Checkpoint]) -> dict[int, bytes]:
    """Return the roots by size; two roots at one size are evidence of a fork."""
    newest = checkpoints[-1]
    roots: dict[int, bytes] = {}
    for each in checkpoints:
        if each.origin != newest.origin or each.size > newest.size:
            raise ValueError(
                f"The checkpoint of {each.origin} at size {each.size} is not an earlier one of "
                f"{newest.origin} at size {newest.size}."
            )
        if roots.setdefault(each.size, each.root) != each.root:
            raise LogMismatchError(
                f"Two checkpoints of size {each.size} have different roots, "
                f"{abbreviate(roots[each.size])} and {abbreviate(each.root)}: the log shows "
                "two histories."
            )
    return roots


def _confirm(frontier: TreeFrontier, known: dict[int, bytes], *, confirmed: int) -> int:
    """Compare the root where a checkpoint stands; return the size confirmed so far."""
    said = known.get(frontier.size)
    if said is None:
        return confirmed
    root = frontier.root()
    if root != said:
        raise LogMismatchError(
            f"Every entry from {confirmed} to {frontier.size - 1} matches its stored hash, but "
            f"at size {frontier.size} the root is {abbreviate(root)}, the checkpoint says "
            f"{abbreviate(said)}: entries in this span were replaced, added, removed or "
            "reordered together with their hashes."
        )
    return frontier.size
