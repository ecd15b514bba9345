"""Events: entries of the consortium log as they go out to pipelines, in one form for all ways."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors import entry_content

# Of an entry these stand beside the data, or tell a reader of the log how to hash it.
_NO_DATA: Final = frozenset({"version", "nonce", "action", "at"})


@dataclass(frozen=True)
class Event:
    """One published entry.

    The number is its index in the log: gapless, and never given twice. The form
    is that of Standard Webhooks ("Payload structure") with that number.
    """

    id: int
    type: str
    organisation: str  # slug of whom it concerns; empty: nobody in particular
    timestamp: str  # mission time of what happened, UTC
    data: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """The event as JSON; written once however many it goes to."""
        fields = {
            "id": self.id,
            "type": self.type,
            "timestamp": self.timestamp,
            "data": self.data,
        }
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def event_of(entry: AuditEntry) -> Event:
    """Return the event that a published entry is.

    Raises:
        FormatError: the entry's octets were changed.
    """
    assert entry.log_index is not None  # it is published
    content = entry_content(entry)
    return Event(
        id=entry.log_index,
        type=content["action"],
        organisation=content["organisation"],
        timestamp=content["at"],
        data=visible_content(content),
    )


def visible_content(content: dict[str, Any]) -> dict[str, Any]:
    """Return what goes out of an entry's content: its public facts, to everybody the same.

    What is private to a member stands behind a commitment and is asked for where
    the right to it is checked each time (and where it can be erased): a copy
    that was pushed to a receiver could not be.
    """
    return {name: value for name, value in content.items() if name not in _NO_DATA}
