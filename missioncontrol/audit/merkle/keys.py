"""Keys that sign notes: their names, their identifiers and their text forms.

A *vkey* is the public form, ``<name>+<hex key id>+<base64(type || public key)>``;
an *skey* the private one, ``PRIVATE+KEY+<name>+<hex key id>+<base64(type || seed)>``.

Source: C2SP signed-note, "Signatures" and "Verifier keys"; the private form is
that of golang.org/x/mod/sumdb/note.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from missioncontrol.audit.merkle.errors import FormatError, SignatureError
from missioncontrol.audit.merkle.text_fields import read_base64, show, write_base64

KEY_ID_OCTETS: Final = 4
SEED_OCTETS: Final = 32
PUBLIC_KEY_OCTETS: Final = 32
SIGNATURE_OCTETS: Final = 64

_SKEY_PREFIX: Final = "PRIVATE+KEY+"


class KeyType(IntEnum):
    """Signature type identifiers (C2SP signed-note) that this log uses."""

    ED25519 = 0x01  # over the note's text
    COSIGNATURE_V1 = 0x04  # a witness's, with the time


@dataclass(frozen=True, kw_only=True)
class VerifierKey:
    """A public key, with the name that stands on its signature lines."""

    name: str
    type: KeyType
    public_key: bytes  # 32 octets, RFC 8032

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if len(self.public_key) != PUBLIC_KEY_OCTETS:
            raise FormatError(
                f"The public key of {show(self.name)} has {len(self.public_key)} octets; "
                f"Ed25519 has {PUBLIC_KEY_OCTETS}."
            )

    @classmethod
    def from_vkey(cls, text: str) -> VerifierKey:
        """Return the key that *text* spells.

        Raises:
            FormatError: Not a vkey, of a type unknown here, or with a key
                identifier that does not belong to it.
        """
        name, key_id, key_type, material = _read_key(text, form="vkey")
        key = cls(name=name, type=key_type, public_key=material)
        _require_id(key.key_id, key_id, name)
        return key

    def to_vkey(self) -> str:
        """Return the public text form, to be handed to every verifier."""
        return _write_key(self.name, self.key_id, self.type, self.public_key)

    @cached_property
    def key_id(self) -> bytes:
        """Four octets that stand before each signature of this key."""
        seed = self.name.encode() + b"\n" + bytes([self.type]) + self.public_key
        return sha256(seed).digest()[:KEY_ID_OCTETS]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check an Ed25519 signature (RFC 8032) over *message*.

        Raises:
            SignatureError: It is not this key's.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature as error:
            raise SignatureError(
                f"The signature of {show(self.name)} (key {self.key_id.hex()}) is wrong."
            ) from error


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A private key. The seed comes from the caller: this package draws no lots."""

    name: str
    type: KeyType
    seed: bytes = field(repr=False)  # 32 octets, RFC 8032

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if len(self.seed) != SEED_OCTETS:
            raise FormatError(
                f"The seed of {show(self.name)} has {len(self.seed)} octets; "
                f"Ed25519 has {SEED_OCTETS}."
            )

    @classmethod
    def from_skey(cls, text: str) -> SigningKey:
        """Return the key that *text* spells; its octets appear in no message.

        Raises:
            FormatError: Not an skey, of a type unknown here, or with a key
                identifier that does not belong to it.
        """
        if not text.startswith(_SKEY_PREFIX):
            raise FormatError(f"A signing key begins with {_SKEY_PREFIX}; this text does not.")
        name, key_id, key_type, material = _read_key(text.removeprefix(_SKEY_PREFIX), form="skey")
        key = cls(name=name, type=key_type, seed=material)
        _require_id(key.verifier.key_id, key_id, name)
        return key

    def to_skey(self) -> str:
        """Return the private text form. Whoever reads it can sign."""
        return _SKEY_PREFIX + _write_key(self.name, self.verifier.key_id, self.type, self.seed)

    @cached_property
    def verifier(self) -> VerifierKey:
        """The public half."""
        public_key = self._private.public_key().public_bytes_raw()
        return VerifierKey(name=self.name, type=self.type, public_key=public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of *message*, 64 octets, always the same."""
        return self._private.sign(message)

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def check_key_name(name: str) -> None:
    """Refuse a key name that a signature line could not carry.

    Raises:
        FormatError: Empty, or with a space, a plus sign or a control character.
    """
    if not name or any(sign == "+" or sign.isspace() or sign < " " for sign in name):
        raise FormatError(
            f"{show(name)} is not a key name: it must not be empty nor hold spaces, "
            "plus signs or control characters."
        )


def _read_key(text: str, *, form: str) -> tuple[str, bytes, KeyType, bytes]:
    """Return name, key identifier, type and key material.

    No part of an skey's text reaches a message: what stands in the place of the
    name may be the secret, wrongly pasted.
    """
    parts = text.split("+", maxsplit=2)  # base64 may hold a plus sign
    if len(parts) != 3:
        raise FormatError(f"A {form} has the form <name>+<hex key id>+<base64>; this has not.")
    name, key_id, material = parts
    whose = show(name) if form == "vkey" else "the signing key"
    if len(key_id) != 2 * KEY_ID_OCTETS or set(key_id) - set("0123456789abcdef"):
        raise FormatError(f"The key identifier of {whose} is not 8 lower-case hex digits.")
    try:
        octets = read_base64(material, field="key material")
    except FormatError:
        raise FormatError(f"The key material of {whose} is not base64.") from None
    known = {int(each) for each in KeyType}
    if not octets or octets[0] not in known:
        found = f"0x{octets[0]:02x}" if octets else "missing"
        raise FormatError(
            f"The key type of {whose} is {found}; known are 0x01 (Ed25519) and 0x04 "
            "(Ed25519 cosignature)."
        )
    return name, bytes.fromhex(key_id), KeyType(octets[0]), octets[1:]


def _write_key(name: str, key_id: bytes, key_type: KeyType, material: bytes) -> str:
    return f"{name}+{key_id.hex()}+{write_base64(bytes([key_type]) + material)}"


def _require_id(computed: bytes, written: bytes, name: str) -> None:
    if computed != written:
        raise FormatError(
            f"The key of {show(name)} has the identifier {computed.hex()}, not "
            f"{written.hex()} as written. Ask its owner for the key again."
        )
