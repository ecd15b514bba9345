from __future__ import annotations

from django.db import transaction

from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.services import (
    PublicFact,
    announce_log_key,
    append_entries,
    append_entry,
    collecting_before_commit,
    collecting_entries,
    erase_opening,
    register_witness,
    retire_log_key,
    retire_witness,
    sequence_entries,
    still_standing,
    witness_rounds,
)
from missioncontrol.audit.services.collecting import collect
from tests.integration.missioncontrol.audit.log_entries import AT, append
from tests.integration.service_scenarios import scenario, unlogged

ROOT = "operator:root"
WITNESS = {
    "name": "Jodhpur",
    "organisation": "iit-j",
    "vkey": SigningKey(name="w", type=KeyType.COSIGNATURE_V1, seed=bytes(32)).verifier.to_vkey(),
    "url": "https://witness.example",
    "actor": ROOT,
    "at": AT,
}

unlogged(
    "tells of entries that others write",
    collecting_entries,
    collecting_before_commit,
    still_standing,
    collect,
)
unlogged("gives entries their place in the tree: it is the log itself", sequence_entries)
unlogged(
    "cosignatures are signed statements about the log, kept beside its checkpoints",
    witness_rounds.WitnessRounds,
)


@scenario(append_entry)
def append_one(call):
    with transaction.atomic():
        call(action="test.write", subject="n:1", actor="process:test", at=AT)


@scenario(append_entries)
def append_two(call):
    facts = [PublicFact(action="test.write", subject=f"n:{number}") for number in range(2)]
    with transaction.atomic():
        call(facts, actor="process:test", at=AT)


@scenario(erase_opening)
def erase(call):
    [entry] = append(1, organisation="laboratory", private={"program": "SHA256"})
    call(entry=entry, reason="at its wish", actor=ROOT, at=AT)


@scenario(register_witness)
def register(call):
    call(**WITNESS)


@scenario(retire_witness)
def retire(call):
    register_witness(**WITNESS)
    call(name="Jodhpur", actor=ROOT, at=AT)


@scenario(announce_log_key)
def announce_a_key(call):
    sequence_entries(at=AT)
    call(actor=ROOT, at=AT)


@scenario(retire_log_key)
def retire_a_key(call):
    sequence_entries(at=AT)
    announce_log_key(actor=ROOT, at=AT)
    call(actor=ROOT, at=AT)
