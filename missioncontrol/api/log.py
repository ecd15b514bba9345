"""The consortium log: its key, its checkpoint, its entries and the proof of each."""

from __future__ import annotations

import base64

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import Asked, Instant, Number, PageSize, Text
from missioncontrol.api.paging import Page, row_cursor
from missioncontrol.api.problems import NotFoundError
from missioncontrol.audit import selectors
from missioncontrol.audit.models import AuditEntry

router = Router(tags=["consortium log"], auth=TOKEN_OR_SESSION)


class LogOut(Schema):
    """The log's name and its public key (C2SP signed-note vkey)."""

    origin: str
    vkey: str


class EntryOut(Schema):
    """One entry; ``entry`` holds the octets that are hashed, in base64.

    ``log_index`` is null for the moment until a checkpoint covers it; from then
    on its receipt can be had.
    """

    log_index: int | None
    action: str
    subject: str
    actor: str
    organisation: str
    at: Instant
    entry: str


class ReceiptOut(Schema):
    """A proof of inclusion (C2SP tlog-proof) and the entry that it proves."""

    log_index: int
    receipt: str
    entry: str


class EntryQuery(Asked):
    """Which entries; each field must match exactly."""

    subject: Text = ""
    action: Text = ""
    actor: Text = ""
    organisation: Text = ""
    cursor: Text | None = None
    limit: PageSize = 50


@router.get("/audit/log", response=LogOut, summary="The log's name and key")
def get_log(request: HttpRequest) -> LogOut:
    """Return what a verifier needs; keep the key, and compare it on every visit."""
    principal_of(request).require(Action.AUDIT_VIEW)
    return LogOut(origin=selectors.origin(), vkey=selectors.verification_key())


@router.get(
    "/audit/checkpoint",
    summary="The newest checkpoint",
    openapi_extra={
        "responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
    },
)
def get_checkpoint(request: HttpRequest) -> HttpResponse:
    """Return the signed tree head as last published (C2SP tlog-checkpoint)."""
    principal_of(request).require(Action.AUDIT_VIEW)
    checkpoint = selectors.latest_checkpoint()
    if checkpoint is None:
        raise selectors.NotPublishedError("The log has published no checkpoint yet.")
    return HttpResponse(checkpoint.note, content_type="text/plain; charset=utf-8")


@router.get("/audit/entries", response=Page[EntryOut], summary="Entries of the log")
def list_entries(request: HttpRequest, asked: Query[EntryQuery]) -> Page[EntryOut]:
    """Return entries, the newest first, also those that wait for their number."""
    principal_of(request).require(Action.AUDIT_VIEW)
    page = selectors.entries(
        subject=asked.subject,
        action=asked.action,
        actor=asked.actor,
        organisation=asked.organisation,
        cursor=row_cursor(asked.cursor) if asked.cursor is not None else None,
        limit=asked.limit,
    )
    published = selectors.published_size()
    return Page(
        items=[_entry_out(entry, published) for entry in page.entries],
        next=str(page.next_cursor) if page.next_cursor is not None else None,
    )


@router.get(
    "/audit/entries/{log_index}/receipt", response=ReceiptOut, summary="Proof of one entry"
)
def get_receipt(request: HttpRequest, log_index: Number) -> ReceiptOut:
    """Return a proof that can be checked offline with the log's key."""
    principal_of(request).require(Action.AUDIT_VIEW)
    try:
        entry = selectors.get_entry(log_index)
    except AuditEntry.DoesNotExist:
        raise NotFoundError(f"The log has no entry {log_index} (yet).") from None
    return ReceiptOut(
        log_index=log_index, receipt=selectors.receipt(entry), entry=_base64(entry.entry)
    )


def _entry_out(entry: AuditEntry, published: int) -> EntryOut:
    index = entry.log_index
    return EntryOut(
        log_index=index if index is not None and index < published else None,
        action=entry.action,
        subject=entry.subject,
        actor=entry.actor,
        organisation=entry.organisation,
        at=entry.at,
        entry=_base64(entry.entry),
    )


def _base64(octets: bytes | memoryview) -> str:
    return base64.b64encode(bytes(octets)).decode()
