"""Let the log's signing key be followed by another, in the sight of everybody.

1. A new key is made, and lies beside the old one.
2. ``log.key.announce``, an entry, names it. When a checkpoint that the old key
   signed is published over the entry, its receipt is laid below ``keys/``: from
   here on whoever knows the old key can be led to the new one, offline.
3. ``log.key.begin``: from this entry on both keys sign. Members take the new key
   over while either of the two is enough.
4. ``log.key.retire``: the last entry under both. The new key takes the old one's
   place, whose secret is gone with that.

Each step leaves the log whole, is seen by the next call, and is not done twice:
whoever is killed between two of them calls again.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.audit import selectors
from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import (
    SignedCheckpoint,
    parse_checkpoint_body,
    sign_checkpoint,
)
from missioncontrol.audit.merkle.errors import SignatureError
from missioncontrol.audit.merkle.keys import SEED_OCTETS, KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import parse_note
from missioncontrol.audit.merkle.succession import (
    ANNOUNCE,
    KeyChange,
    announcement_details,
    write_announcement,
)
from missioncontrol.audit.models import AuditEntry, Checkpoint, Witness
from missioncontrol.audit.services.append import Actor, append_entry
from missioncontrol.audit.services.sequencing import sequence_entries
from missioncontrol.audit.witness_call import WitnessError, ask_witness, folder_prover
from missioncontrol.kernel.errors import RefusedError

_BEGIN: Final = "log.key.begin"
_RETIRE: Final = "log.key.retire"


class RotationRefusedError(RefusedError):
    """The log's key cannot be changed as things are."""


@dataclass(frozen=True, slots=True)
class _Keys:
    old: SigningKey
    new: SigningKey

    @property
    def change(self) -> KeyChange:
        return KeyChange(old=self.old.verifier, new=self.new.verifier)


def announce_log_key(*, actor: Actor | str, at: datetime) -> KeyChange:
    """Make the log's next key, announce it, and let it sign beside the present one.

    Call it outside any transaction. Called again it goes on from where it was,
    with the same key, and changes nothing where all was done.

    Args:
        actor: Who changes the key.
        at: When, UTC (mission time).

    Returns:
        The key in force and the one that is to follow.

    Raises:
        RotationRefusedError: The log was never started.
        NotPublishedError: The announcement waits for its quorum; call again.
        LogRefusedError: The log cannot grow as things are.
    """
    folder = selectors.log_folder()
    with folder.locked():
        keys = _keys(folder) or _made(folder)
    announced = _log_once(ANNOUNCE, keys, actor=actor, at=at)
    _sequence(announced, at=at)
    announced.refresh_from_db()
    octets = write_announcement(
        selectors.receipt(announced).encode(), entry=bytes(announced.entry)
    )
    with folder.locked():
        if folder.announced_successor(keys.old) is None:
            folder.write_announcement(keys.old.verifier, octets)
    _sequence(_log_once(_BEGIN, keys, actor=actor, at=at), at=at)
    return keys.change


def retire_log_key(*, actor: Actor | str, at: datetime) -> KeyChange:
    """Let the announced key take the present one's place; the old secret is destroyed.

    Call it outside any transaction, and again if it was interrupted.

    Args:
        actor: Who changes the key.
        at: When, UTC (mission time).

    Returns:
        The key that was in force and the one that is now.

    Raises:
        RotationRefusedError: No key was announced, both do not sign yet, or
            without those witnesses that do not know it nothing would be published.
        NotPublishedError: The last entry waits for its quorum; call again.
        LogRefusedError: The log cannot grow as things are.
    """
    folder = selectors.log_folder()
    keys = _keys(folder)
    if keys is None or folder.announced_successor(keys.old) is None:
        raise RotationRefusedError(
            "No key was announced that could take over. Run rotate_log_key without --finish first."
        )
    _require_signed_by(folder, keys.new.verifier)
    _require_witnesses(folder, keys.new)
    retired = _log_once(_RETIRE, keys, actor=actor, at=at)
    _sequence(retired, at=at)
    if not selectors.is_published(retired.pk):
        raise selectors.NotPublishedError(
            "The entry that retires the key waits for its quorum of witnesses. Ask again."
        )
    with folder.locked():
        if folder.read_next_signing_key() == keys.new:
            _require_signed_by(folder, keys.new.verifier)
            # The public half first: whoever reads it now finds both signatures.
            folder.write_verifier_key(keys.new.verifier)
            folder.promote_next_signing_key()
    return keys.change


def _keys(folder: LogFolder) -> _Keys | None:
    old, new = folder.read_signing_key(), folder.read_next_signing_key()
    if old is None:
        raise RotationRefusedError(
            f"There is no signing key in {folder.path}: the log was not started yet, or the key "
            "must be restored from a backup."
        )
    return None if new is None else _Keys(old, new)


def _made(folder: LogFolder) -> _Keys:
    """Make the next key; its secret is on the disk before anybody hears of it."""
    old = folder.read_signing_key()
    assert old is not None
    new = SigningKey(name=old.name, type=KeyType.ED25519, seed=secrets.token_bytes(SEED_OCTETS))
    folder.write_next_signing_key(new)
    return _Keys(old, new)


@transaction.atomic
def _log_once(action: str, keys: _Keys, *, actor: Actor | str, at: datetime) -> AuditEntry:
    """Return the entry of this step, which is written at the first call only."""
    subject = f"log-key:{keys.new.verifier.key_id.hex()}"
    # The lock makes two callers take turns.
    if not Checkpoint.objects.select_for_update().filter(size=0).exists():
        raise RotationRefusedError("The log was not started yet; its sequencer does that.")
    entry = AuditEntry.objects.filter(action=action, subject=subject).first()
    return entry or append_entry(
        action=action,
        subject=subject,
        actor=actor,
        at=at,
        details=announcement_details(keys.change),
    )


def _sequence(entry: AuditEntry, *, at: datetime) -> None:
    """Bring *entry* under a signed checkpoint, whether a sequencer runs or not."""
    signed = AuditEntry.objects.filter(pk=entry.pk)
    while not signed.filter(log_index__lt=_newest().size).exists():
        sequence_entries(at=at)


def _newest() -> Checkpoint:
    return Checkpoint.objects.latest()


def _require_signed_by(folder: LogFolder, key: VerifierKey) -> None:
    try:
        folder.open_checkpoint(key=key)
    except SignatureError as fault:
        raise RotationRefusedError(
            "The published checkpoint is not signed by the announced key yet. Run "
            "rotate_log_key without --finish again."
        ) from fault


def _require_witnesses(folder: LogFolder, new: SigningKey) -> None:
    """Refuse where too few witnesses know *new*: alone it would get no quorum any more.

    Each is asked to cosign the newest checkpoint, signed by *new* alone. One
    that does not know the key answers 403 and changes nothing.
    """
    quorum = selectors.published_quorum()
    witnesses = list(Witness.objects.filter(active=True).order_by("name"))
    if not quorum or not witnesses:
        return
    note = parse_note(_newest().note.encode())
    signed = sign_checkpoint(parse_checkpoint_body(note.text), key=new)
    with ThreadPoolExecutor(max_workers=len(witnesses)) as threads:
        faults = threads.map(lambda each: _refusal(each, signed, folder), witnesses)
    missing = {str(each): fault for each, fault in zip(witnesses, faults, strict=True) if fault}
    if len(witnesses) - len(missing) < quorum:
        raise RotationRefusedError(
            f"{len(witnesses) - len(missing)} of {len(witnesses)} witnesses know the announced "
            f"key, {quorum} are needed to publish anything with it. Ask the others to take it "
            f"over: {'; '.join(f'{name}: {fault}' for name, fault in missing.items())}"
        )


def _refusal(witness: Witness, signed: SignedCheckpoint, folder: LogFolder) -> str:
    """Return why a witness does not cosign; empty if it does."""
    try:
        ask_witness(
            url=witness.url,
            key=VerifierKey.from_vkey(witness.vkey),
            signed=signed,
            known_size=witness.last_size,
            prove=folder_prover(folder),
        )
    except WitnessError as fault:
        return str(fault)
    return ""
