"""The private parts of entries, for those who may read them."""

from __future__ import annotations

from typing import Any

from missioncontrol.audit.merkle.opening import (
    Opening,
    commitment_in,
    format_opening,
    verify_opening,
)
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.models import Opening as OpeningRow
from missioncontrol.kernel.errors import NotPermittedError, RefusedError


class NoOpeningError(RefusedError):
    """The entry has no private part."""


class OpeningErasedError(RefusedError):
    """The private part was erased; what is left is the entry with its commitment."""


class NotEntitledError(NotPermittedError):
    """The private part is for others."""


def opening(entry: AuditEntry) -> Opening:
    """Return what stands behind an entry's commitment, to be checked with ``verify_opening``.

    Raises:
        NoOpeningError: The entry has no private part.
        NotEntitledError: The work is done neither for its owner nor for a reader.
        OpeningErasedError: It was erased; the text says when, by whom and why.
        NoOrganisationContextError: Nobody said for whom the work is done.
    """
    row = visible_opening(OpeningRow.objects.filter(pk=entry.pk).first(), entry)
    if row.payload is None or row.salt is None:
        raise erased(row, entry)
    return Opening(salt=bytes(row.salt), payload=bytes(row.payload))


def opening_content(entry: AuditEntry) -> dict[str, Any]:
    """Return what stands behind an entry's commitment, which it proved to be.

    Raises:
        VerificationError: It is not what the entry was committed to.
        NoOpeningError: See ``opening``, also for the further ones.
    """
    return verify_opening(opening(entry), entry=bytes(entry.entry))


def opening_file(entry: AuditEntry) -> bytes:
    """Return the opening as it is handed to others; it raises what ``opening`` does."""
    return format_opening(opening(entry))


def visible_opening(row: OpeningRow | None, entry: AuditEntry) -> OpeningRow:
    """Return the row that was found for *entry*, or say why there is none.

    Raises:
        NoOpeningError: The entry has no private part.
        NotEntitledError: It has one, which cannot be seen here.
    """
    if row is not None:
        return row
    if commitment_in(bytes(entry.entry)) is None:
        raise NoOpeningError(f"The entry {entry} has no private part: all of it is public.")
    raise NotEntitledError(
        f"The private part of the entry {entry} belongs to {entry.organisation}. Only that "
        "organisation, and those that it was written for, can read it."
    )


def erased(row: OpeningRow, entry: AuditEntry) -> OpeningErasedError:
    """Return the refusal that tells of an erasure."""
    return OpeningErasedError(
        f"The private part of the entry {entry} was erased by {row.erased_by} at "
        f"{row.erased_at:%Y-%m-%d %H:%M:%SZ}: {row.erasure_reason}"
    )
