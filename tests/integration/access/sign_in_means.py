"""What people sign in with, given to everybody of the cast."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from missioncontrol.accounts.models import Operator
from tests.integration.access.scene import Scene

_PERIOD_S = 30
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # base 32


def give_codes(scene: Scene) -> None:
    """Let everybody have one-time codes, and recovery codes beside them."""
    for subject in scene.cast.people():
        TOTP.activate(subject.operator, _SECRET)
        RecoveryCodes.activate(subject.operator)


def code_now() -> str:
    """Return what everybody's app shows now."""
    return format_hotp_value(hotp_value(_SECRET, int(time.time()) // _PERIOD_S))


def give_passkeys(scene: Scene) -> None:
    """Let everybody have a passkey."""
    for subject in scene.cast.people():
        WebAuthn.add(subject.operator, "key", _credential(subject.name))


def passkey_of(operator: Operator | None) -> int:
    """Return the primary key of somebody's passkey; 0: a stranger has none."""
    if operator is None:
        return 0
    return Authenticator.objects.get(user=operator, type=Authenticator.Type.WEBAUTHN).pk


def _credential(name: str) -> dict:
    """Return what a browser would have sent when the passkey was made."""
    identifier = sha256(name.encode())
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    data = AuthenticatorData.create(
        sha256(b"testserver"),
        AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT,
        0,
        AttestedCredentialData.create(bytes(16), identifier, key),
    )
    client_data = CollectedClientData.create(
        CollectedClientData.TYPE.CREATE, bytes(32), "http://testserver"
    )
    return {
        "id": websafe_encode(identifier),
        "rawId": websafe_encode(identifier),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(client_data),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
    }
