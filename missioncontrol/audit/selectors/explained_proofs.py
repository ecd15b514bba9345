"""The proof of one entry as a person can follow it, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from missioncontrol.audit.merkle.keys import KeyType, VerifierKey
from missioncontrol.audit.merkle.note import SignatureLine, parse_note
from missioncontrol.audit.merkle.proofs import ProofStep, inclusion_steps
from missioncontrol.audit.models import AuditEntry, Witness
from missioncontrol.audit.selectors.log import announced_key, verification_key
from missioncontrol.audit.selectors.proofs import InclusionProof, inclusion_proof

_TIME_OCTETS: Final = 8  # before the signature in a cosignature (C2SP tlog-cosignature)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """A signature line under a checkpoint: whose it says it is; that verifies nothing."""

    name: str  # of the key
    key_id: str  # hex
    kind: str  # "log", "witness", or "unknown" here
    organisation: str  # slug, of a witness
    signed_at: datetime | None  # of a cosignature


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedProof:
    """How one entry leads to the root that was signed."""

    proof: InclusionProof
    leaf_hash: bytes
    steps: list[ProofStep]
    lines: list[NoteLine]


def explained_proof(entry: AuditEntry) -> ExplainedProof:
    """Return the proof that *entry* stands in the tree as last published, step by step.

    Raises:
        NotPublishedError: It does not yet.
        VerificationError: A tile on the way is missing or damaged.
    """
    proof = inclusion_proof(entry)
    leaf = bytes(entry.leaf_hash)
    return ExplainedProof(
        proof=proof,
        leaf_hash=leaf,
        steps=inclusion_steps(leaf=leaf, index=proof.index, size=proof.size, proof=proof.hashes),
        lines=_lines(proof.checkpoint),
    )


def _lines(note: str) -> list[NoteLine]:
    known = _known_keys()
    return [_line(each, known) for each in parse_note(note.encode()).signatures]


def _line(line: SignatureLine, known: dict[tuple[str, bytes], tuple[str, str]]) -> NoteLine:
    kind, organisation = known.get((line.name, line.key_id), ("unknown", ""))
    return NoteLine(
        name=line.name,
        key_id=line.key_id.hex(),
        kind=kind,
        organisation=organisation,
        signed_at=_time_in(line.payload) if kind == "witness" else None,
    )


def _time_in(payload: bytes) -> datetime | None:
    try:
        return datetime.fromtimestamp(int.from_bytes(payload[:_TIME_OCTETS], "big"), UTC)
    except (ValueError, OverflowError):  # a witness signs whatever its clock says
        return None


def _known_keys() -> dict[tuple[str, bytes], tuple[str, str]]:
    """Return whose each key is: its kind and the organisation."""
    keys = {
        (key.name, key.key_id): ("log", "")
        for key in map(VerifierKey.from_vkey, filter(None, (verification_key(), announced_key())))
    }
    for vkey, organisation in Witness.objects.values_list("vkey", "organisation"):
        key = VerifierKey.from_vkey(vkey)
        if key.type is KeyType.COSIGNATURE_V1:
            keys[key.name, key.key_id] = ("witness", organisation)
    return keys
