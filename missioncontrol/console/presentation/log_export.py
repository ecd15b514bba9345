"""Entries of the log as a file: JSON lines, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Final

from missioncontrol.audit.models import AuditEntry

COLUMNS: Final = (
    "log_index",
    "at",
    "action",
    "subject",
    "actor",
    "organisation",
    "leaf_hash",
    "entry",
)
# What a spreadsheet would take for a formula (OWASP, "CSV Injection").
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


def json_lines(entries: Sequence[AuditEntry]) -> str:
    """Return one JSON object a line; ``entry`` is the text that is hashed, octet for octet."""
    return "".join(
        json.dumps(
            {
                "log_index": each.log_index,
                "leaf_hash": bytes(each.leaf_hash).hex(),
                "entry": _text(each),
            },
            ensure_ascii=False,
        )
        + "\n"
        for each in entries
    )


def csv_head() -> str:
    """Return the line with the names of the columns."""
    return _lines([COLUMNS])


def csv_lines(entries: Sequence[AuditEntry]) -> str:
    """Return a line for each entry (RFC 4180)."""
    return _lines(
        [
            "" if each.log_index is None else str(each.log_index),
            each.at.isoformat().replace("+00:00", "Z"),
            *map(_cell, (each.action, each.subject, each.actor, each.organisation)),
            bytes(each.leaf_hash).hex(),
            _text(each),
        ]
        for each in entries
    )


def _lines(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def _text(entry: AuditEntry) -> str:
    return bytes(entry.entry).decode(errors="replace")
