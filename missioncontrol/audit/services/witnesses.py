from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.keys import KeyType, VerifierKey
from missioncontrol.audit.merkle.note import MAX_SIGNATURES
from missioncontrol.audit.models import Witness
from missioncontrol.audit.services.append import Actor, append_entry
from missioncontrol.kernel.errors import RefusedError

MAX_WITNESSES: Final = MAX_SIGNATURES - 2  # the log needs lines too, two while it changes its key


class WitnessRefusedError(RefusedError):
    """This witness cannot be registered or retired."""


@transaction.atomic
def register_witness(
    *, name: str, organisation: str, vkey: str, url: str, actor: Actor | str, at: datetime
) -> Witness:
    """Have a member's witness asked for its cosignature from now on.

    Args:
        name: What operators call it; taken once among the active ones.
        organisation: Slug of the member who runs it; each has one active witness.
        vkey: Its public key, of type 0x04, as the member handed it over.
        url: Where it answers, without ``/add-checkpoint``.
        actor: Who registers it.
        at: When, UTC (mission time).

    Raises:
        WitnessRefusedError: Something of this cannot be; the text says what.
    """
    key = _read_key(vkey)
    _require_address(url)
    _require_place(name=name, organisation=organisation, key=key)
    witness = Witness.objects.create(
        name=name, organisation=organisation, vkey=key.to_vkey(), url=url
    )
    append_entry(
        action="witness.register",
        subject=f"witness:{name}",
        actor=actor,
        at=at,
        organisation=organisation,
        details={"vkey": key.to_vkey(), "url": url},
    )
    return witness


@transaction.atomic
def retire_witness(*, name: str, actor: Actor | str, at: datetime) -> Witness:
    """Ask a witness no longer, and count its cosignatures no longer.

    Entries that only reached their quorum with it wait until the others have
    cosigned a newer checkpoint. Its key cannot come back.

    Args:
        name: Of an active witness.
        actor: Who retires it.
        at: When, UTC (mission time).

    Raises:
        WitnessRefusedError: No active witness has that name.
    """
    witness = Witness.objects.select_for_update().filter(name=name, active=True).first()
    if witness is None:
        raise WitnessRefusedError(f"There is no active witness {name}.")
    witness.active = False
    witness.save(update_fields=["active"])
    append_entry(
        action="witness.retire",
        subject=f"witness:{name}",
        actor=actor,
        at=at,
        organisation=witness.organisation,
        details={"vkey": witness.vkey},
    )
    return witness


def _read_key(vkey: str) -> VerifierKey:
    try:
        key = VerifierKey.from_vkey(vkey)
    except FormatError as fault:
        raise WitnessRefusedError(f"This is no witness's key. {fault}") from fault
    if key.type is not KeyType.COSIGNATURE_V1:
        raise WitnessRefusedError(
            f"The key of {key.name} has the type {key.type:#04x}; a witness's has "
            f"{KeyType.COSIGNATURE_V1:#04x}. Ask the member for the key that its witness shows."
        )
    return key


def _require_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or "@" in url:
        raise WitnessRefusedError(
            f"{url} is not the address of a witness; give http:// or https://, a host and "
            "perhaps a path, without user name or query."
        )


def _require_place(*, name: str, organisation: str, key: VerifierKey) -> None:
    """Refuse what would let one member count twice."""
    if not name or not organisation:
        raise WitnessRefusedError("A witness needs a name and the organisation that runs it.")
    known = list(Witness.objects.select_for_update().order_by("pk"))
    active = [each for each in known if each.active]
    if len(active) >= MAX_WITNESSES:
        raise WitnessRefusedError(f"{MAX_WITNESSES} witnesses are active, which is the limit.")
    for each in known:
        # The name is no part of what a cosignature signs: the key alone counts.
        if VerifierKey.from_vkey(each.vkey).public_key == key.public_key:
            raise WitnessRefusedError(
                f"The key of {key.name} is that of the witness {each.name}"
                f"{'' if each.active else ', which was retired'}. Make a new key."
            )
    for each in active:
        if each.name == name:
            raise WitnessRefusedError(f"A witness {name} is active. Retire it first.")
        if each.organisation == organisation:
            raise WitnessRefusedError(
                f"{organisation} has the witness {each.name}, and one voice. Retire that first."
            )
