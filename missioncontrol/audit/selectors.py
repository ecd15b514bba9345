from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Max, OuterRef, Q, Subquery

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.canonical import read_entry
from missioncontrol.audit.merkle.checkpoint import parse_checkpoint_body
from missioncontrol.audit.merkle.note import parse_note, parse_signature_line
from missioncontrol.audit.merkle.receipt import Receipt, format_receipt
from missioncontrol.audit.merkle.tiles import TileNodes
from missioncontrol.audit.merkle.tree import inclusion_proof as tree_inclusion_proof
from missioncontrol.audit.models import AuditEntry, Checkpoint, Cosignature, Witness
from missioncontrol.kernel.errors import RefusedError

MAX_PAGE: Final = 500


class NotPublishedError(RefusedError):
    """The log has not published this yet; ask again in a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That one entry stands in the published tree (RFC 6962 section 2.1.1)."""

    index: int
    size: int  # of the tree that the proof is for
    root: bytes
    hashes: tuple[bytes, ...]  # from the leaf's sibling to the root's child
    checkpoint: str  # the signed note of that tree, with its cosignatures


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Entries, newest first, and where the older ones go on."""

    entries: list[AuditEntry]
    next_cursor: int | None  # give it as ``cursor``; None: there are no older ones


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """How one active witness stands."""

    name: str
    organisation: str
    url: str
    size: int  # the largest checkpoint that it cosigned here
    behind: int  # entries published since
    last_seen_at: datetime | None  # mission time of its last good answer
    fault: str  # of the last time it was asked; empty when that went well


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessBoard:
    """Who cosigns, who is away, and how far that lets the log's entries count."""

    witnesses: list[WitnessState]
    away: list[str]  # names of those that gave no good answer when last asked
    published_quorum: int  # 0: the log's own signature is enough
    settled_quorum: int
    signed_size: int  # entries under the newest checkpoint, cosigned or not
    published_size: int
    settled_size: int


def log_folder() -> LogFolder:
    """Return the folder that this installation's log lives in."""
    return LogFolder(settings.LOG_DIR)


def origin() -> str:
    """Return the log's name: the first line of its checkpoints."""
    name: str = settings.LOG_ORIGIN
    return name


def verification_key() -> str:
    """Return the log's public key as a vkey (C2SP signed-note).

    Raises:
        NotPublishedError: The log was never started.
    """
    key = log_folder().read_verifier_key()
    if key is None:
        raise NotPublishedError("The log has no key yet; its sequencer makes one when it starts.")
    return key.to_vkey()


def latest_checkpoint() -> Checkpoint | None:
    """Return the newest signed checkpoint, or None before the log's first start."""
    return Checkpoint.objects.order_by("-size").first()


def published_quorum() -> int:
    """Return how many witnesses must have cosigned what counts as published; 0: none."""
    return _quorum(settings.AUDIT_PUBLISHED_QUORUM)


def settled_quorum() -> int:
    """Return how many witnesses must have cosigned what counts as settled; 0: none."""
    return _quorum(settings.AUDIT_SETTLED_QUORUM)


def published_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint that enough witnesses cosigned, if there is one."""
    return _newest_with(published_quorum())


def published_size() -> int:
    """Return how many entries stand under a published checkpoint."""
    return _size(published_checkpoint())


def settled_size() -> int:
    """Return how many entries stand under a settled checkpoint."""
    return _size(_newest_with(settled_quorum()))


def assigned_size() -> int:
    """Return how many entries have an index, published or about to be."""
    last: int | None = AuditEntry.objects.aggregate(last=Max("log_index"))["last"]
    return 0 if last is None else last + 1


def waiting_count() -> int:
    """Return how many entries are committed and not yet published."""
    return AuditEntry.objects.filter(
        Q(log_index=None) | Q(log_index__gte=published_size())
    ).count()


def is_published(entry_id: int) -> bool:
    """Tell whether the entry with this primary key stands under a published checkpoint.

    That is a signed, public one; where witnesses are registered and a quorum is
    set, one that so many of them cosigned.
    """
    return AuditEntry.objects.filter(pk=entry_id, log_index__lt=published_size()).exists()


def is_settled(entry_id: int) -> bool:
    """Tell whether the entry with this primary key stands under a settled checkpoint."""
    return AuditEntry.objects.filter(pk=entry_id, log_index__lt=settled_size()).exists()


def cosigned_note(note: str) -> str:
    """Return a checkpoint of this log with all cosignatures that it has, the log's line first.

    Args:
        note: As signed by the log.
    """
    head = parse_checkpoint_body(parse_note(note.encode()).text)
    lines = (
        Cosignature.objects.filter(
            checkpoint__size=head.size, checkpoint__root=head.root, witness__active=True
        )
        .order_by("witness_id")
        .values_list("line", flat=True)
    )
    cosignatures = [parse_signature_line(line) for line in lines]
    if not cosignatures:
        return note
    return parse_note(note.encode()).with_signatures(cosignatures).format().decode()


def public_checkpoint() -> bytes | None:
    """Return the newest checkpoint as everybody may read it, or None before the first start."""
    octets = log_folder().read_checkpoint()
    return None if octets is None else cosigned_note(octets.decode()).encode()


def witness_board() -> WitnessBoard:
    """Return how the active witnesses stand, by name."""
    signed = _size(latest_checkpoint())
    rows = list(Witness.objects.filter(active=True).order_by("name"))
    return WitnessBoard(
        witnesses=[
            WitnessState(
                name=row.name,
                organisation=row.organisation,
                url=row.url,
                size=row.cosigned_size,
                behind=signed - row.cosigned_size,
                last_seen_at=row.last_seen_at,
                fault=row.last_error,
            )
            for row in rows
        ],
        away=[row.name for row in rows if row.last_error or row.last_seen_at is None],
        published_quorum=published_quorum(),
        settled_quorum=settled_quorum(),
        signed_size=signed,
        published_size=published_size(),
        settled_size=settled_size(),
    )


def get_entry(log_index: int) -> AuditEntry:
    """Return the entry at an index of the log.

    Raises:
        AuditEntry.DoesNotExist: no entry has that index (yet).
    """
    return AuditEntry.objects.get(log_index=log_index)


def entry_content(entry: AuditEntry) -> dict[str, Any]:
    """Return what was logged, read from the octets that are hashed.

    Raises:
        FormatError: The octets were changed and are no entry any more.
    """
    return read_entry(bytes(entry.entry))


def entries(
    *,
    subject: str = "",
    action: str = "",
    actor: str = "",
    organisation: str = "",
    text: str = "",
    cursor: int | None = None,
    limit: int = 50,
) -> EntryPage:
    """Return one page of the log, newest first; also entries that still wait for an index.

    Args:
        subject: Exactly this subject, e.g. ``telecommand:17``; likewise the next three.
        action: Exactly this action.
        actor: Exactly this actor, e.g. ``operator:alice``.
        organisation: Exactly this slug.
        text: Anywhere in subject, action, actor or organisation, in either case.
        cursor: ``next_cursor`` of the page before.
        limit: Entries on a page, at most ``MAX_PAGE``.
    """
    exact = {"subject": subject, "action": action, "actor": actor, "organisation": organisation}
    rows = AuditEntry.objects.filter(**{name: value for name, value in exact.items() if value})
    if text:
        rows = rows.filter(
            Q(subject__icontains=text)
            | Q(action__icontains=text)
            | Q(actor__icontains=text)
            | Q(organisation__icontains=text)
        )
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor)
    size = min(limit, MAX_PAGE)
    found = list(rows.order_by("-pk")[: size + 1])
    page = found[:size]
    return EntryPage(entries=page, next_cursor=page[-1].pk if len(found) > size else None)


def inclusion_proof(entry: AuditEntry) -> InclusionProof:
    """Return the proof that *entry* stands in the tree as last published.

    Raises:
        NotPublishedError: It does not yet.
        VerificationError: A tile on the way is missing or damaged.
    """
    checkpoint = published_checkpoint()
    if checkpoint is None or entry.log_index is None or entry.log_index >= checkpoint.size:
        raise NotPublishedError(
            f"The entry {entry} stands under no published checkpoint yet. Ask again in a moment."
        )
    size = checkpoint.size
    nodes = TileNodes(size=size, read_tile=log_folder().read_tile)
    hashes = tree_inclusion_proof(index=entry.log_index, size=size, read_node=nodes)
    return InclusionProof(
        index=entry.log_index,
        size=size,
        root=bytes(checkpoint.root),
        hashes=tuple(hashes),
        checkpoint=cosigned_note(checkpoint.note),
    )


def receipt(entry: AuditEntry) -> str:
    """Return a proof of *entry* that can be checked offline (C2SP tlog-proof).

    The entry's octets travel beside it.

    Raises:
        NotPublishedError: The entry stands under no published checkpoint yet.
        VerificationError: A tile on the way is missing or damaged.
    """
    proof = inclusion_proof(entry)
    octets = format_receipt(
        Receipt(index=proof.index, proof=proof.hashes, checkpoint=proof.checkpoint.encode())
    )
    return octets.decode()


def _size(checkpoint: Checkpoint | None) -> int:
    return 0 if checkpoint is None else checkpoint.size


def _quorum(configured: int) -> int:
    """Return what is set, but 0 in an installation that never had a witness.

    Retired ones count here: to retire the last witness must not make its
    cosignature unnecessary.
    """
    return configured if configured and Witness.objects.exists() else 0


def _newest_with(quorum: int) -> Checkpoint | None:
    """Return the newest checkpoint that *quorum* active witnesses cosigned."""
    if quorum == 0:
        return latest_checkpoint()
    cosigned = list(
        Witness.objects.filter(active=True)
        .order_by("-cosigned_size")
        .values_list("cosigned_size", flat=True)[:quorum]
    )
    if len(cosigned) < quorum:
        return None
    votes = (
        Cosignature.objects.filter(checkpoint=OuterRef("pk"), witness__active=True)
        .order_by()
        .values("checkpoint")
        .annotate(found=Count("pk"))
        .values("found")
    )
    # Beyond what the last of them cosigned nothing can have enough: an hour without
    # witnesses leaves thousands of checkpoints that need not be counted through.
    return (
        Checkpoint.objects.filter(size__lte=cosigned[-1], size__gt=0)
        .annotate(found=Subquery(votes))
        .filter(found__gte=quorum)
        .order_by("-size")
        .first()
    )
