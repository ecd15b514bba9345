from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missioncontrol.audit.models import AuditEntry

_FACTS_SHOWN: Final = 4
_FACT_LENGTH: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One entry of the log."""

    index: int | None
    at: datetime
    actor: str
    organisation: str
    action: str
    subject: str
    summary: str
    leaf_hash: str
    published: bool
    canonical: str


def entry_row(entry: AuditEntry, *, published_size: int) -> EntryRow:
    """Return one entry; those below *published_size* have a proof."""
    canonical = bytes(entry.entry).decode(errors="replace")
    return EntryRow(
        index=entry.log_index,
        at=entry.at,
        actor=entry.actor,
        organisation=entry.organisation,
        action=entry.action,
        subject=entry.subject,
        summary=summary(entry.subject, canonical),
        leaf_hash=bytes(entry.leaf_hash).hex(),
        published=entry.log_index is not None and entry.log_index < published_size,
        canonical=canonical,
    )


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
        and not name.endswith("sha256")  # a digest says nothing at a glance; it is in the entry
    ]
    return " · ".join([subject, *facts[:_FACTS_SHOWN]])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _FACT_LENGTH else f"{text[: _FACT_LENGTH - 1]}…"
