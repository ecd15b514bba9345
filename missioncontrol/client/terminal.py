"""Text from elsewhere, on a terminal."""

from __future__ import annotations


def readable(octets: bytes) -> str:
    """Return octets as text for a terminal: nothing in it may steer one."""
    text = octets.decode("utf-8", errors="backslashreplace")
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
