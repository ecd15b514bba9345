"""One entry of the consortium log: its octets, its private part, its proof step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.selectors import get_organisation
from missioncontrol.audit import selectors, services
from missioncontrol.audit.models import AuditEntry
from missioncontrol.console.access import Viewer, deed, page, viewer_of
from missioncontrol.console.presentation.entries import entry_row, facts, proof_view, readable
from missioncontrol.console.views.audit import file_answer, log_sizes, organisation_names
from missioncontrol.kernel import clock

_LEAF_OCTETS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivatePart:
    """What stands behind an entry's commitment, or why it is not shown.

    ``state`` is none, readable, kept (from this reader) or erased.
    """

    state: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    why: str = ""


@page(Action.AUDIT_VIEW)
def log_entry(request: HttpRequest, log_index: int) -> HttpResponse:
    """Show one entry that has its place in the log."""
    return _shown(request, selectors.get_entry(log_index))


@page(Action.AUDIT_VIEW)
def leaf(request: HttpRequest, leaf_hash: str) -> HttpResponse:
    """Lead to the entry with a leaf hash, as ``Audit-Receipt`` names it; show one that waits."""
    try:
        octets = bytes.fromhex(leaf_hash)
    except ValueError:
        octets = b""
    if len(octets) != _LEAF_OCTETS:
        raise Http404(f"{leaf_hash} is no leaf hash; one has {2 * _LEAF_OCTETS} hex digits.")
    entry = selectors.entry_by_leaf_hash(octets)
    if entry.log_index is not None:
        return redirect("console:log_entry", entry.log_index)
    return _shown(request, entry)


def _shown(request: HttpRequest, entry: AuditEntry) -> HttpResponse:
    names, sizes = organisation_names(), log_sizes()
    row = entry_row(entry, sizes=sizes, names=names)
    viewer = viewer_of(request)
    with viewer.principal.acting_with(Action.OPENING_VIEW):
        private = _private_part(entry)
    context = {
        "section": "audit",
        "entry": row,
        "readable": readable(row.canonical),
        "octets": len(bytes(entry.entry)),
        "private": private,
        "may_erase": private.state == "readable" and _may_erase(viewer, entry),
        "proof": None
        if row.state == "pending"
        else proof_view(selectors.explained_proof(entry), names=names),
        "sizes": sizes,
        "quorums": (selectors.published_quorum(), selectors.settled_quorum()),
        "log_url": request.build_absolute_uri(reverse("log:checkpoint")).removesuffix(
            "/checkpoint"
        ),
        "origin": settings.LOG_ORIGIN,
    }
    return render(request, "console/log_entry.html", context)


def _private_part(entry: AuditEntry) -> PrivatePart:
    try:
        return PrivatePart(state="readable", facts=facts(selectors.opening_content(entry)))
    except selectors.NoOpeningError:
        return PrivatePart(state="none")
    except selectors.NotEntitledError as error:
        return PrivatePart(state="kept", why=str(error))
    except selectors.OpeningErasedError as error:
        return PrivatePart(state="erased", why=str(error))


def _may_erase(viewer: Viewer, entry: AuditEntry) -> bool:
    owner = Organisation.objects.filter(slug=entry.organisation).first()
    return owner is not None and viewer.may(Action.OPENING_ERASE, owner)


@page(Action.OPENING_VIEW)
def opening(request: HttpRequest, log_index: int) -> HttpResponse:
    """Answer with the private part as a file that others can check (``mc opening verify``)."""
    entry = selectors.get_entry(log_index)
    try:
        with viewer_of(request).principal.acting_with(Action.OPENING_VIEW):
            octets = selectors.opening_file(entry)
    except (selectors.NoOpeningError, selectors.OpeningErasedError) as error:
        raise Http404(str(error)) from error
    return file_answer(octets, f"entry-{log_index}.opening", "application/octet-stream")


@deed(Action.OPENING_ERASE, back="console:audit")
def erase_opening(request: HttpRequest, log_index: int) -> HttpResponse:
    """Erase the private part of an entry, for ever."""
    entry = selectors.get_entry(log_index)
    viewer = viewer_of(request)
    if entry.organisation:
        viewer.principal.require(Action.OPENING_ERASE, get_organisation(slug=entry.organisation))
    services.erase_opening(
        entry=entry,
        reason=request.POST.get("reason", ""),
        actor=viewer.operator,
        at=clock.now(),
    )
    messages.success(
        request,
        f"The private part of entry {log_index} is erased. The entry, its proof and all receipts "
        "stay as they are.",
    )
    return redirect("console:log_entry", log_index)
