"""Entries of the consortium log as a list and as a page show them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors import ExplainedProof

_FACTS_SHOWN: Final = 4
_FACT_LENGTH: Final = 40
# Of a time in UTC the list shows no parts of a second; the entry's own page has them.
_INSTANT: Final = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSizes:
    """How many entries stand under a published checkpoint, and under a settled one."""

    published: int
    settled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One entry of the log."""

    index: int | None  # None: it waits for the sequencer
    at: datetime
    actor: str
    organisation: str  # slug, or empty
    organisation_name: str
    action: str
    subject: str
    summary: str
    leaf_hash: str
    state: str  # pending, published, settled
    canonical: str


def entry_row(entry: AuditEntry, *, sizes: LogSizes, names: Mapping[str, str]) -> EntryRow:
    """Return one entry.

    Args:
        entry: Which.
        sizes: How far the log counts.
        names: Of organisations, by slug.
    """
    canonical = bytes(entry.entry).decode(errors="replace")
    return EntryRow(
        index=entry.log_index,
        at=entry.at,
        actor=entry.actor,
        organisation=entry.organisation,
        organisation_name=names.get(entry.organisation, entry.organisation),
        action=entry.action,
        subject=entry.subject,
        summary=summary(entry.subject, canonical),
        leaf_hash=bytes(entry.leaf_hash).hex(),
        state=_state(entry.log_index, sizes),
        canonical=canonical,
    )


def _state(index: int | None, sizes: LogSizes) -> str:
    if index is None or index >= sizes.published:
        return "pending"
    return "settled" if index < sizes.settled else "published"


def summary(subject: str, canonical: str) -> str:
    """Return the subject and the first facts of an entry, in one line."""
    try:
        details: dict[str, Any] = dict(json.loads(canonical)["details"])
    except (ValueError, KeyError, TypeError):
        # The octets were changed; verify_log tells more. The list still shows them.
        return subject
    facts = [
        f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in details.items()
        if isinstance(value, str | int | float)
        and value not in ("", False)
        # A digest or a key says nothing at a glance; the entry's own page has it.
        and not name.endswith(("digest", "sha256", "vkey"))
    ]
    return " · ".join([subject, *facts[:_FACTS_SHOWN]])


def _short(value: object) -> str:
    text = _INSTANT.sub(r"\1 \2Z", str(value))
    return text if len(text) <= _FACT_LENGTH else f"{text[: _FACT_LENGTH - 1]}…"


def readable(canonical: str) -> str:
    """Return JSON over several lines, for reading; the octets themselves where they are none."""
    try:
        return json.dumps(json.loads(canonical), indent=2, ensure_ascii=False)
    except ValueError:
        return canonical


def facts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a private part with their values as text."""
    return [(name.replace("_", " "), _text(value)) for name, value in content.items()]


def _text(value: object) -> str:
    if value is None or value == "":
        return "—"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRow:
    """A step of a proof: two hashes side by side, one of them the sibling, and what they make."""

    number: int
    left: str
    right: str
    sibling_is_left: bool
    joined: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow:
    """A line under the checkpoint."""

    name: str
    key_id: str
    kind: str
    organisation: str  # its name
    signed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofView:
    """A proof as the page draws it; hashes are hex."""

    index: int
    size: int
    leaf: str
    joins: list[JoinRow]
    root: str
    note: str
    signatures: list[SignatureRow]
    cosigned: int  # lines of witnesses


def proof_view(found: ExplainedProof, *, names: Mapping[str, str]) -> ProofView:
    """Return a proof step by step; *names* are those of organisations, by slug."""
    joins = []
    reached = found.leaf_hash.hex()
    for number, step in enumerate(found.steps, start=1):
        sibling = step.sibling.hex()
        left, right = (sibling, reached) if step.is_left else (reached, sibling)
        reached = step.joined.hex()
        joins.append(
            JoinRow(
                number=number,
                left=left,
                right=right,
                sibling_is_left=step.is_left,
                joined=reached,
            )
        )
    signatures = [
        SignatureRow(
            name=line.name,
            key_id=line.key_id,
            kind=line.kind,
            organisation=names.get(line.organisation, line.organisation),
            signed_at=line.signed_at,
        )
        for line in found.lines
    ]
    return ProofView(
        index=found.proof.index,
        size=found.proof.size,
        leaf=found.leaf_hash.hex(),
        joins=joins,
        root=found.proof.root.hex(),
        note=found.proof.checkpoint,
        signatures=signatures,
        cosigned=sum(row.kind == "witness" for row in signatures),
    )
