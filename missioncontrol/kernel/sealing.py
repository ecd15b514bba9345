"""Secrets that must be read again (not only compared), kept unreadable in the database.

Keys follow from ``SECRET_KEY``: who steals a copy of the database alone learns
nothing. ``SECRET_KEY_FALLBACKS`` still opens what an earlier key sealed.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class SealBrokenError(ValueError):
    """What was sealed cannot be opened with the keys of this installation."""


def seal(text: str, *, purpose: str) -> str:
    """Return *text* encrypted; only ``unseal`` with the same *purpose* opens it."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Return what was sealed.

    Raises:
        SealBrokenError: it was sealed by another installation, for another
            purpose, or changed.
    """
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealBrokenError(
            f"A secret ({purpose}) was sealed with another SECRET_KEY. Set the old key in "
            "SECRET_KEY_FALLBACKS, or enter the secret again."
        ) from error


def _box(purpose: str) -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key, purpose)) for key in keys])


def _derived(key: str, purpose: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"seal/{purpose}".encode())
    return urlsafe_b64encode(derivation.derive(key.encode()))
