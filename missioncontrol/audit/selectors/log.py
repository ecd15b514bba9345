"""The log itself: its folder, its key, how far it is signed, published and settled."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Count, Max, OuterRef, Subquery

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import parse_checkpoint_body
from missioncontrol.audit.merkle.note import parse_note, parse_signature_line
from missioncontrol.audit.merkle.succession import read_announcement
from missioncontrol.audit.models import AuditEntry, Checkpoint, Cosignature, Witness
from missioncontrol.kernel.errors import RefusedError


class NotPublishedError(RefusedError):
    """The log has not published this yet; ask again in a moment."""


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


def announced_key() -> str | None:
    """Return the public key that is to follow the one in force, or None where none was announced.

    Raises:
        VerificationError: What the key in force announced was changed.
    """
    folder = log_folder()
    key = folder.read_verifier_key()
    octets = None if key is None else folder.read_announcement(key)
    if key is None or octets is None:
        return None
    return read_announcement(octets, old=key, origin=key.name).key.to_vkey()


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
