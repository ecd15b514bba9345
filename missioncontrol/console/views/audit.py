"""The consortium log: its entries with filters, and the files that can be taken away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.audit import selectors
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors import EntryFilter
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import page
from missioncontrol.console.paging import PageLinks, with_query
from missioncontrol.console.presentation.entries import LogSizes, entry_row
from missioncontrol.console.presentation.log_export import csv_head, csv_lines, json_lines
from missioncontrol.kernel.errors import RefusedError

MAX_EXPORTED: Final = 100_000
_SUBJECT: Final = re.compile(r"[a-z_]+:\S+")
_FILTERS: Final = ("q", "action", "actor", "organisation", "subject", "since", "until")
_Writer = Callable[[Sequence[AuditEntry]], str]
_FORMATS: Final[dict[str, tuple[str, str, _Writer]]] = {
    "jsonl": ("application/jsonl", "", json_lines),
    "csv": ("text/csv; charset=utf-8", csv_head(), csv_lines),
}


@page(Action.AUDIT_VIEW)
def audit(request: HttpRequest) -> HttpResponse:
    """Show the latest checkpoint and the entries, newest first."""
    filters = _filters(request)
    cursor = request.GET.get("cursor", "")
    error, rows, older = "", [], ""
    try:
        found = selectors.entries(
            _asked(filters), cursor=int(cursor) if cursor.isdecimal() else None
        )
    except RefusedError as refusal:
        error = str(refusal)
    else:
        rows, names = found.entries, organisation_names()
        older = with_query(request, cursor=str(found.next_cursor)) if found.next_cursor else ""
    sizes = log_sizes()
    context = {
        "section": "audit",
        "checkpoint": _checkpoint(),
        "sizes": sizes,
        "pending": selectors.waiting_count(),
        "entries": [entry_row(entry, sizes=sizes, names=names) for entry in rows],
        "filters": filters,
        "is_filtered": any(filters.values()),
        "error": error,
        "actions": reads.audit_actions(),
        "organisations": Organisation.objects.order_by("name"),
        "exports": _export_urls(filters) if not error else {},
        "most_exported": MAX_EXPORTED,
        "page": PageLinks(older, with_query(request, cursor="") if cursor else ""),
    }
    return render(request, "console/audit.html", context, status=422 if error else 200)


def log_sizes() -> LogSizes:
    """Return how far the log counts now."""
    return LogSizes(published=selectors.published_size(), settled=selectors.settled_size())


def organisation_names() -> dict[str, str]:
    """Return the members' names by slug."""
    return dict(Organisation.objects.values_list("slug", "name"))


def _filters(request: HttpRequest) -> dict[str, str]:
    # PostgreSQL takes no NUL in a text, and no entry has one.
    return {name: request.GET.get(name, "").replace("\0", "").strip() for name in _FILTERS}


def _asked(filters: dict[str, str]) -> EntryFilter:
    """Return what the filters say: ``job:3`` is exactly that subject, other words stand anywhere.

    Raises:
        RefusedError: a time is none.
    """
    words, actor = filters["q"], filters["actor"]
    exact = _SUBJECT.fullmatch(words) is not None
    return EntryFilter(
        subject=filters["subject"] or (words if exact else ""),
        text="" if exact and not filters["subject"] else words,
        action=filters["action"],
        actor=actor if ":" in actor or not actor else f"operator:{actor}",
        organisation=filters["organisation"],
        since=_moment(filters["since"], "From"),
        until=_moment(filters["until"], "Before"),
    )


def _moment(text: str, label: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(
            f"{label}: {text!r} is no time. Give one in UTC as 2026-12-01T12:00."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _checkpoint() -> dict[str, Any] | None:
    checkpoint = selectors.latest_checkpoint()
    if checkpoint is None:
        return None
    # A signed note begins with the log's name, the size and the root (C2SP tlog-checkpoint).
    origin, _size, root, *_rest = checkpoint.note.splitlines()
    return {
        "origin": origin,
        "size": checkpoint.size,
        "root": root,
        "published_at": checkpoint.published_at,
        "text": selectors.cosigned_note(checkpoint.note),
        "url": reverse("log:checkpoint"),
    }


def _export_urls(filters: dict[str, str]) -> dict[str, str]:
    asked = {name: value for name, value in filters.items() if value}
    return {kind: reverse("console:audit_export", query=asked | {"as": kind}) for kind in _FORMATS}


@page(Action.AUDIT_VIEW)
def export(request: HttpRequest) -> HttpResponseBase:
    """Send the entries that fit, newest first, as a file that is written while it is read."""
    kind = request.GET.get("as", "jsonl")
    if kind not in _FORMATS:
        raise Http404(f"There is no export as {kind!r}; there are {', '.join(_FORMATS)}.")
    try:
        asked = _asked(_filters(request))
    except RefusedError as refusal:
        return HttpResponse(f"{refusal}\n", status=422, content_type="text/plain; charset=utf-8")
    is_cut = selectors.count_entries(asked, most=MAX_EXPORTED + 1) > MAX_EXPORTED
    name = f"log-newest-{MAX_EXPORTED}" if is_cut else "log-entries"
    content_type, head, write = _FORMATS[kind]
    return StreamingHttpResponse(
        _written(asked, head, write),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{kind}"',
            "Cache-Control": "private, no-store",
        },
    )


async def _written(asked: EntryFilter, head: str, write: _Writer) -> AsyncIterator[str]:
    """Give the file page by page: no transaction and no memory grows with it."""
    yield head
    cursor, left = None, MAX_EXPORTED
    while left > 0:
        found = await sync_to_async(selectors.entries)(
            asked, cursor=cursor, limit=min(left, selectors.MAX_PAGE)
        )
        yield write(found.entries)
        left -= len(found.entries)
        cursor = found.next_cursor
        if cursor is None:
            return


@page(Action.AUDIT_VIEW)
def entry(_request: HttpRequest, log_index: int) -> HttpResponse:
    """Answer with the octets of one entry as they are hashed."""
    octets = bytes(selectors.get_entry(log_index).entry)
    return file_answer(octets, f"entry-{log_index}.json", "application/json")


@page(Action.AUDIT_VIEW)
def receipt(request: HttpRequest, log_index: int) -> HttpResponse:
    """Answer with a proof that one entry is in the log, to be checked offline."""
    size = request.GET.get("size", "")
    try:
        text = selectors.receipt(
            selectors.get_entry(log_index), size=int(size) if size.isdecimal() else None
        )
    except selectors.NotPublishedError as error:
        raise Http404(str(error)) from error
    return file_answer(text.encode(), f"entry-{log_index}.tlog-proof", "text/plain; charset=utf-8")


def file_answer(octets: bytes, name: str, content_type: str) -> HttpResponse:
    """Return an answer that a browser keeps as a file."""
    return HttpResponse(
        octets,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
