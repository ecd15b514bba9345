"""The consortium log: its key, its checkpoint, its entries and the proof of each."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.selectors import get_organisation
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.fields import (
    Asked,
    AskedInstant,
    Instant,
    Number,
    Sent,
    Sentence,
    Text,
    example,
)
from missioncontrol.api.paging import Page, PageQuery, row_cursor
from missioncontrol.api.problems import NotFoundError, invalid, problem
from missioncontrol.audit import selectors, services
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock

LeafHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # SHA-256 of a leaf, hex

router = Router(tags=["consortium log"], auth=TOKEN_OR_SESSION)


_VKEY: Final = "missioncontrol.local/log+5f1e0c77+AfxrGm2JmHc6SRyMZ4b5mqCwVhzqvq8o2qzjvM4tDd3T"
_STANDING: Final[dict[str, Any]] = {
    "name": "laboratory-one",
    "organisation": "ai-laboratory-1",
    "size": 4712,
    "behind": 1,
    "last_seen_at": "2026-12-01T12:00:00Z",
    "fault": "",
}


class LogOut(Schema):
    """The log's name and its public key (C2SP signed-note vkey).

    ``announced_vkey`` is the key that is to follow, while both sign.
    """

    model_config = example(
        origin="missioncontrol.local/log",
        vkey=_VKEY,
        announced_vkey=None,
    )

    origin: str
    vkey: str
    announced_vkey: str | None


class EntryOut(Schema):
    """One entry; ``entry`` holds the octets that are hashed, in base64.

    ``log_index`` is null for the moment until a checkpoint covers it; from then
    on its receipt can be had.
    """

    model_config = example(
        log_index=4711,
        action="job.complete",
        subject="job:17",
        actor="job-pipeline",
        organisation="ai-laboratory-1",
        at="2026-12-01T12:00:00Z",
        entry="eyJhY3Rpb24iOiJqb2IuY29tcGxldGUifQ==",
    )

    log_index: int | None
    action: str
    subject: str
    actor: str
    organisation: str
    at: Instant
    entry: str


class ReceiptOut(Schema):
    """A proof of inclusion (C2SP tlog-proof) and the entry that it proves."""

    model_config = example(
        log_index=4711,
        receipt="c2sp.org/tlog-proof@v1\nindex 4711\n…",
        entry="eyJhY3Rpb24iOiJqb2IuY29tcGxldGUifQ==",
    )

    log_index: int
    receipt: str
    entry: str


class OpeningOut(Schema):
    """The private part of an entry, to be checked against the commitment in it."""

    model_config = example(
        log_index=4711,
        opening='{"payload":{"input_sha256":"…"},"salt":"…"}',
        entry="eyJhY3Rpb24iOiJqb2Iuc3VibWl0In0=",
    )

    log_index: int
    opening: str
    entry: str


class ErasureIn(Sent):
    """Why the private part of an entry is to go; every member reads it."""

    model_config = example(reason="Asked for by the person whom the result is about.")

    reason: Annotated[Sentence, Field(min_length=1)]


class ConsistencyOut(Schema):
    """A proof that the log of ``new`` entries continues that of ``old`` (RFC 6962)."""

    model_config = example(
        old=4000, new=4711, hashes=["dGhpcyBpcyB0aGUgaGFzaCBvZiBhIG5vZGUgISEhISE="]
    )

    old: int
    new: int
    hashes: list[str]


class WitnessStandingOut(Schema):
    """How one witness stands; ``fault`` is empty if it cosigned when last asked."""

    model_config = example(**_STANDING)

    name: str
    organisation: str
    size: int
    behind: int
    last_seen_at: Instant | None
    fault: str


class WitnessBoardOut(Schema):
    """Who cosigns, and how far that lets entries count."""

    model_config = example(
        witnesses=[_STANDING],
        published_quorum=13,
        settled_quorum=17,
        signed_size=4713,
        published_size=4712,
        settled_size=4700,
    )

    witnesses: list[WitnessStandingOut]
    published_quorum: int
    settled_quorum: int
    signed_size: int
    published_size: int
    settled_size: int


class ConsistencyQuery(Asked):
    """Between which sizes; ``new`` is what is published unless given."""

    old: Number
    new: Number | None = None


class EntryQuery(PageQuery):
    """Which entries; a field must match exactly, but for ``text``, which may stand anywhere."""

    subject: Text = ""
    action: Text = ""
    actor: Text = ""
    organisation: Text = ""
    text: Text = ""
    since: AskedInstant | None = None
    until: AskedInstant | None = None


@router.get("/audit/log", response=LogOut, summary="The log's name and key")
def get_log(request: HttpRequest) -> LogOut:
    """Return what a verifier needs; keep the key, and compare it on every visit."""
    principal_of(request).require(Action.AUDIT_VIEW)
    return LogOut(
        origin=selectors.origin(),
        vkey=selectors.verification_key(),
        announced_vkey=selectors.announced_key(),
    )


@router.get(
    "/audit/checkpoint",
    summary="The newest checkpoint",
    openapi_extra={
        "responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
    },
)
def get_checkpoint(request: HttpRequest) -> HttpResponse:
    """Return the signed tree head with the witnesses' cosignatures (C2SP tlog-checkpoint)."""
    principal_of(request).require(Action.AUDIT_VIEW)
    note = selectors.public_checkpoint()
    if note is None:
        raise selectors.NotPublishedError("The log has published no checkpoint yet.")
    return HttpResponse(note, content_type="text/plain; charset=utf-8")


@router.get("/audit/consistency", response=ConsistencyOut, summary="Proof that the log only grew")
def get_consistency(request: HttpRequest, asked: Query[ConsistencyQuery]) -> ConsistencyOut:
    """Return the hashes that lead from the root of one size to that of a larger one."""
    principal_of(request).require(Action.AUDIT_VIEW)
    published = selectors.published_size()
    new = published if asked.new is None else asked.new
    if new > published:
        raise invalid("query.new", new, f"at most {published}, which is what is published")
    if asked.old > new:
        raise invalid("query.old", asked.old, f"at most {new}, the new size")
    hashes = selectors.consistency_proof(old=asked.old, new=new)
    return ConsistencyOut(old=asked.old, new=new, hashes=[_base64(each) for each in hashes])


@router.get("/audit/witnesses", response=WitnessBoardOut, summary="The members' witnesses")
def get_witnesses(request: HttpRequest) -> WitnessBoardOut:
    """Return how each active witness stands, by name, and what their quorums publish."""
    principal_of(request).require(Action.AUDIT_VIEW)
    return WitnessBoardOut.from_orm(selectors.witness_board())


@router.get("/audit/entries", response=Page[EntryOut], summary="Entries of the log")
def list_entries(request: HttpRequest, asked: Query[EntryQuery]) -> Page[EntryOut]:
    """Return entries, the newest first, also those that wait for their number."""
    principal_of(request).require(Action.AUDIT_VIEW)
    page = selectors.entries(
        selectors.EntryFilter(**asked.model_dump(exclude={"cursor", "limit"})),
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
    return _receipt_out(_entry_at(log_index))


@router.get(
    "/audit/receipts/{leaf_hash}",
    response=ReceiptOut,
    summary="Proof of what a call wrote",
    openapi_extra={"responses": {409: {"$ref": "#/components/responses/Refused"}}},
)
def get_receipt_of_leaf(request: HttpRequest, leaf_hash: Path[LeafHash]) -> ReceiptOut:
    """Return the proof of the entry with this leaf hash; 409 until it is published."""
    principal_of(request).require(Action.AUDIT_VIEW)
    try:
        entry = selectors.entry_by_leaf_hash(bytes.fromhex(leaf_hash))
    except AuditEntry.DoesNotExist:
        raise NotFoundError(f"The log has no entry with the leaf hash {leaf_hash}.") from None
    return _receipt_out(entry)


@router.get(
    "/audit/entries/{log_index}/opening",
    response=OpeningOut,
    summary="The private part of one entry",
    openapi_extra={"responses": {410: {"$ref": "#/components/responses/Erased"}}},
)
def get_opening(request: HttpRequest, log_index: Number) -> OpeningOut | HttpResponse:
    """Return what the entry was committed to, if this organisation may read it."""
    principal = principal_of(request)
    principal.require(Action.OPENING_VIEW)
    entry = _entry_at(log_index)
    try:
        with principal.acting_with(Action.OPENING_VIEW):
            opening = selectors.opening_file(entry)
    except selectors.NoOpeningError as error:
        raise NotFoundError(str(error)) from error
    except selectors.OpeningErasedError as error:
        return problem(request, HTTPStatus.GONE, "erased", str(error))
    return OpeningOut(
        log_index=log_index,
        opening=opening.decode(),
        entry=_base64(entry.entry),
    )


@router.post(
    "/audit/entries/{log_index}/opening/erase",
    auth=TOKEN,
    response={204: None},
    summary="Erase the private part of one entry",
    openapi_extra={"responses": {410: {"$ref": "#/components/responses/Erased"}}},
)
def erase_opening(
    request: HttpRequest, log_index: Number, asked: ErasureIn
) -> Status[None] | HttpResponse:
    """Erase payload and salt for ever, as the owner alone may; entry, tree and receipts stay."""
    principal = principal_of(request)
    principal.require(Action.OPENING_ERASE)
    entry = _entry_at(log_index)
    if entry.organisation:
        permitted(request, Action.OPENING_ERASE, get_organisation(slug=entry.organisation))
    try:
        services.erase_opening(
            entry=entry, reason=asked.reason, actor=principal.operator, at=clock.now()
        )
    except selectors.NoOpeningError as error:
        raise NotFoundError(str(error)) from error
    except selectors.OpeningErasedError as error:
        return problem(request, HTTPStatus.GONE, "erased", str(error))
    return Status(204, None)


def _entry_at(log_index: int) -> AuditEntry:
    try:
        return selectors.get_entry(log_index)
    except AuditEntry.DoesNotExist:
        raise NotFoundError(f"The log has no entry {log_index} (yet).") from None


def _receipt_out(entry: AuditEntry) -> ReceiptOut:
    receipt = selectors.receipt(entry)
    assert entry.log_index is not None  # or there would be no receipt
    return ReceiptOut(log_index=entry.log_index, receipt=receipt, entry=_base64(entry.entry))


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
