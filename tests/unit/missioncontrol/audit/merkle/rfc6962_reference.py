"""RFC 6962 section 2.1 word for word: slow, recursive, over the whole list of entries.

Shares nothing with the product, so that agreement means something.
"""

from __future__ import annotations

from hashlib import sha256


def mth(entries):
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m, entries):
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m, entries):
    return subproof(m, entries, complete=True)


def subproof(m, entries, *, complete):
    if m == len(entries):
        return [] if complete else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], complete=complete), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], complete=False), mth(entries[:k])]


def split(n):
    """Return the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def node_reader(entries):
    """Return a reader of full subtrees straight from the entries."""

    def read(level, index):
        begin = index << level
        end = begin + (1 << level)
        if end > len(entries):
            raise AssertionError(f"node {index} at level {level} is not complete")
        return mth(entries[begin:end])

    return read
