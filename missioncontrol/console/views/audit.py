from __future__ import annotations

import re
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.audit import selectors
from missioncontrol.audit.selectors import EntryPage
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import page
from missioncontrol.console.paging import PageLinks, with_query
from missioncontrol.console.presentation.entries import entry_row

_SUBJECT: Final = re.compile(r"[a-z_]+:\S+")


@page(Action.AUDIT_VIEW)
def audit(request: HttpRequest) -> HttpResponse:
    """Show the latest checkpoint and the entries, newest first."""
    filters = {name: request.GET.get(name, "").strip() for name in ("q", "action", "actor")}
    cursor = request.GET.get("cursor", "")
    found = _found(filters, cursor=int(cursor) if cursor.isdecimal() else None)
    size = selectors.published_size()
    older = with_query(request, cursor=str(found.next_cursor)) if found.next_cursor else ""
    context = {
        "section": "audit",
        "checkpoint": _checkpoint(),
        "pending": selectors.waiting_count(),
        "entries": [entry_row(entry, published_size=size) for entry in found.entries],
        "filters": filters,
        "actions": reads.audit_actions(),
        "page": PageLinks(older, with_query(request, cursor="") if cursor else ""),
    }
    return render(request, "console/audit.html", context)


def _found(filters: dict[str, str], *, cursor: int | None) -> EntryPage:
    """Search the log: ``job:3`` is exactly that subject, other words stand anywhere."""
    words, actor = filters["q"], filters["actor"]
    exact = _SUBJECT.fullmatch(words) is not None
    return selectors.entries(
        subject=words if exact else "",
        text="" if exact else words,
        action=filters["action"],
        actor=actor if ":" in actor or not actor else f"operator:{actor}",
        cursor=cursor,
    )


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
        "text": checkpoint.note,
        "url": reverse("log:checkpoint"),
    }


@page(Action.AUDIT_VIEW)
def entry(_request: HttpRequest, log_index: int) -> HttpResponse:
    """Answer with the octets of one entry as they are hashed."""
    octets = bytes(selectors.get_entry(log_index).entry)
    return _file(octets, f"entry-{log_index}.json", "application/json")


@page(Action.AUDIT_VIEW)
def receipt(_request: HttpRequest, log_index: int) -> HttpResponse:
    """Answer with a proof that one entry is in the log, to be checked offline."""
    try:
        text = selectors.receipt(selectors.get_entry(log_index))
    except selectors.NotPublishedError as error:
        raise Http404(str(error)) from error
    return _file(text.encode(), f"entry-{log_index}.tlog-proof", "text/plain; charset=utf-8")


def _file(octets: bytes, name: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        octets,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
