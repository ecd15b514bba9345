"""The Merkle tree: growing it, and making proofs from its stored nodes.

A *node* (level, index) is the hash of the full subtree over the entries
``index * 2**level`` to ``(index + 1) * 2**level - 1``. Nodes never change once
they exist, whatever the log grows to.

Source: RFC 6962 section 2.1 (MTH, PATH, PROOF).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypedDict

from missioncontrol.audit.merkle.hashing import EMPTY_ROOT, HASH_OCTETS, node_hash


@dataclass(frozen=True, slots=True)
class Node:
    """The root of one full subtree."""

    level: int  # 0 is a leaf
    index: int  # counted within the level
    hash: bytes


NodeReader = Callable[[int, int], bytes]  # (level, index) -> hash


class FrontierState(TypedDict):
    """A frontier as JSON keeps it."""

    size: int
    peaks: list[str]  # hex, the largest subtree first


class TreeFrontier:
    """The right edge of a growing tree: all that an append needs.

    Holds one hash for each bit set in the size, so a log of a million million
    entries keeps at most forty. Appending and the root cost O(log n).
    """

    def __init__(self, *, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Start empty, or from the full subtrees of a tree of *size* entries.

        Args:
            size: Entries already in the tree.
            peaks: Roots of its full subtrees, the largest first.

        Raises:
            ValueError: The number of peaks does not belong to *size*, or one
                is not a hash.
        """
        if size < 0 or len(peaks) != size.bit_count():
            raise ValueError(f"A tree of size {size} does not have {len(peaks)} peaks.")
        if any(len(peak) != HASH_OCTETS for peak in peaks):
            raise ValueError(f"A peak of the tree of size {size} is not {HASH_OCTETS} octets.")
        self._size = size
        self._peaks = list(peaks)

    @classmethod
    def from_state(cls, state: FrontierState) -> TreeFrontier:
        """Return the frontier that :meth:`state` described."""
        return cls(size=state["size"], peaks=[bytes.fromhex(peak) for peak in state["peaks"]])

    def state(self) -> FrontierState:
        """Return what :meth:`from_state` needs, fit for JSON."""
        return {"size": self._size, "peaks": [peak.hex() for peak in self._peaks]}

    @property
    def size(self) -> int:
        """Entries in the tree."""
        return self._size

    def append(self, leaf: bytes) -> list[Node]:
        """Add one leaf hash and return the nodes it completed, the leaf first.

        Raises:
            ValueError: *leaf* is not a hash of 32 octets (an entry, perhaps).
        """
        if len(leaf) != HASH_OCTETS:
            raise ValueError(f"A leaf hash has {HASH_OCTETS} octets, not {len(leaf)}.")
        level, index = 0, self._size
        completed = [Node(level, index, leaf)]
        while index % 2:  # a right child: its parent is complete
            level, index = level + 1, index // 2
            completed.append(Node(level, index, node_hash(self._peaks.pop(), completed[-1].hash)))
        self._peaks.append(completed[-1].hash)
        self._size += 1
        return completed

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """Return the Merkle Tree Hash of everything appended so far."""
        return _join(self._peaks)


def frontier_at(*, size: int, read_node: NodeReader) -> TreeFrontier:
    """Return the frontier of the first *size* entries from stored nodes."""
    return TreeFrontier(size=size, peaks=_peaks(0, size, read_node))


def root_at(*, size: int, read_node: NodeReader) -> bytes:
    """Return the root of the first *size* entries from stored nodes."""
    return _join(_peaks(0, size, read_node))


def inclusion_proof(*, index: int, size: int, read_node: NodeReader) -> list[bytes]:
    """Return PATH(index, D[size]): the siblings from the leaf up to the root.

    Args:
        index: Position of the entry, from 0.
        size: Size of the tree that the proof is for; larger than *index*.
        read_node: Gives stored nodes of that tree.

    Raises:
        ValueError: *index* is not in a tree of *size*.
    """
    if not 0 <= index < size:
        raise ValueError(f"Entry {index} is not in a log of size {size}.")
    proof = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _left_size(end - begin)
        if index < middle:
            proof.append(_join(_peaks(middle, end, read_node)))
            end = middle
        else:
            proof.append(_join(_peaks(begin, middle, read_node)))
            begin = middle
    return proof[::-1]


def consistency_proof(*, old: int, new: int, read_node: NodeReader) -> list[bytes]:
    """Return PROOF(old, D[new]): that the tree of *old* is the start of that of *new*.

    The proof from size 0 is empty, as C2SP tlog-witness asks for a log that a
    witness sees for the first time.

    Raises:
        ValueError: *old* is larger than *new*, or negative.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A log of size {new} has no consistency proof from size {old}.")
    if old in (0, new):
        return []
    proof = []
    begin, end = 0, new
    while end != old:
        middle = begin + _left_size(end - begin)
        if old <= middle:
            proof.append(_join(_peaks(middle, end, read_node)))
            end = middle
        else:
            proof.append(_join(_peaks(begin, middle, read_node)))
            begin = middle
    # The old tree's own root is known to whoever checks; any other subtree is not.
    if begin:
        proof.append(_join(_peaks(begin, end, read_node)))
    return proof[::-1]


def _left_size(size: int) -> int:
    """Return the largest power of two below *size* (RFC 6962: k < n <= 2k)."""
    return 1 << ((size - 1).bit_length() - 1)


def _peaks(begin: int, end: int, read_node: NodeReader) -> list[bytes]:
    """Return the roots of the full subtrees that make up [begin, end), largest first.

    *begin* is a multiple of the largest of them, which every split of the
    recursions above keeps true.
    """
    peaks = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        peaks.append(read_node(level, begin >> level))
        begin += 1 << level
    return peaks


def _join(peaks: Sequence[bytes]) -> bytes:
    """Hash full subtrees of falling size into the root above them."""
    if not peaks:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks))
