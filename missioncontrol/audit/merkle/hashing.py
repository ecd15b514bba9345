"""Leaf and node hashes (RFC 6962 section 2.1)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

HASH_OCTETS: Final = 32

# A leaf and a node never hash the same octets, so that a node cannot be passed
# off as an entry (second preimage, RFC 6962 section 2.1).
_LEAF_PREFIX: Final = b"\x00"
_NODE_PREFIX: Final = b"\x01"

EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry's octets, SHA-256(0x00 || entry)."""
    return sha256(_LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, SHA-256(0x01 || left || right)."""
    return sha256(_NODE_PREFIX + left + right).digest()


def abbreviate(value: bytes) -> str:
    """Return the first eight hex digits of a hash, for messages to people."""
    return f"{value[:4].hex()}…" if value else "(empty)"
